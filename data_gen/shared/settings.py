"""Settings from YAML files and `--set`, for both command lines; errors that a user can act on.

Python 3.7 syntax: `pretrain` imports this module on TensorFlow 1.15.
"""

import dataclasses
import json
import os
import re
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypeVar,
)

import yaml
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

from data_gen.shared.errors import UserError, did_you_mean
from data_gen.shared.shipped import (
    KINDS,
    find_file,
    find_shipped,
    portable_name,
    setting_names,
    shipped_names,
)

T = TypeVar("T")
_FILE = "file"  # in a field's metadata: the kind of the shipped files that it may name, or ""
_ANY_NAME = "any name"  # and: what is no file is a name for somebody else


def file_setting(default: Any, kind: str = "", any_name: bool = False) -> Any:
    """Make the field of a setting that names a file, or a list of them.

    kind: of the shipped files that it may name (`shipped.KINDS`)
    any_name: it may also be a name that is no file, such as the id of a model on a hub
    """
    metadata = {_FILE: kind, _ANY_NAME: any_name}
    if isinstance(default, list):
        return dataclasses.field(default_factory=lambda: list(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def load_settings(schema: Type[T], path: str, overrides: Sequence[str] = ()) -> T:
    """Read a YAML file, or a preset by its name, as the dataclass `schema`, then apply
    `key.sub=value` overrides.

    A file that begins with `base: NAME` changes the settings of that file, which lies beside it or
    is a preset: groups are merged, lists replaced. A file that is named in a file lies beside it or
    is a shipped one; one that is named by an override, in the current folder. Raises UserError
    where a file cannot be read, a key is unknown (the nearest known one is named) or a value is of
    the wrong type or out of range (the dataclass's own ValueError).
    """
    kind = getattr(schema, "PRESETS", "")
    found = find_file(kind, path) if kind else path
    return _merged(schema, _read_with_bases(found, kind), overrides)


def load_overrides(schema: Type[T], overrides: Sequence[str]) -> T:
    """Apply `key.sub=value` overrides to the defaults of a dataclass. Raises UserError as
    `load_settings` does.
    """
    return _merged(schema, [], overrides)


def recorded_settings(schema: Type[T], values: Mapping[str, Any], source: str) -> T:
    """Read a group of settings as a build recorded it, names of `schema` that it lacks by default.

    Raises UserError, beginning with `source`, for a value that the settings could not have had.
    """
    merged: Any = OmegaConf.structured(schema)
    _unlock(merged)
    try:
        merged = OmegaConf.unsafe_merge(
            merged, {name: values[name] for name in merged if name in values}
        )
        result: T = OmegaConf.to_object(merged)  # type: ignore[assignment]
    except (OmegaConfBaseException, TypeError, ValueError) as error:
        raise UserError(f"{source}: {str(error).splitlines()[0]}") from error
    return result


def portable_settings(settings: Any) -> Dict[str, Any]:
    """Return settings as a dict to store: files that are shipped by their names, which are the same
    on every machine.
    """

    def portable(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: portable(one) for name, one in value.items()}
        return portable_name(value) if isinstance(value, str) else value

    stored: Dict[str, Any] = portable(dataclasses.asdict(settings))
    return stored


def _read_with_bases(
    path: str, kind: str, above: Sequence[str] = ()
) -> List[Tuple[str, DictConfig]]:
    """Read a file and what it is based on: (path, values) of each, the lowest base first."""
    values = _read_values(path)
    name = values.pop("base", None)
    if name is None:
        return [(path, values)]
    base = _path_of_base(path, name, kind)
    chain = [*above, path]
    if os.path.realpath(base) in map(os.path.realpath, chain):
        raise UserError(f"the bases of settings form a circle: {' -> '.join([*chain, base])}")
    return [*_read_with_bases(base, kind, chain), (path, values)]


def _path_of_base(path: str, name: object, kind: str) -> str:
    folder = os.path.dirname(path)
    beside = [os.path.join(folder, f"{name}.yaml"), os.path.join(folder, str(name))]
    # A preset of one's own may have the name of the shipped one that it starts from.
    found = [one for one in beside if os.path.isfile(one) and not _same(one, path)]
    shipped = find_shipped(kind, str(name)) if kind else None
    found += [shipped] if shipped else [one for one in beside if os.path.isfile(one)]
    if found:
        return found[0]
    known = sorted(found[:-5] for found in os.listdir(folder or ".") if found.endswith(".yaml"))
    presets = shipped_names(kind) if kind else []
    raise UserError(
        f"{path}: there is no base {name} in the folder {folder or '.'}"
        + (f" or among the presets of {kind}" if kind else "")
        + did_you_mean(str(name), [*known, *presets])
    )


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _read_values(path: str) -> DictConfig:
    try:
        with open(path, encoding="utf-8") as handle:
            text = handle.read()
        values: Any = OmegaConf.create(text)
    except OSError as error:
        raise UserError(f"cannot read the settings {path}: {error.strerror}") from error
    except RecursionError as error:
        raise UserError(f"{path} is nested too deeply for settings") from error
    except (UnicodeDecodeError, yaml.YAMLError, OmegaConfBaseException) as error:
        raise UserError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    except AssertionError:  # OmegaConf's answer to a file that holds one bare value
        values = None
    if not isinstance(values, DictConfig):
        raise UserError(f"{path} holds no settings, which are `name: value` lines")
    _require_plain(values, path)
    return values


def _require_plain(values: Any, source: str) -> None:
    """Raise UserError for what OmegaConf would replace: nothing of the environment or of other
    settings belongs into what describes a run.
    """
    for name, value in _leaves(OmegaConf.to_container(values, resolve=False)):
        if isinstance(value, str) and ("${" in value or value == "???"):
            raise UserError(f"{source}: {name} is {value}: write the value itself")


def _leaves(value: Any, name: str = "") -> Iterator[Tuple[str, Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one, name)
    else:
        yield name, value


def _place_files(schema: Any, values: Any, place: Callable[[str, str, bool], str]) -> None:
    """Replace the files that values name by `place(name, kind, any_name)`."""
    for field in dataclasses.fields(schema):
        value = OmegaConf.select(values, field.name)
        if dataclasses.is_dataclass(field.type) and isinstance(value, DictConfig):
            _place_files(field.type, value, place)
        elif _FILE in field.metadata and isinstance(value, (str, ListConfig)):
            how = field.metadata[_FILE], field.metadata[_ANY_NAME]
            if isinstance(value, str):
                values[field.name] = place(value, *how)
            else:
                values[field.name] = [place(x, *how) if isinstance(x, str) else x for x in value]


def _beside(path: str) -> Callable[[str, str, bool], str]:
    """Return the rule for names in the file `path`."""

    def place(name: str, kind: str, any_name: bool) -> str:
        beside = os.path.join(os.path.dirname(path), name)
        shipped = find_shipped(kind, name) if kind else None
        if not name or "://" in name or os.path.exists(beside):
            return name if "://" in name else beside
        return shipped or (name if any_name else beside)

    return place


def _on_command_line(name: str, kind: str, any_name: bool) -> str:
    """Return the file that a name on the command line, or a default, stands for."""
    shipped = find_shipped(kind, name) if kind and not os.path.exists(name) else None
    return shipped or name


def _merged(
    schema: Type[T], files: Sequence[Tuple[str, DictConfig]], overrides: Sequence[str]
) -> T:
    """Apply the values of files, then the overrides; an error names where its value stands."""
    merged: Any = OmegaConf.structured(schema)
    _unlock(merged)
    _place_files(schema, merged, _on_command_line)
    source = "--set"
    try:
        given = OmegaConf.from_dotlist(list(overrides))
        _require_plain(given, source)
        _place_files(schema, given, _on_command_line)
        for source, values in files:
            _place_files(schema, values, _beside(source))
            merged = OmegaConf.unsafe_merge(merged, values)
        source = "--set"
        merged = OmegaConf.unsafe_merge(merged, given)
        source = "the settings"
        result: T = OmegaConf.to_object(merged)  # type: ignore[assignment]
    except ConfigKeyError as error:
        raise UserError(f"{source}: {_unknown_key(schema, error)}") from error
    except OmegaConfBaseException as error:
        where = f"{error.full_key}: " if error.full_key else ""
        raise UserError(f"{source}: {where}{_reason(error)}") from error
    except (TypeError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"{source}: {' '.join(str(error).split())}") from error
    return result


def _reason(error: OmegaConfBaseException) -> str:
    text = str(error).splitlines()[0]
    if "is not a ListConfig" in text:
        return "this is a list: give it as [one, another]"
    if "is not a subclass of" in text:
        return "a group of settings got one value: set one of the group, as in group.name=value"
    return text


def _unlock(settings: DictConfig) -> None:
    """Open the nodes of frozen dataclasses, which are read-only, for merging."""
    OmegaConf.set_readonly(settings, False)
    for key in settings:
        if isinstance(settings._get_node(key), DictConfig):
            _unlock(settings[key])


def _unknown_key(schema: Any, error: ConfigKeyError) -> str:
    unknown, full = str(error.key), str(error.full_key)
    known = []
    if dataclasses.is_dataclass(error.object_type):
        known = [field.name for field in dataclasses.fields(error.object_type)]
    kind: Optional[str] = getattr(schema, "PRESETS", None)
    hint = did_you_mean(unknown, known, 0.85) or _elsewhere(full, kind)
    hint = hint or did_you_mean(unknown, known, 0)
    return f"there is no setting {full}{hint}"


def _elsewhere(setting: str, kind: Optional[str]) -> str:
    """Say which group, or which other command's settings, have one of this name."""
    if kind is None:
        return ""
    within = [name for name in setting_names(kind) if name.endswith(f".{setting}")]
    if within:
        return f"; did you mean {' or '.join(within)}?"
    for other in ("data", "pretrain", "finetune"):
        if other != kind and setting in setting_names(other):
            return f"; it is one of `{KINDS[other].user}`"
    return ""


def require_one_of(setting: str, value: str, known: Sequence[str]) -> None:
    """Raise ValueError, naming what is known, where `value` is none of it."""
    if value not in known:
        near = did_you_mean(value, known)
        raise ValueError(f"{setting} must be one of {', '.join(known)}, not {value}{near}")


_MOST_NAMED = 5  # differences
_SHORT = 40  # characters of a value


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """Name what `ours` has otherwise than `theirs`, settings with both values; empty if nothing.

    Both are what JSON makes of settings and of the checksums of what they were applied to.

    >>> differences({"config": {"seed": 1, "length": 128}}, {"config": {"seed": 1, "length": 512}})
    'length is 512 there, 128 here'
    """
    mine, other = dict(_values(json.loads(json.dumps(ours)))), dict(_values(theirs))
    names = [name for name, value in mine.items() if other.get(name) != value]
    named = [_difference(name, mine[name], other.get(name)) for name in names[:_MOST_NAMED]]
    if len(names) > _MOST_NAMED:
        named.append(f"{len(names) - _MOST_NAMED} more")
    return ", ".join(named)


def _values(group: Any, above: str = "") -> Iterator[Tuple[str, Any]]:
    for name, value in group.items():
        full = name if above in ("", "config", "settings") else f"{above}.{name}"
        if isinstance(value, dict):
            yield from _values(value, full)
        else:
            yield full, value


def _difference(name: str, ours: Any, theirs: Any) -> str:
    here, there = (json.dumps(value, ensure_ascii=False) for value in (ours, theirs))
    checksum = name.endswith("sha256") or re.search(r"[0-9a-f]{16}", here + there)
    if checksum or max(len(here), len(there)) > _SHORT:
        return f"{re.sub('_sha256$', '', name)} differs"
    return f"{name} is {there} there, {here} here"
