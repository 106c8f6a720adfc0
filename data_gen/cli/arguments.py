"""Arguments that several commands share."""

import argparse
from typing import Sequence

from data_gen.config import DataConfig
from data_gen.core.progress import Progress, log_json, show_progress
from data_gen.engine.processes import Engine, LocalEngine
from data_gen.engine.ray_cluster import RayEngine
from data_gen.jobs.inputs import settle
from data_gen.shared.commands import positive
from data_gen.shared.settings import load_settings


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


def progress(args: argparse.Namespace) -> Progress:
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
    return settle(config, inputs, args.overrides)
