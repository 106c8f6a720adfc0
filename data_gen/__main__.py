"""`python -m data_gen`: text to TFRecords, and the tools around it."""

import os
import signal
import sys
from typing import Optional, Sequence

from data_gen.cli import segment, synonyms, vocabulary
from data_gen.cli.build import add_bench, add_build, add_stats
from data_gen.cli.show import add_show
from data_gen.cli.verify import add_verify
from data_gen.shared.commands import Parser, command_parser, run_command
from data_gen.shared.console import run_program
from data_gen.shared.memory import search_seldom


def make_parser() -> Parser:
    """Make the parser of all commands."""
    parser = command_parser("data_gen", __doc__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_build(commands)
    segment.add_segment(commands)
    add_stats(commands)
    add_show(commands)
    add_verify(commands)
    add_bench(commands)
    synonyms.add_synonyms(commands)
    segment.add_segmenter(commands)
    segment.add_corpus(commands)
    vocabulary.add_vocab(commands)
    return parser


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 failed with one sentence on stderr."""
    # Workers are processes; threads would fight over the cores. Those of numpy's BLAS take .1 CPU
    # seconds for their start alone.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    return run_command(make_parser(), argv)


def console() -> int:
    """Run as a program; the entry point `macbert-data`."""
    # What schedulers send ends a command as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    search_seldom()  # .03 CPU s of a start
    return run_program(main)


if __name__ == "__main__":
    sys.exit(console())
