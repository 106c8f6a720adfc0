"""The commands that make what a build needs: similar words, segmenters, vocabularies, text."""

import argparse
import os
from typing import Any, Iterable, Iterator

from data_gen import build as builds
from data_gen import sample, synonyms, vocab
from data_gen.config import DataConfig
from data_gen.features import file_sha256
from data_gen.ltp import DEFAULT_LTP, fetch_ltp
from data_gen.progress import show_progress
from data_gen.records import atomic_file
from data_gen.sentences import load_tokenizer
from data_gen.settings import add_command, add_config_arguments, load_settings, positive


def add_input(parser: argparse.ArgumentParser) -> None:
    """Add `--input`, what every command that reads text has."""
    parser.add_argument(
        "--input",
        required=True,
        nargs="+",
        metavar="FILE",
        help="text files, folders of them, globs in quotes, or URLs of any of these",
    )


def add_synonyms(commands: Any) -> None:
    """Add `synonyms build` and `synonyms nearby`."""
    parser = commands.add_parser("synonyms", help="similar words for MLM as correction")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    build = add_command(
        actions,
        "build",
        _synonyms_build,
        "compute the table of similar words",
        "python -m data_gen synonyms build --config configs/data/macbert_512.yaml --output "
        "work/synonyms.npz",
    )
    add_config_arguments(build, "configs/data")
    build.add_argument(
        "--output", required=True, metavar="FILE", help="a new file, or one to make anew"
    )
    build.add_argument(
        "--vectors", metavar="FILE", help=f"binary word2vec (default: those of {synonyms.TOOLKIT})"
    )
    build.add_argument(
        "--top-k",
        type=positive,
        default=10,
        metavar="K",
        help="neighbours to look at (default: 10)",
    )
    nearby = add_command(
        actions,
        "nearby",
        _synonyms_nearby,
        "print the similar words of words",
        "python -m data_gen synonyms nearby --config configs/data/macbert_512.yaml \\\n"
        "    --set synonyms.table=work/synonyms.npz 语言 模型",
    )
    add_config_arguments(nearby, "configs/data")
    nearby.add_argument("words", nargs="+", metavar="WORD")


def _synonyms_build(args: argparse.Namespace) -> None:
    config = load_settings(DataConfig, args.config, args.overrides)
    tokenizer = load_tokenizer(config)
    vectors = args.vectors or synonyms.toolkit_vectors()
    synonyms.require_new_table(args.output)

    def progress(blocks: Iterable[int]) -> Iterator[int]:
        every = list(blocks)
        return show_progress("nearest words", len(every), every)

    table = synonyms.build_table(
        vectors, tokenizer, file_sha256(config.vocab_file), args.top_k, progress
    )
    table.save(args.output)
    similar = synonyms.SimilarWords(table)
    with_any = sum(1 for word in similar.words if similar(word))
    print(
        f"{args.output}: {len(similar.words):,} words, {with_any:,} with a similar word of the "
        "same number of pieces"
    )


def _synonyms_nearby(args: argparse.Namespace) -> None:
    config = load_settings(DataConfig, args.config, args.overrides)
    tokenizer = load_tokenizer(config)
    similar = builds.load_similar(config)
    for word, (pieces, _) in zip(args.words, tokenizer.encode(args.words)):
        found = [(tokenizer.text(candidate), score) for candidate, score in similar(tuple(pieces))]
        print(f"{word}: {'  '.join(f'{text} {score:.3f}' for text, score in found) or '(none)'}")


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
    """Add `vocab train`."""
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
