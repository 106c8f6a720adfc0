"""Commands of both packages: common arguments, exit codes, one sentence for each error."""

import argparse
import math
import os
import select
import sys
import traceback
from typing import Any, Callable, Optional, Sequence

from data_gen.shared.errors import UserError


def override(text: str) -> str:
    """Check the form of one `--set`; for argparse's `type=`."""
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"{text} is not of the form key=value")
    return text


def number(
    least: float, most: float, what: str, kind: Callable[[str], Any] = float
) -> Callable[[str], Any]:
    """Make a parser for numbers from `least` to `most`, for argparse's `type=`.

    what: the name of such numbers in the error, e.g. "a share from 0 to 1"
    kind: float or int
    """

    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not {what}")
        return value

    return parse


positive = number(1, math.inf, "a whole number above 0", int)


def add_config_arguments(parser: argparse.ArgumentParser, folder: str) -> None:
    """Add `--config` and `--set`, for every command with settings."""
    parser.add_argument("--config", required=True, metavar="FILE", help=f"a file of {folder}/")
    add_overrides(
        parser, "--set", "override one setting, e.g. --set random_seed=7; may be given again"
    )


def add_overrides(
    parser: argparse.ArgumentParser, option: str, help_line: str, name: str = "overrides"
) -> None:
    """Add an option that overrides settings, one a time; `name` is its attribute."""
    parser.add_argument(
        option,
        dest=name,
        metavar="KEY=VALUE",
        type=override,
        action="append",
        default=[],
        help=help_line,
    )


def add_command(
    commands: Any, name: str, run: Any, help_line: str, example: str
) -> argparse.ArgumentParser:
    """Add a subcommand whose `--help` ends in an example; `run(args)` does its work."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help_line,
        description=help_line[0].upper() + help_line[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(run=run)
    return parser


def run_command(parser: argparse.ArgumentParser, argv: Optional[Sequence[str]]) -> int:
    """Run the subcommand that `argv` names. Returns 0 done, 1 failed with one sentence; wrong usage
    exits with 2.
    """
    args = parser.parse_args(argv)
    try:
        args.run(args)
        sys.stdout.flush()
    except BrokenPipeError as error:
        if not _reader_is_gone():
            return _failed(error, args.debug)
    except KeyboardInterrupt:
        print("interrupted; run the same command again to resume", file=sys.stderr)
        return 130
    except Exception as error:
        return _failed(error, args.debug)
    return 0


def _failed(error: Exception, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"error: {_sentence(error)}", file=sys.stderr)
    return 1


def _reader_is_gone() -> bool:
    """Return True if nobody reads the output any more: `| head` has seen enough. Then what is still
    to be written goes nowhere, so that the end of the process is quiet, too.
    """
    try:
        output = sys.stdout.fileno()
    except OSError:  # it is no file
        return False
    if not hasattr(select, "poll"):  # Windows
        return True
    poll = select.poll()
    poll.register(output, 0)  # errors are told unasked
    if not poll.poll(0):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    return True


def _sentence(error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'the system'}: {error.strerror}"
    if isinstance(error, MemoryError):
        return "there is too little memory: use fewer --workers, or a machine with more"
    first = (str(error).splitlines() or [""])[0]
    return f"unexpected {type(error).__name__}: {first}; run again with --debug and report it"
