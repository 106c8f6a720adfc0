"""The commands `build`, `stats` and `bench`."""

import argparse
import json
import os
import time
from typing import TYPE_CHECKING, Any, Union

from data_gen.cli import arguments
from data_gen.core.progress import say, show_progress
from data_gen.shared.commands import add_command, add_config_arguments, positive
from data_gen.shared.errors import UserError

if TYPE_CHECKING:
    from data_gen.engine.processes import Engine
    from data_gen.jobs.build_dataset import BuildPlan


def add_build(commands: Any) -> None:
    """Add `build`."""
    parser = add_command(
        commands,
        "build",
        _build,
        "build TFRecords from text",
        "python -m data_gen build --config macbert_512 --input "
        "'corpus/*.txt' --output work/data \\\n"
        "    --set segmenter.model=work/ltp",
    )
    add_config_arguments(parser, "configs/data")
    arguments.add_input(parser, or_segmented=True)
    parser.add_argument(
        "--output",
        required=True,
        metavar="DIR",
        help="a folder or URL: new, or that this command wrote to before",
    )
    arguments.add_cache(parser)
    arguments.add_engine(parser)
    parser.add_argument(
        "--task-megabytes",
        type=positive,
        metavar="N",
        help="text of one task; a worker's memory follows it, the output does not (default: a "
        "256th of the input, at most 16)",
    )
    parser.add_argument(
        "--heldout",
        type=_share_or_file,
        metavar="FILE|SHARE",
        help="make OUTPUT-heldout, too, for train --heldout and evaluate: of a share of the "
        "documents, such as 0.05, which are not trained on, or of text files; documents that are "
        "in these are not trained on",
    )


def _share_or_file(text: str) -> Union[float, str]:
    """Parse `--heldout`: a number is a share."""
    try:
        share = float(text)
    except ValueError:
        return text
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{text} is no share above 0 and below 1")
    return share


def _build(args: argparse.Namespace) -> None:
    from data_gen.jobs.build_dataset import plan_build

    inputs = arguments.load_inputs(args, args.input)
    engine, show = arguments.engine(args), arguments.progress(args)
    start = time.perf_counter()
    if args.heldout is None:
        _run(plan_build(inputs, args.output, engine, show), engine, args, start)
        return
    from data_gen.jobs.build_heldout import plan_heldout, plan_trained, split_inputs

    split = split_inputs(inputs, args.heldout, engine, show)
    trained = plan_trained(split, args.output, engine, show)
    _run(trained, engine, args, start)
    start = time.perf_counter()
    _run(plan_heldout(split, trained, engine, show), engine, args, start)


def _run(plan: "BuildPlan", engine: "Engine", args: argparse.Namespace, start: float) -> None:
    """Run a build that was planned from the time `start` on, and print what it made."""
    from data_gen.jobs.build_dataset import TABLE, run_build

    show = arguments.progress(args)
    if plan.table and not plan.finished and not args.log_json:
        path = os.path.join(args.output, TABLE)
        sources = " and ".join([*plan.requested.synonyms.vectors, "this text"])
        say(f"{path}: similar words from {sources} (synonyms.vectors)")
    task_bytes = args.task_megabytes and args.task_megabytes << 20
    info = run_build(plan, engine, show, task_bytes, arguments.cache(args))
    seconds = time.perf_counter() - start
    megabytes = sum(file["bytes"] for file in info.manifest["input"]) / 1e6
    how = "whole already" if plan.finished else f"{seconds:.1f} s, {megabytes / seconds:.2f} MB/s"
    shards = f"{len(info.shards)} shard" + ("s" if len(info.shards) > 1 else "")
    print(
        f"{info.folder}: {info.statistics['documents']:,} documents, "
        f"{info.statistics['sentences']:,} sentences, {info.examples:,} instances in {shards} "
        f"(of {megabytes:.1f} MB of text, {how})"
    )


def add_stats(commands: Any) -> None:
    """Add `stats`."""
    parser = add_command(
        commands,
        "stats",
        _stats,
        "print what the recipe of a build promised, what came of it, and what was counted",
        "python -m data_gen stats work/data",
    )
    parser.add_argument("folder", metavar="DIR", help="the output of `build` or `segment`")
    parser.add_argument("--json", action="store_true", help="for programs")


def _stats(args: argparse.Namespace) -> None:
    from data_gen.corpus.segmented.folder import find, read
    from data_gen.show.promises import promises
    from data_gen.show.statistics_text import promise_lines, statistics_lines
    from data_gen.storage.dataset_folder import read_dataset

    segmented = find([args.folder])
    if segmented:
        statistics, found = read(segmented).manifest["statistics"], []
    else:
        dataset = read_dataset(args.folder)
        statistics, found = dataset.statistics, promises(dataset)
    if args.json:
        print(json.dumps(statistics, ensure_ascii=False, indent=1))
        return
    lines = [*promise_lines(found), *statistics_lines(statistics, {one.figure for one in found})]
    print("\n".join(lines))


def add_bench(commands: Any) -> None:
    """Add `bench`."""
    parser = add_command(
        commands,
        "bench",
        _bench,
        "measure what a build costs one core, the first time and later, beside jieba.lcut and "
        "Google's generator on the same text",
        "python -m data_gen bench --config macbert_512 --input text.txt \\\n"
        "    --set segmenter.name=rjieba --set dupe_factor=1 \\\n"
        "    --google-bert bert --google-python tf1/bin/python",
    )
    add_config_arguments(parser, "configs/data")
    arguments.add_input(parser, or_segmented=True)
    parser.add_argument(
        "--google-bert",
        metavar="DIR",
        help="a copy of google-research/bert: its create_pretraining_data.py with "
        "--do_whole_word_mask is measured, too",
    )
    parser.add_argument(
        "--google-python", metavar="PYTHON", help="a Python with TensorFlow 1.15, to run it"
    )


def _bench(args: argparse.Namespace) -> None:
    from data_gen.jobs.benchmark import measure, report
    from data_gen.jobs.benchmark.google import GoogleGenerator, require_generator

    google = None
    if args.google_bert or args.google_python:
        if not (args.google_bert and args.google_python):
            raise UserError("Google's generator takes both --google-bert and --google-python")
        google = GoogleGenerator(args.google_bert, args.google_python)
        require_generator(google)
    inputs = arguments.load_inputs(args, args.input)
    print("\n".join(report.lines(measure.run_benchmark(inputs, show_progress, google))))
