"""The command `vocab`."""

import argparse
import os
from typing import TYPE_CHECKING, Any, Iterable, Sequence

from data_gen.cli.arguments import add_input
from data_gen.core.progress import show_progress
from data_gen.shared.commands import (
    add_command,
    add_config_arguments,
    add_overrides,
    number,
    positive,
)
from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import mistakes, read_pieces
from data_gen.storage.writing import write_new
from data_gen.tokenization.training import MODEL_TYPES, VOCABULARY, Options

if TYPE_CHECKING:
    from data_gen.corpus.config import CorpusConfig


def add_vocab(commands: Any) -> None:
    """Add `vocab train`, `vocab check` and `vocab repair`."""
    parser = commands.add_parser("vocab", help="vocabularies of the tokenizers")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add_train(actions)
    _add_check(actions)
    _add_repair(actions)


def _add_train(actions: Any) -> None:
    train = add_command(
        actions,
        "train",
        _vocab_train,
        "train the vocabulary of the tokenizer that the settings name",
        "python -m data_gen vocab train --config macbert_512 --input "
        "'corpus/*.txt' \\\n"
        "    --set tokenizer.name=sentencepiece --output work/vocab",
    )
    add_config_arguments(train, "configs/data")
    add_input(train)
    train.add_argument("--output", required=True, metavar="DIR", help="a folder without vocab.txt")
    defaults = Options()
    train.add_argument(
        "--size",
        type=positive,
        default=defaults.size,
        metavar="N",
        help=f"pieces, special ones included (default: {defaults.size})",
    )
    train.add_argument(
        "--model-type",
        choices=MODEL_TYPES,
        default=defaults.model_type,
        help=f"kind of a sentencepiece model (default: {defaults.model_type})",
    )
    train.add_argument(
        "--character-coverage",
        type=number(0.98, 1, "a share from 0.98 to 1"),
        default=defaults.character_coverage,
        metavar="SHARE",
        help="of the text's characters that the pieces spell, 0.98 to 1; the rest is [UNK] "
        f"(default: {defaults.character_coverage})",
    )


def _add_check(actions: Any) -> None:
    check = add_command(
        actions,
        "check",
        _vocab_check,
        "say what is wrong or unusual with a WordPiece vocabulary (exit code 1: unusable)",
        "python -m data_gen vocab check work/vocab/vocab.txt --input 'corpus/*.txt'",
    )
    check.add_argument("file", metavar="FILE", help="a vocab.txt")
    add_input(check, required=False)
    add_overrides(check, "--set", "one setting of the text, e.g. --set corpus.field=content")
    check.add_argument("--cased", action="store_true", help="text is not lowered")


def _add_repair(actions: Any) -> None:
    repair = add_command(
        actions,
        "repair",
        _vocab_repair,
        "make a vocabulary usable without changing an id: repeated pieces, blank lines, byte-order "
        "mark, line ends of Windows",
        "python -m data_gen vocab repair ernie/vocab.txt --output work/vocab.txt",
    )
    repair.add_argument("file", metavar="FILE", help="a vocab.txt")
    repair.add_argument("--output", required=True, metavar="FILE", help="a new file")


def _vocab_repair(args: argparse.Namespace) -> None:
    from data_gen.tokenization.repair_vocabulary import repair_pieces

    pieces, changes = repair_pieces(read_pieces(args.file))
    for mistake in mistakes(pieces):
        raise UserError(f"the vocabulary {args.file} {mistake}")
    write_new(args.output, "".join(f"{piece}\n" for piece in pieces).encode())
    print("\n".join(changes) or f"{args.file}: nothing to repair")
    print(f"{args.output}: usable, every piece has its old id")


def _vocab_train(args: argparse.Namespace) -> None:
    from data_gen.config import DataConfig
    from data_gen.jobs.train_vocabulary import train_vocabulary
    from data_gen.shared.settings import load_settings

    config = load_settings(DataConfig, args.config, args.overrides)
    options = Options(args.size, args.model_type, args.character_coverage)
    pieces = train_vocabulary(config, args.input, args.output, options, show_progress)
    fewer = "" if len(pieces) == args.size else f", all that this text gives of {args.size:,}"
    path = os.path.join(args.output, VOCABULARY)
    print(f"{path}: {len(pieces):,} pieces{fewer}; a model needs vocab_size {len(pieces)}")


def _vocab_check(args: argparse.Namespace) -> None:
    from data_gen.corpus.config import TextConfig
    from data_gen.shared.settings import load_overrides
    from data_gen.tokenization.check_vocabulary import check_vocabulary

    config = load_overrides(TextConfig, args.overrides).corpus
    pieces, errors, notes = check_vocabulary(args.file, not args.cased)
    print(f"{args.file}: {len(pieces):,} pieces")
    for note in notes:
        print(f"note: {note}")
    if errors:
        raise UserError(f"the vocabulary {args.file} {'; '.join(errors)}")
    if args.input:
        print("\n".join(_coverage(pieces, args, config)))


def _coverage(
    pieces: Sequence[str], args: argparse.Namespace, config: "CorpusConfig"
) -> Iterable[str]:
    """Return the lines that say how a vocabulary fits the input."""
    from data_gen.corpus.blocks import group_into_blocks
    from data_gen.corpus.read import read_blocks
    from data_gen.engine.processes import LocalEngine
    from data_gen.jobs.inputs import scan_text_files
    from data_gen.tokenization.check_vocabulary import Coverage
    from data_gen.tokenization.wordpiece import WordPiece

    found = Coverage(WordPiece(pieces, not args.cased))
    files = scan_text_files(args.input, config, None, LocalEngine(1), show_progress).files
    blocks = list(group_into_blocks(files))
    for documents in show_progress("read", len(blocks), read_blocks(blocks, config)):
        found.add(documents)
    return found.lines()
