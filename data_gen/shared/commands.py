"""Commands of both packages: common arguments, exit codes, one sentence for each error."""

import argparse
import contextlib
import math
import re
import sys
import traceback
from typing import Any, Callable, Iterator, NoReturn, Optional, Sequence, Tuple

import data_gen
from data_gen.shared.console import drop_output, print_in_any_encoding, reader_is_gone
from data_gen.shared.errors import FULL, UserError, cannot_write, did_you_mean
from data_gen.shared.shipped import listing, revision

# For a command that is looked for in the wrong package; tests/package/test_wheel.py compares.
COMMANDS = {
    "python -m data_gen": (
        *("build", "segment", "stats", "show", "bench", "corpus sample"),
        *("synonyms build", "synonyms nearby", "synonyms coverage", "synonyms judge"),
        *("segmenter fetch", "segmenter train", "vocab train", "vocab check", "vocab repair"),
        "verify",
    ),
    "python -m pretrain": (
        *("train", "evaluate", "export", "import", "predict", "check-head", "finetune"),
        *("results", "report", "vocab extend", "vocab shrink", "plan", "bench"),
    ),
}

# What to begin with, said where a program is run without arguments: an example, and what it does.
FIRST = {
    "python -m data_gen": (
        (
            "build --config macbert_512 --input 'corpus/*.txt' --output work/data",
            "make training data of text",
        ),
        ("stats work/data", "print what the recipe promised and what came of it"),
        ("show work/data --html work/data.html", "see what masking did to the text, in a browser"),
    ),
    "python -m pretrain": (
        (
            "train --config macbert_base --data work/data --output work/model",
            "train a model, or resume a training",
        ),
        ("predict --model work/model --serve", "try the model, in a browser"),
        (
            "export --format hf --model work/model --output work/release",
            "write the model for Hugging Face",
        ),
    ),
}


class Parser(argparse.ArgumentParser):
    """A parser whose errors name the nearest command, option or choice."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and refuse what is unknown where the options are known: in the subcommand."""
        self.given = [str(word) for word in (sys.argv[1:] if args is None else args)]
        if not self.given and self.prog in FIRST:
            self.exit(2, "\n".join(_first_steps(self.prog, self.description)) + "\n")
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return namespace, unknown

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message with what was perhaps meant; exit with 2."""
        super().error(message + (self._hint_for_choice(message) or self._hint_for_options()))

    def _hint_for_choice(self, message: str) -> str:
        found = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)$", message)
        if not found:
            return ""
        word, known = found.group(1), [name.strip(" '") for name in found.group(2).split(",")]
        if not re.match(r"argument (COMMAND|ACTION|command|action):", message):
            return did_you_mean(word, known)
        same, near = self._command_elsewhere(word)
        return same or did_you_mean(word, known) or near

    def _command_elsewhere(self, word: str) -> Tuple[str, str]:
        """Name the command of the other package that `word` is, and those that it nearly is."""
        ours = next(program for program in COMMANDS if self.prog.startswith(program))
        wanted = f"{self.prog[len(ours) :]} {word}".strip()
        commands = {
            f"{program} {command}": command
            for program, names in COMMANDS.items()
            if program != ours
            for command in names
        }
        for command, name in commands.items():
            if name == wanted or name.startswith(f"{wanted} "):
                return f"; it is a command of the other package: `{command}`", ""
        near = did_you_mean(wanted, commands.values())
        return "", near.replace("mean ", f"mean {next(p for p in COMMANDS if p != ours)} ")

    def _hint_for_options(self) -> str:
        known = ["--help", *re.findall(r"(?<![\w-])--[a-z][\w-]*", self.format_usage())]
        for word in self.given:
            name = word.partition("=")[0]
            if name.startswith("--") and not any(option.startswith(name) for option in known):
                hint = did_you_mean(name, known)
                return hint and f"; {name} is unknown{hint}"
        return ""


def _first_steps(prog: str, description: Optional[str]) -> Iterator[str]:
    """Say what a program is for, and its three most useful commands."""
    yield f"usage: {prog} COMMAND ..."
    purpose = (description or prog).split(": ", 1)[-1]
    yield f"\n{purpose[0].upper()}{purpose[1:]}"
    for example, meaning in FIRST[prog]:
        yield f"\n  {meaning}:\n    {prog} {example}"
    yield f"\nAll commands:             {prog} --help"
    yield f"The options of one:       {prog} COMMAND --help"
    yield f"All presets and settings: {prog} --list"


class _Say(argparse.Action):
    """An option that prints lines and ends the command."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        """Print what the option is for."""
        if option == "--version":
            print(f"macbert-pretraining {data_gen.__version__}, revision {revision()}")
        else:
            print("\n".join(listing()))
        parser.exit()


def command_parser(package: str, description: Optional[str]) -> Parser:
    """Make the parser of a package's commands."""
    print_in_any_encoding()  # help is printed while arguments are read
    parser = Parser(prog=f"python -m {package}", description=description)
    parser.add_argument(
        "--list", action=_Say, nargs=0, help="name all presets and settings, and end"
    )
    parser.add_argument("--version", action=_Say, nargs=0, help="name version and revision")
    parser.given = []
    return parser


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
    parser.add_argument(
        "--config",
        required=True,
        metavar="PRESET",
        help=f"the name of a preset (`--list`; they are the files of {folder}/), or a file",
    )
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
    debug = False
    try:
        args = parser.parse_args(argv)
        debug = args.debug
        with contextlib.ExitStack() as args.closing:  # what a command closes at its end
            args.run(args)
        sys.stdout.flush()
    except SystemExit:  # help was printed, or wrong usage
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            reader_is_gone()
        except OSError as error:
            return _failed(error, debug)
        raise
    except BrokenPipeError as error:
        if not reader_is_gone():
            return _failed(error, debug)
    except KeyboardInterrupt:
        print("interrupted; run the same command again to resume", file=sys.stderr)
        return 130
    except Exception as error:
        return _failed(error, debug)
    return 0


def _failed(error: Exception, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"error: {_sentence(error)}", file=sys.stderr)
    return 1


def _sentence(error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error)
    # Only stdout is written without `errors.writing`.
    if isinstance(error, OSError) and error.errno in FULL and not error.filename:
        return str(cannot_write(drop_output(), error))
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'the system'}: {error.strerror}"
    if isinstance(error, MemoryError):
        return "there is too little memory: use fewer --workers, or a machine with more"
    first = (str(error).splitlines() or [""])[0]
    return f"unexpected {type(error).__name__}: {first}; run again with --debug and report it"
