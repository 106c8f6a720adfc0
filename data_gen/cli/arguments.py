"""Arguments that several commands share.

Making the parser of all commands imports no job and no numpy: what a command runs is imported in
the function that runs it, so that `--help` and a typo are answered at once.
"""

import argparse
from typing import TYPE_CHECKING, Optional, Sequence

from data_gen.core.progress import Progress, log_json, say, show_progress
from data_gen.shared.commands import positive

if TYPE_CHECKING:
    from data_gen.engine.processes import Engine
    from data_gen.jobs.inputs import Inputs


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


def add_cache(parser: argparse.ArgumentParser) -> None:
    """Add `--no-cache`."""
    parser.add_argument(
        "--no-cache",
        action="store_true",
        help="look for the similar words of vector files anew, and keep them for no other build",
    )


def cache(args: argparse.Namespace) -> Optional[str]:
    """Return the folder that keeps the similar words of vector files for this user."""
    from data_gen.jobs.table_cache import cache_folder

    return None if args.no_cache else cache_folder()


def progress(args: argparse.Namespace) -> Progress:
    """Return the report of progress that a command line asks for."""
    return log_json if args.log_json else show_progress


def engine(args: argparse.Namespace) -> "Engine":
    """Return the engine that a command line asks for; it is closed when the command ends."""
    if args.engine == "ray":
        from data_gen.engine.ray_cluster import RayEngine

        return RayEngine(args.ray_address, args.workers)
    from data_gen.engine.processes import LocalEngine

    local = LocalEngine(args.workers)
    args.closing.callback(local.close)
    return local


def load_inputs(args: argparse.Namespace, patterns: Sequence[str]) -> "Inputs":
    """Load the settings of a command and resolve its input. Say which settings a segmented corpus
    replaces by its own.

    Raises UserError as `load_settings` and `resolve_inputs` do.
    """
    from data_gen.config import DataConfig
    from data_gen.jobs.inputs import resolve_inputs
    from data_gen.shared.settings import load_settings

    config = load_settings(DataConfig, args.config, args.overrides)
    inputs = resolve_inputs(config, patterns, args.overrides)
    if inputs.segmented:
        identity = inputs.segmented.kind.stored_words
        say(", ".join([f"{inputs.segmented.folder}: words of {identity}", *inputs.replaced]))
    return inputs
