"""The commands of the pages, read by the programs that they name. Nothing is run."""

import configparser
import contextlib
import importlib.util
import io
import os
import re
from typing import Any, Callable, Dict, List, Sequence

import data_gen.__main__
import pretrain.__main__
from data_gen.config import DataConfig
from data_gen.shared.settings import load_settings
from pretrain.cli.finetune import settings_of
from pretrain.config import TrainConfig
from tests.conftest import ROOT
from tests.docs_pages import Command

PACKAGES = {"data_gen": data_gen, "pretrain": pretrain}
# Programs that are not this project's: their words are taken as they are.
FOREIGN = {
    *("cat", "cd", "docker", "git", "head", "python3", "source", "tensorboard", "unzip", "wget"),
    "zcat",
}


def setup_cfg() -> configparser.ConfigParser:
    """The metadata of the project."""
    parser = configparser.ConfigParser()
    parser.read(os.path.join(ROOT, "setup.cfg"), encoding="utf-8")
    return parser


def console_scripts() -> Dict[str, str]:
    """The package of each console script."""
    lines = setup_cfg()["options.entry_points"]["console_scripts"].split("\n")
    pairs = [line.split("=") for line in lines if line]
    return {name.strip(): target.strip().split(".")[0] for name, target in pairs}


def ours(words: Sequence[str]) -> List[str]:
    """Package and arguments of a command of this project; else nothing."""
    words = list(words)
    if words[:2] == ["python", "-m"] and words[2] in PACKAGES:
        return words[2:]
    if words[0] in console_scripts():
        return [console_scripts()[words[0]], *words[1:]]
    return []


def parse(package: str, argv: Sequence[str]) -> Any:
    """Read arguments with the package's own parser. AssertionError with its message if it refuses;
    None for an option that prints and ends.
    """
    said = io.StringIO()
    parser = PACKAGES[package].__main__.make_parser()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            return parser.parse_args(list(argv))
    except SystemExit as end:
        code = end.code
    assert code == 0, said.getvalue().strip().splitlines()[-1]
    return None


def check_settings(package: str, args: Any) -> None:
    """Load the preset with its overrides, as the command does. UserError if one is unknown."""
    overrides = getattr(args, "overrides", None) or []
    if getattr(args, "task", None):
        settings_of(args.task, args.config, overrides)
    elif getattr(args, "config", None):
        schema = DataConfig if package == "data_gen" else TrainConfig
        load_settings(schema, args.config, overrides)
    else:  # text that is read: `--set corpus.field=content`
        assert all(text.startswith("corpus.") for text in overrides), overrides


def _python(words: List[str]) -> None:
    if words[1] == "-m":
        assert importlib.util.find_spec(words[2]), f"there is no module {words[2]}"
    elif words[1] != "-c":
        path = os.path.join(ROOT, words[1])
        assert os.path.isfile(path), f"there is no {words[1]}"
        with open(path, encoding="utf-8") as handle:
            source = handle.read()
        unknown = [word for word in words[2:] if word[:2] == "--" and f'"{word}"' not in source]
        assert not unknown, f"{words[1]} has no {unknown}"


def _pip(words: List[str]) -> None:
    known = set(setup_cfg()["options.extras_require"])
    for word in words[2:]:
        found = re.search(r"^(?:\.|.*\.whl\)?)\[(.*)\]$", word)
        extras = set(found.group(1).split(",")) if found else set()
        assert extras <= known, f"no extra of the name {extras - known}"


def _script(words: List[str]) -> None:
    """Compare the arguments of a shell script with the usage that its head shows."""
    path = os.path.join(ROOT, words[1])
    assert os.path.isfile(path), f"there is no {words[1]}"
    with open(path, encoding="utf-8") as handle:
        head = handle.read().split("\nsource ")[0]
    usages = re.findall(rf"^#   bash {re.escape(words[1])}(.*)$", head, re.MULTILINE)
    assert usages, f"{words[1]} shows no usage"
    assert any(_fits(words[2:], usage) for usage in usages), f"its usage is {usages}"
    if words[1].endswith("build_ray.sh") and words[2] == "build":
        check_settings("data_gen", parse("data_gen", words[2:]))


def _fits(given: List[str], usage: str) -> bool:
    """Whether arguments are as many as a line of usage has; a first word without capitals, dots,
    slashes or quotes is a subcommand.
    """
    shown = re.sub(r"\s{2,}\S.*$", "", usage.rstrip())  # what it is for
    needed = re.sub(r"\[.*?\]", "", shown).split()
    if needed and re.fullmatch(r"[a-z]+", needed[0]) and given[:1] != needed[:1]:
        return False
    more = "[" in shown or "--" in shown
    return len(given) >= len(needed) if more else len(given) in (len(needed), len(needed) - 1)


_PROGRAMS: Dict[str, Callable[[List[str]], None]] = {
    "python": _python,
    "pip": _pip,
    "bash": _script,
}


def check(command: Command) -> None:
    """Check that a command would be understood. AssertionError or UserError if not."""
    words = [word for word in command.words if word != "..."]
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):  # RUNS=3 bash ...
        words = words[1:]
    package = ours(words)
    if package:
        args = parse(package[0], package[1:])
        if args:
            check_settings(package[0], args)
    elif words[0] in _PROGRAMS:
        _PROGRAMS[words[0]](words)
    else:
        assert words[0] in FOREIGN, f"{words[0]}: say in tests/docs_commands.py how to check it"
