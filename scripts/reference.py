"""Write the pages of docs/reference that follow from the code: settings.md and commands.md.

python scripts/reference.py docs/reference

Settings come from the dataclasses, their comments and the presets; commands from the parsers. The
same code gives the same bytes on every Python: nothing is laid out by argparse.
"""

import argparse
import ast
import dataclasses
import inspect
import itertools
import json
import os
import re
import sys
import textwrap
import typing
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

# A clone needs not be installed.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import data_gen.__main__
import pretrain.__main__
from data_gen.config import DataConfig
from data_gen.shared.errors import UserError
from data_gen.shared.settings import load_overrides
from data_gen.shared.shipped import CONFIGS, KINDS, find_shipped, setting_lines, shipped_names
from pretrain.config import TrainConfig
from pretrain.finetune.config import FinetuneSettings
from pretrain.learning.stages import StageConfig

COMMAND = "python scripts/reference.py docs/reference"
_NOTE = f"<!-- Written by `{COMMAND}`. Do not edit: change the code, then run it again. -->"
_SCHEMAS: Dict[str, Any] = {
    "data": DataConfig,
    "pretrain": TrainConfig,
    "finetune": FinetuneSettings,
}
_ABOUT_SETTINGS = """\
A preset is a YAML file of `configs/`. It begins with `base: NAME` and lists what it changes; your
own file may do the same. `--set KEY=VALUE` on the command line changes one setting more, and wins.
A setting of a group has a dot: `--set masking.selector=word`. `python -m data_gen --list` prints
names, values and sources in the terminal.

The column *base* is the value of `base.yaml`, which all presets start from. The column *source*
says why:

- `paper`: arXiv 1906.08101v3; `readme`: the README of Chinese-BERT-wwm
- `issue wwm#N`, `mac#N`: the author's answer in ymcui/Chinese-BERT-wwm or ymcui/MacBERT
- `google`: google-research/bert; `lamb`: ymcui/LAMB_Optimizer_TF
- `cmrc`, `clue`: the baselines of these tasks
- *our choice*: published nowhere"""
_ABOUT_COMMANDS = """\
`macbert-data` and `macbert-pretrain` are `python -m data_gen` and `python -m pretrain`. Each
command has `--help`. Exit codes: 0 done, 1 failed with one sentence, 2 wrong usage, 130 Ctrl-C."""


class Setting(typing.NamedTuple):
    """One setting of a dataclass: its type for people, its default there, its comment."""

    name: str  # with its groups, `masking.selector`
    form: str
    default: str
    comment: str


def settings_of(schema: Any, group: str = "") -> Iterator[Setting]:
    """Yield the settings of a dataclass and of the groups in it, in order."""
    comments = _comments(schema)
    forms = typing.get_type_hints(schema)
    for field in dataclasses.fields(schema):
        name = f"{group}{field.name}"
        if dataclasses.is_dataclass(field.type):
            yield from settings_of(field.type, f"{name}.")
        else:
            made = field.default_factory
            default = field.default if made is dataclasses.MISSING else made()
            yield Setting(name, _form(forms[field.name]), _yaml(default), comments[field.name])


def _comments(schema: Any) -> Dict[str, str]:
    """Return the comment of each field: the lines above it, then what stands behind it."""
    found: Dict[str, str] = {}
    for cls in reversed(schema.__mro__[:-1]):
        lines = textwrap.dedent(inspect.getsource(cls)).splitlines()
        for node in ast.parse("\n".join(lines)).body[0].body:  # type: ignore[attr-defined]
            if not isinstance(node, ast.AnnAssign):
                continue
            above = itertools.takewhile(
                lambda line: line.strip().startswith("#"), reversed(lines[: node.lineno - 1])
            )
            behind = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset :]
            words = [line.strip(" #") for line in [*reversed(list(above)), behind]]
            comment = re.sub(r"[;:]? ?a name in [\w.]+", "", " ".join(filter(None, words)))
            found[node.target.id] = comment  # type: ignore[union-attr]
    return found


def _form(hint: Any) -> str:
    """Name a type as a user of YAML calls it."""
    inner = typing.get_args(hint)
    if type(None) in inner:
        return f"{_form(inner[0])} or null"
    if typing.get_origin(hint) is list:
        return (
            "list of stages" if dataclasses.is_dataclass(inner[0]) else f"list of {_form(inner[0])}"
        )
    return {bool: "true or false", int: "whole number", float: "number", str: "text"}[hint]


def _yaml(value: Any) -> str:
    if isinstance(value, (bool, type(None), list)):
        return json.dumps(value, ensure_ascii=False).replace('"', "")
    return str(value)


def _choices(schema: Any, setting: Setting) -> str:
    """Ask the dataclass which names a setting may have: its error lists them."""
    if "text" not in setting.form:
        return ""
    nonsense = "[no-such]" if "list" in setting.form else "no-such"
    try:
        load_overrides(schema, [f"{setting.name}={nonsense}"])
    except UserError as error:
        found = re.search(r"must be (?:one of )?(.*), not no-such", str(error))
        return ", ".join(f"`{one}`" for one in re.split(", | or ", found.group(1))) if found else ""
    return ""


def settings_page() -> str:
    """Return settings.md."""
    lines = [
        "# Settings",
        _NOTE,
        _ABOUT_SETTINGS,
    ]
    # Stages and fine-tunings have settings of a training, which says what they mean.
    shared = {setting.name: setting.comment for setting in settings_of(TrainConfig)}
    for kind, schema in _SCHEMAS.items():
        lines += [f"## Settings of {kind}", f"For `{KINDS[kind].user}`."]
        lines += _tables(kind, schema, shared)
        if kind == "pretrain":
            lines += [
                "### A stage",
                "An entry of the list `stages`; null takes the value of the top level.",
                _table(
                    ["setting", "values", "meaning"],
                    [
                        [f"`{s.name}`", s.form, s.comment or shared[s.name]]
                        for s in settings_of(StageConfig)
                    ],
                ),
            ]
        lines += [f"## Presets of {kind}"]
        for name in shipped_names(kind):
            if name != "base":
                lines += _preset(kind, name)
    return "\n\n".join([*lines, *_models()]) + "\n"


def _tables(kind: str, schema: Any, shared: Dict[str, str]) -> List[str]:
    """Return a table for each group of settings, with a heading where there is a group."""
    base = {name: rest for name, _, rest in (x.partition(": ") for x in setting_lines(kind))}
    ordered = sorted(settings_of(schema), key=lambda setting: list(base).index(setting.name))
    lines = []
    for group, settings in itertools.groupby(ordered, lambda s: s.name.rpartition(".")[0]):
        rows = []
        for setting in settings:
            value, source = re.split(r"\s+# ", base[setting.name], maxsplit=1)
            meaning = setting.comment or shared.get(setting.name, "")
            if setting.default != value and not _same(setting.default, value):
                meaning = f"{meaning} (A file without a `base`: `{setting.default}`.)".strip()
            values = _choices(schema, setting)
            values = f"list of {values}" if values and "list" in setting.form else values
            values = values or setting.form
            rows.append([f"`{setting.name}`", f"`{value}`", values, meaning, source])
        lines += [f"### {kind}: {group}"] if group else []
        lines.append(_table(["setting", "base", "values", "meaning", "source"], rows))
    return lines


def _same(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _preset(kind: str, name: str) -> List[str]:
    """Return a preset as it is: its head as text, its values with their sources."""
    path = find_shipped(kind, name) or name
    with open(path, encoding="utf-8") as handle:
        text = handle.read().splitlines()
    head = list(itertools.takewhile(lambda line: line.startswith("#"), text))
    about = " ".join(line[2:] for line in head)
    about = re.sub(r"\s*Sources: see base.yaml[.;]?\s*(.?)", lambda x: f" {x[1].upper()}", about)
    values = "\n".join(text[len(head) :])
    return [f"### {kind}: {name}", about.strip(), f"```yaml\n{values}\n```"]


def _models() -> List[str]:
    names = shipped_names("models")
    models: List[Dict[str, Any]] = []
    for name in names:
        with open(find_shipped("models", name) or name, encoding="utf-8") as handle:
            models.append(json.load(handle))
    keys = dict.fromkeys(key for model in models for key in model)
    rows = [[f"`{key}`", *(_yaml(model.get(key)) for model in models)] for key in keys]
    return [
        "## Models",
        f"The files of `{CONFIGS}/models/`, in the form of Google's `bert_config.json`.",
        _table(["", *(f"`{name}`" for name in names)], rows),
    ]


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    return "\n".join([line(titles), f"|{'---|' * len(titles)}", *map(line, rows)])


def commands_page() -> str:
    """Return commands.md."""
    programs = [data_gen.__main__.make_parser(), pretrain.__main__.make_parser()]
    lines = [
        "# Commands",
        _NOTE,
        _ABOUT_COMMANDS,
    ]
    for program in programs:
        every = list(_commands(program))
        rows = [[f"[`{name}`](#{_anchor(program, name)})", about] for name, _, about in every]
        lines += [f"## {program.prog}", _table(["command", "what it does"], rows)]
        lines += ["Options of the program itself:", _arguments(program)]
        for name, parser, _ in every:
            lines += _command(program, name, parser)
    return "\n\n".join(lines) + "\n"


def _commands(parser: Any, above: str = "") -> Iterator[Tuple[str, Any, str]]:
    """Yield (name, parser, one line of help) of each command below a parser."""
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        about = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for name, below in action.choices.items():
            deeper = list(_commands(below, f"{above}{name} "))
            yield from deeper or [(f"{above}{name}", below, about[name])]


def _anchor(program: Any, name: str) -> str:
    return f"{program.prog.split()[-1]} {name}".replace(" ", "-")


def _command(program: Any, name: str, parser: Any) -> List[str]:
    """Return the part of one command: what it does, its arguments, its example."""
    example = textwrap.dedent((parser.epilog or "").partition("example:\n")[2])
    return [
        f"### {program.prog.split()[-1]} {name}",
        parser.description,
        f"```text\n{_usage(parser)}\n```",
        _arguments(parser),
        f"```text\n{example}\n```",
    ]


def _usage(parser: Any) -> str:
    """Return one line with what must be given; of alternatives one."""
    either = [group._group_actions for group in parser._mutually_exclusive_groups if group.required]
    words = [parser.prog]
    for action in _actions(parser):
        group = next((actions for actions in either if action in actions), [action])
        if action is group[0] and (action.required or len(group) > 1):
            spelled = " | ".join(map(_spelling, group))
            words.append(f"({spelled})" if len(group) > 1 else spelled)
    return " ".join([*words, "[options]"])


def _actions(parser: Any) -> List[Any]:
    """Return what a parser takes, but for --help: arguments without a name first, --debug last."""

    def place(action: Any) -> Tuple[bool, bool, bool]:
        return bool(action.option_strings), not action.required, action.dest == "debug"

    plain = (argparse._HelpAction, argparse._SubParsersAction)
    return sorted((a for a in parser._actions if not isinstance(a, plain)), key=place)


def _spelling(action: Any) -> str:
    """Return an argument with its value, `--input FILE [FILE ...]`."""
    value = action.metavar or (
        f"{{{','.join(map(str, action.choices))}}}" if action.choices else ""
    )
    if action.nargs == 0:
        value = ""
    elif not value:
        value = action.dest.upper()
    value = {"+": f"{value} [{value} ...]", "*": f"[{value} ...]", "?": f"[{value}]"}.get(
        action.nargs, value
    )
    return " ".join(filter(None, [", ".join(action.option_strings), value]))


def _arguments(parser: Any) -> str:
    rows = []
    for action in _actions(parser):
        about = (action.help or "") % {**vars(action), "prog": parser.prog}
        if action.default not in (None, False, [], argparse.SUPPRESS) and "default" not in about:
            about = f"{about} (default: {action.default})".strip()
        rows.append([f"`{_spelling(action)}`", "yes" if action.required else "", about])
    return _table(["argument", "required", "meaning"], rows)


PAGES: Dict[str, Callable[[], str]] = {"settings.md": settings_page, "commands.md": commands_page}


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Write the pages into a folder."""
    parser = argparse.ArgumentParser(description="Write the pages that follow from the code.")
    parser.add_argument("folder", help="docs/reference")
    folder = parser.parse_args(argv).folder
    for name, page in PAGES.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as handle:
            handle.write(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
