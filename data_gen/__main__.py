"""`python -m data_gen`: text to TFRecords, and the tools around it."""

import argparse
import json
import os
import signal
import sys
import time
from typing import Any, Optional, Sequence

from data_gen import bench, page, show, similar_tools, tools, word_folder
from data_gen import build as builds
from data_gen.features import MANIFEST, read_info
from data_gen.outputs import list_names
from data_gen.progress import show_progress, tell
from data_gen.settings import (
    add_command,
    add_config_arguments,
    positive,
    run_command,
)
from data_gen.stats import lines
from data_gen.storage import plain_path
from data_gen.work import TABLE


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 failed with one sentence on stderr."""
    # Workers are processes; threads would fight over the cores.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    parser = argparse.ArgumentParser(prog="python -m data_gen", description=__doc__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_build(commands)
    tools.add_segment(commands)
    _add_stats(commands)
    _add_show(commands)
    _add_bench(commands)
    similar_tools.add_synonyms(commands)
    tools.add_segmenter(commands)
    tools.add_corpus(commands)
    tools.add_vocab(commands)
    return run_command(parser, argv)


def _add_build(commands: Any) -> None:
    parser = add_command(
        commands,
        "build",
        _build,
        "build TFRecords from text",
        "python -m data_gen build --config configs/data/macbert_512.yaml --input "
        "'corpus/*.txt' --output work/data \\\n"
        "    --set segmenter.model=work/ltp",
    )
    add_config_arguments(parser, "configs/data")
    tools.add_input(parser, or_words=True)
    parser.add_argument(
        "--output",
        required=True,
        metavar="DIR",
        help="a folder or URL: new, or of the same build",
    )
    tools.add_engine(parser)
    parser.add_argument(
        "--task-megabytes",
        type=positive,
        metavar="N",
        help="text of one task; a worker's memory follows it, the output does not (default: a "
        "256th of the input, at most 16)",
    )


def _build(args: argparse.Namespace) -> None:
    config = tools.load_config(args, args.input)
    there = MANIFEST in list_names(plain_path(args.output))
    if builds.makes_table(config) and not there and not args.log_json:
        path = os.path.join(args.output, TABLE)
        tell(f"{path}: similar words from the toolkit's vectors and this text (synonyms.table)")
    start = time.perf_counter()
    info = builds.build(
        config,
        args.input,
        args.output,
        tools.engine(args),
        tools.progress(args),
        args.task_megabytes and args.task_megabytes << 20,
    )
    seconds = time.perf_counter() - start
    megabytes = sum(file["bytes"] for file in info.manifest["input"]) / 1e6
    how = "whole already" if there else f"{seconds:.1f} s, {megabytes / seconds:.2f} MB/s"
    print(
        f"{info.folder}: {info.manifest['statistics']['sentences']:,} sentences, "
        f"{info.examples:,} instances in {len(info.shards)} shards "
        f"({megabytes:.1f} MB of text, {how})"
    )


def _add_stats(commands: Any) -> None:
    parser = add_command(
        commands,
        "stats",
        _stats,
        "print what a build or a segmentation counted",
        "python -m data_gen stats work/data",
    )
    parser.add_argument("folder", metavar="DIR", help="the output of `build` or `segment`")
    parser.add_argument("--json", action="store_true", help="for programs")


def _stats(args: argparse.Namespace) -> None:
    words = word_folder.find([args.folder])
    described = word_folder.read(words) if words else read_info(args.folder)
    statistics = described.manifest["statistics"]
    if args.json:
        print(json.dumps(statistics, ensure_ascii=False, indent=1))
        return
    for name, value in lines(statistics):
        print(f"{name:24} {value}")


def _add_show(commands: Any) -> None:
    parser = add_command(
        commands,
        "show",
        _show_examples,
        "print examples of a build for reading: the text and what masking did to it",
        "python -m data_gen show work/data -n 5 --start 100",
    )
    parser.add_argument("folder", metavar="DIR", help="the output of a build")
    parser.add_argument(
        "-n", dest="count", type=positive, default=3, metavar="N", help="how many (default: 3)"
    )
    parser.add_argument(
        "--start", type=positive, default=1, metavar="K", help="the first to show (default: 1)"
    )
    parser.add_argument(
        "--vocab", metavar="FILE", help="the vocab.txt of the build (default: as dataset.json says)"
    )
    parser.add_argument("--html", metavar="FILE", help="write a page for a browser instead")


def _show_examples(args: argparse.Namespace) -> None:
    info = read_info(args.folder)
    vocabulary = show.build_vocabulary(info, args.vocab)
    examples = show.shown_examples(info, vocabulary, args.start, args.count)
    if args.html:
        page.require_new_page(args.html)
        print(f"{args.html}: {page.write_page(args.html, info, examples):,} examples")
        return
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    try:
        for line in show.text_lines(examples, colour):
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; nor may the flush at exit fail
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _add_bench(commands: Any) -> None:
    parser = add_command(
        commands,
        "bench",
        _bench,
        "measure how fast one core builds, beside jieba.lcut on the same text",
        "python -m data_gen bench --config configs/data/macbert_512.yaml --input text.txt \\\n"
        "    --set segmenter.name=rjieba --set synonyms.table=work/synonyms.safetensors",
    )
    add_config_arguments(parser, "configs/data")
    tools.add_input(parser, or_words=True)


def _bench(args: argparse.Namespace) -> None:
    config = tools.load_config(args, args.input)
    print("\n".join(bench.lines(bench.run_bench(config, args.input, show_progress))))


if __name__ == "__main__":
    # What schedulers send ends a command as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
