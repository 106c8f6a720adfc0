"""The files that come with the packages: presets, models, the vocabulary.

A clone and an editable install have them in `configs`, beside the packages; a wheel carries them as
`data_gen/configs`. Settings and commands name them `configs/models/base.json`, or `base`.
"""

import itertools
import json
import os
import re
import subprocess
import textwrap
from typing import Dict, Iterator, List, NamedTuple, Optional

import data_gen
from data_gen.shared.errors import UserError, did_you_mean

CONFIGS = "configs"
_PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Kind(NamedTuple):
    """A kind of shipped files, a folder of `configs`."""

    suffix: str
    user: str  # who takes one of them


KINDS: Dict[str, Kind] = {
    "data": Kind(".yaml", "python -m data_gen COMMAND --config"),
    "pretrain": Kind(".yaml", "python -m pretrain train --config"),
    "finetune": Kind(".yaml", "python -m pretrain finetune --config"),
    "models": Kind(".json", "python -m pretrain bench --model, and bert_config_file"),
    "vocab": Kind(".txt", "vocab_file"),
}


def configs_folder() -> str:
    """Return the folder of the shipped files."""
    within = os.path.join(_PACKAGES, "data_gen", CONFIGS)
    return within if os.path.isdir(within) else os.path.join(_PACKAGES, CONFIGS)


def shipped_file(name: str) -> Optional[str]:
    """Find a shipped file by its name `configs/...`; None if it is none."""
    first, _, rest = name.replace(os.sep, "/").partition("/")
    path = os.path.join(configs_folder(), *rest.split("/"))
    return path if first == CONFIGS and ".." not in rest and os.path.isfile(path) else None


def portable_name(path: str) -> str:
    """Return the name `configs/...` of a shipped file, which is the same on every machine; any
    other path as it is.
    """
    folder = configs_folder()
    if not path.startswith(folder + os.sep):
        return path
    return "/".join([CONFIGS, *path[len(folder) + 1 :].split(os.sep)])


def shipped_names(kind: str) -> List[str]:
    """List the names of the shipped files of a kind, without their suffix."""
    suffix = KINDS[kind].suffix
    try:
        found = os.listdir(os.path.join(configs_folder(), kind))
    except OSError as error:
        raise UserError(
            f"{configs_folder()} is missing, which is a part of this project: install it again"
        ) from error
    return sorted(name[: -len(suffix)] for name in found if name.endswith(suffix))


def find_shipped(kind: str, name: str) -> Optional[str]:
    """Find a shipped file of a kind by its bare name, or by its name `configs/...`."""
    if name in shipped_names(kind):
        return os.path.join(configs_folder(), kind, name + KINDS[kind].suffix)
    return shipped_file(name)


def find_file(kind: str, name: str) -> str:
    """Find a file that a command line names: a file of the user's, or a shipped one.

    Raises UserError if there is none, with the nearest names, also of other kinds.
    """
    if os.path.isfile(name):
        return name
    found = find_shipped(kind, name)
    if found:
        return found
    if os.path.isdir(name):
        raise UserError(f"{name} is a folder: give a file of it")
    bare = os.path.basename(name)
    bare = bare[: -len(KINDS[kind].suffix)] if bare.endswith(KINDS[kind].suffix) else bare
    ours = shipped_names(kind)
    others = [other for other in KINDS if other != kind and bare in shipped_names(other)]
    hint = did_you_mean(bare, ours)
    if others and bare not in ours:
        hint = f"; {bare} is for `{KINDS[others[0]].user}`"
    what = "preset" if KINDS[kind].suffix == ".yaml" else "model"
    raise UserError(
        f"there is no file {name}, and no {what} of that name"
        + (hint or f": `--list` names the {what}s")
    )


def listing() -> Iterator[str]:
    """Yield the lines of `--list`: every shipped file with its first line, and every setting."""
    for kind, (suffix, user) in KINDS.items():
        yield f"{kind}: {user}"
        for name in shipped_names(kind):
            yield f"  {name:24} {_title(os.path.join(configs_folder(), kind, name + suffix))}"
        yield ""
    for kind in ("data", "pretrain", "finetune"):
        yield f"settings of {kind}, with the values of `base` and their sources: --set KEY=VALUE"
        yield from (f"  {line}" for line in setting_lines(kind))
        yield ""
    yield "`python -m data_gen COMMAND --help` and `python -m pretrain COMMAND --help` say the rest"


def _title(path: str) -> str:
    """Return the first sentence of a preset's head, or the size of a model."""
    with open(path, encoding="utf-8") as handle:
        if path.endswith(".json"):
            model = json.load(handle)
            return f"{model['num_hidden_layers']} layers x {model['hidden_size']}"
        head = itertools.takewhile(lambda line: line.startswith("# "), handle)
        text = " ".join(line[2:].strip() for line in head)
    first = re.split(r"(?<=[\w)?])[.]? (?=Sources: )|(?<=[\w)])\. ", text)[0]
    return textwrap.shorten(first, 110, placeholder=" ...")


def setting_lines(kind: str) -> Iterator[str]:
    """Yield `group.name: value  # source` of every setting of a kind, from its base.yaml."""
    group: List[str] = []
    with open(os.path.join(configs_folder(), kind, "base.yaml"), encoding="utf-8") as handle:
        for line in handle:
            found = re.match(r"( *)(\w+):( *)(.*)", line)
            if not found:
                continue
            depth = len(found.group(1)) // 2
            group = [*group[:depth], found.group(2)]
            if found.group(4) and not found.group(4).startswith("#"):
                yield f"{'.'.join(group)}: {found.group(4)}"


def setting_names(kind: str) -> List[str]:
    """List the settings of a kind, `group.name`."""
    return [line.partition(":")[0] for line in setting_lines(kind)]


def project_folder() -> Optional[str]:
    """Return the root of the clone that this code lies in; None where it is installed."""
    try:
        with open(os.path.join(_PACKAGES, "setup.cfg"), encoding="utf-8") as handle:
            ours = re.search(r"^name = macbert-pretraining$", handle.read(), re.MULTILINE)
    except OSError:
        return None
    return _PACKAGES if ours else None


def revision() -> str:
    """Return the commit of this code, with `+` if files differ from it; outside a clone of its own
    the version. The repository that an environment happens to lie in is not the code's.
    """
    folder = project_folder()
    if folder is None or not os.path.exists(os.path.join(folder, ".git")):
        return data_gen.__version__
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"]
    try:
        found = subprocess.run(  # noqa: S603 # nothing in it is a user's
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return data_gen.__version__
    return found.stdout.decode().strip()
