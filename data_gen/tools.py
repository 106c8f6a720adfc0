"""The commands that make what a build needs: similar words, segmenters, vocabularies, text."""

import argparse
import os
import time
from typing import Any, Sequence

from data_gen import corpus, sample, text_files, vocab, word_folder
from data_gen.config import DataConfig
from data_gen.engine import Engine, LocalEngine
from data_gen.ltp import DEFAULT_LTP, fetch_ltp
from data_gen.outputs import atomic_file
from data_gen.progress import Show, log_json, show_progress
from data_gen.ray_engine import RayEngine
from data_gen.segmentation import segment
from data_gen.settings import (
    UserError,
    add_command,
    add_config_arguments,
    load_settings,
    positive,
)
from data_gen.stats import lines
from data_gen.vocab_check import Coverage, check_vocabulary
from data_gen.wordpiece import WordPiece


def add_input(
    parser: argparse.ArgumentParser, or_words: bool = False, required: bool = True
) -> None:
    """Add `--input`, what every command that reads text has, or the words of one."""
    parser.add_argument(
        "--input",
        required=required,
        default=[],
        nargs="+",
        metavar="FILE",
        help="text files, folders of them, globs in quotes, or URLs of any of these"
        + ("; or a folder of words, made by `segment`" if or_words else ""),
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add what every command with tasks has: `--workers`, `--engine`, `--ray-address` and
    `--log-json`.
    """
    parser.add_argument(
        "--workers",
        type=positive,
        default=0,
        metavar="N",
        help="processes, or tasks at once on a cluster (default: one a core)",
    )
    parser.add_argument(
        "--engine",
        choices=["local", "ray"],
        default="local",
        help="processes of this machine, or a Ray cluster (default: local)",
    )
    parser.add_argument(
        "--ray-address",
        default="auto",
        metavar="HOST:PORT",
        help="of the cluster's head (default: auto, the cluster of this machine)",
    )
    parser.add_argument(
        "--log-json", action="store_true", help="tell progress as JSON, an object a line, on stderr"
    )


def progress(args: argparse.Namespace) -> Show:
    """How a command line wants to be told of progress."""
    return log_json if args.log_json else show_progress


def engine(args: argparse.Namespace) -> Engine:
    """The engine that a command line asks for."""
    if args.engine == "ray":
        return RayEngine(args.ray_address, args.workers)
    return LocalEngine(args.workers)


def load_config(args: argparse.Namespace, inputs: Sequence[str]) -> DataConfig:
    """The settings of a command for its input. A folder of words brings some of its own.

    Raises UserError as `load_settings` and `word_folder.settle` do.
    """
    config = load_settings(DataConfig, args.config, args.overrides)
    return word_folder.settle(config, inputs, args.overrides)


def add_segment(commands: Any) -> None:
    """Add `segment`."""
    parser = add_command(
        commands,
        "segment",
        _segment,
        "write the words of a text, which `build` takes as its input instead of the text",
        "python -m data_gen segment --config configs/data/macbert_512.yaml --input "
        "'corpus/*.txt' \\\n    --output work/words --set segmenter.model=work/ltp\n"
        "  python -m data_gen build --config configs/data/macbert_512.yaml --input work/words "
        "\\\n    --output work/data",
    )
    add_config_arguments(parser, "configs/data")
    add_input(parser)
    parser.add_argument(
        "--output", required=True, metavar="DIR", help="a new folder, or one of the same words"
    )
    add_engine(parser)


def _segment(args: argparse.Namespace) -> None:
    config = load_settings(DataConfig, args.config, args.overrides)
    start = time.perf_counter()
    words = segment(config, args.input, args.output, engine(args), progress(args))
    seconds = time.perf_counter() - start
    for name, value in lines(words.manifest["statistics"]):
        print(f"{name:24} {value}")
    megabytes = sum(file.size for file in words.files) / 1e6
    packed = sum(sum(file["blocks"]) for file in words.manifest["word_files"]) / 1e6
    print(
        f"{words.folder}: words of {words.segmenter.identity}, {packed:.1f} MB for {megabytes:.1f} "
        f"MB of text ({seconds:.1f} s)"
    )


def add_segmenter(commands: Any) -> None:
    """Add `segmenter fetch` and `segmenter train`."""
    parser = commands.add_parser("segmenter", help="models of the segmenter LTP")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    fetch = add_command(
        actions,
        "fetch",
        _segmenter_fetch,
        "fetch an LTP model from the hub",
        "python -m data_gen segmenter fetch --output work/ltp",
    )
    fetch.add_argument(
        "--model",
        default=DEFAULT_LTP,
        metavar="ID",
        help=f"hub id: LTP/tiny, small or base for a neural one (default: {DEFAULT_LTP})",
    )
    fetch.add_argument("--output", required=True, metavar="DIR")
    train = add_command(
        actions,
        "train",
        _segmenter_train,
        f"train an LTP perceptron on the gold words of {sample.PACKAGE}",
        "python -m data_gen segmenter train --output work/ltp",
    )
    train.add_argument("--output", required=True, metavar="DIR")
    train.add_argument(
        "--epochs", type=positive, default=5, metavar="N", help="passes over the text (default: 5)"
    )


def _segmenter_fetch(args: argparse.Namespace) -> None:
    _note_source(fetch_ltp(args.model, args.output), f"{args.model} from the hub")


def _segmenter_train(args: argparse.Namespace) -> None:
    scores = sample.train_segmenter(args.output, args.epochs, seed=1)
    _note_source(
        args.output,
        "LTP perceptron trained on the People's Daily of January 1998, held-out F1 "
        f"{scores.f1:.3f} (precision {scores.precision:.3f}, recall {scores.recall:.3f})",
    )


def _note_source(folder: str, source: str) -> None:
    """Say where a model comes from, on the terminal and beside it."""
    with atomic_file(os.path.join(folder, "source.txt")) as handle:
        handle.write(f"{source}\n".encode())
    print(f"{folder}: {source}")


def add_corpus(commands: Any) -> None:
    """Add `corpus sample`."""
    parser = commands.add_parser("corpus", help="text to work on")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    text = add_command(
        actions,
        "sample",
        _corpus_sample,
        f"write the sample text of {sample.PACKAGE}, a part of it held out",
        "python -m data_gen corpus sample --output work/text",
    )
    text.add_argument("--output", required=True, metavar="DIR")


def _corpus_sample(args: argparse.Namespace) -> None:
    text = sample.write_text(args.output)
    print(
        f"{text.train}, {text.heldout}: {text.documents:,} articles, {text.characters:,} characters"
    )


def add_vocab(commands: Any) -> None:
    """Add `vocab train` and `vocab check`."""
    parser = commands.add_parser("vocab", help="vocabularies of the tokenizers")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    train = add_command(
        actions,
        "train",
        _vocab_train,
        "train the vocabulary of the tokenizer that the settings name",
        "python -m data_gen vocab train --config configs/data/macbert_512.yaml --input "
        "'corpus/*.txt' \\\n"
        "    --set tokenizer.name=sentencepiece --output work/vocab",
    )
    add_config_arguments(train, "configs/data")
    add_input(train)
    train.add_argument("--output", required=True, metavar="DIR", help="a folder without vocab.txt")
    defaults = vocab.Options()
    train.add_argument(
        "--size",
        type=positive,
        default=defaults.size,
        metavar="N",
        help=f"pieces, special ones included (default: {defaults.size})",
    )
    train.add_argument(
        "--model-type",
        choices=vocab.MODEL_TYPES,
        default=defaults.model_type,
        help=f"kind of a sentencepiece model (default: {defaults.model_type})",
    )
    train.add_argument(
        "--character-coverage",
        type=_coverage,
        default=defaults.character_coverage,
        metavar="SHARE",
        help="of the text's characters that the pieces spell, 0.98 to 1; the rest is [UNK] "
        f"(default: {defaults.character_coverage})",
    )
    check = add_command(
        actions,
        "check",
        _vocab_check,
        "say what is wrong or unusual with a WordPiece vocabulary (exit code 1: unusable)",
        "python -m data_gen vocab check work/vocab/vocab.txt --input 'corpus/*.txt'",
    )
    check.add_argument("file", metavar="FILE", help="a vocab.txt")
    add_input(check, required=False)
    check.add_argument("--cased", action="store_true", help="text is not lowered")


def _coverage(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0
    if not 0.98 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share from 0.98 to 1")
    return share


def _vocab_train(args: argparse.Namespace) -> None:
    config = load_settings(DataConfig, args.config, args.overrides)
    options = vocab.Options(args.size, args.model_type, args.character_coverage)
    pieces = vocab.train_vocabulary(config, args.input, args.output, options, show_progress)
    fewer = "" if len(pieces) == args.size else f", all that this text gives of {args.size:,}"
    path = os.path.join(args.output, vocab.VOCABULARY)
    print(f"{path}: {len(pieces):,} pieces{fewer}; a model needs vocab_size {len(pieces)}")


def _vocab_check(args: argparse.Namespace) -> None:
    pieces, errors, notes = check_vocabulary(args.file, not args.cased)
    print(f"{args.file}: {len(pieces):,} pieces")
    for note in notes:
        print(f"note: {note}")
    if errors:
        raise UserError(f"the vocabulary {args.file} {'; '.join(errors)}")
    if args.input:
        found = Coverage(WordPiece(pieces, not args.cased))
        files = text_files.scan_inputs(
            args.input, corpus.PLAIN, None, LocalEngine(1), show_progress
        )
        blocks = list(corpus.blocks(files))
        for documents in show_progress("read", len(blocks), corpus.read_blocks(blocks)):
            found.add(documents)
        print("\n".join(found.lines()))
