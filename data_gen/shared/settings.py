"""Settings from YAML files and `--set`, for both command lines; errors that a user can act on.

Python 3.7 syntax: `pretrain` imports this module on TensorFlow 1.15.
"""

import dataclasses
import difflib
import os
from typing import Any, List, Sequence, Tuple, Type, TypeVar

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

from data_gen.shared.errors import UserError

T = TypeVar("T")


def load_settings(schema: Type[T], path: str, overrides: Sequence[str] = ()) -> T:
    """Read a YAML file as the dataclass `schema`, then apply `key.sub=value` overrides.

    A file that begins with `base: NAME` changes the settings of that file, which lies beside it:
    groups are merged, lists replaced. Raises UserError where a file cannot be read, a key is
    unknown (the nearest known one is named) or a value is of the wrong type or out of range (the
    dataclass's own ValueError).
    """
    return _merged(schema, _read_with_bases(path), overrides)


def _read_with_bases(path: str, above: Sequence[str] = ()) -> List[Tuple[str, DictConfig]]:
    """Read a file and what it is based on: (path, values) of each, the lowest base first."""
    values = _read_values(path)
    name = values.pop("base", None)
    if name is None:
        return [(path, values)]
    base = _path_of_base(path, name)
    chain = [*above, path]
    if os.path.realpath(base) in map(os.path.realpath, chain):
        raise UserError(f"the bases of settings form a circle: {' -> '.join([*chain, base])}")
    return [*_read_with_bases(base, chain), (path, values)]


def _path_of_base(path: str, name: object) -> str:
    folder = os.path.dirname(path)
    for candidate in (os.path.join(folder, f"{name}.yaml"), os.path.join(folder, str(name))):
        if os.path.isfile(candidate):
            return candidate
    known = sorted(found[:-5] for found in os.listdir(folder or ".") if found.endswith(".yaml"))
    near = difflib.get_close_matches(str(name), known, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise UserError(f"{path}: there is no base {name} in the folder {folder or '.'}{hint}")


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
    return values


def _merged(
    schema: Type[T], files: Sequence[Tuple[str, DictConfig]], overrides: Sequence[str]
) -> T:
    """Apply the values of files, then the overrides; an error names where its value stands."""
    merged: Any = OmegaConf.structured(schema)
    _unlock(merged)
    try:
        for path, values in files:
            source = path
            merged = OmegaConf.merge(merged, values)
        source = "--set"
        merged = OmegaConf.merge(merged, OmegaConf.from_dotlist(list(overrides)))
        source = "the settings"
        result: T = OmegaConf.to_object(merged)  # type: ignore[assignment]
    except ConfigKeyError as error:
        raise UserError(f"{source}: {_unknown_key(error)}") from error
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


def _unknown_key(error: ConfigKeyError) -> str:
    unknown = str(error.key)
    known = []
    if dataclasses.is_dataclass(error.object_type):
        known = [field.name for field in dataclasses.fields(error.object_type)]
    near = difflib.get_close_matches(unknown, known, n=1, cutoff=0.0)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"there is no setting {error.full_key}{hint}"


def require_one_of(setting: str, value: str, known: Sequence[str]) -> None:
    """Raise ValueError, naming what is known, where `value` is none of it."""
    if value not in known:
        raise ValueError(f"{setting} must be one of {', '.join(known)}, not {value}")
