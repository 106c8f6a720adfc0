"""Arguments that several commands share."""

import argparse
from typing import Sequence

from data_gen.config import DataConfig
from data_gen.core.progress import Progress, log_json, say, show_progress
from data_gen.engine.processes import Engine, LocalEngine
from data_gen.engine.ray_cluster import RayEngine
from data_gen.jobs.inputs import Inputs, resolve_inputs
from data_gen.shared.commands import positive
from data_gen.shared.settings import load_settings


def add_input(
    parser: argparse.ArgumentParser, or_segmented: bool = False, required: bool = True
) -> None:
    """Add `--input`: text, and with `or_segmented` a segmented corpus, too."""
    parser.add_argument(
        "--input",
        required=required,
        default=[],
        nargs="+",
        metavar="FILE",
        help="text files of any form, folders of them, globs in quotes, URLs of any of these, or "
        "- for standard input"
        + ("; or a segmented corpus, the output of `segment`" if or_segmented else ""),
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every command with tasks: `--workers`, `--engine`, `--ray-address` and
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


def progress(args: argparse.Namespace) -> Progress:
    """Return the report of progress that a command line asks for."""
    return log_json if args.log_json else show_progress


def engine(args: argparse.Namespace) -> Engine:
    """Return the engine that a command line asks for."""
    if args.engine == "ray":
        return RayEngine(args.ray_address, args.workers)
    return LocalEngine(args.workers)


def load_inputs(args: argparse.Namespace, patterns: Sequence[str]) -> Inputs:
    """Load the settings of a command and resolve its input. Say which settings a segmented corpus
    replaces by its own.

    Raises UserError as `load_settings` and `resolve_inputs` do.
    """
    config = load_settings(DataConfig, args.config, args.overrides)
    inputs = resolve_inputs(config, patterns, args.overrides)
    if inputs.segmented:
        identity = inputs.segmented.kind.stored_words
        say(", ".join([f"{inputs.segmented.folder}: words of {identity}", *inputs.replaced]))
    return inputs
