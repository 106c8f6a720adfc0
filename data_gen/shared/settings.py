"""What both command lines share: settings from YAML and `--set`, and errors that a user can act on.

Python 3.7 syntax: `pretrain` imports this module on TensorFlow 1.15. Of `data_gen` it takes this
and `features`, no more.
"""

import dataclasses
import difflib
from typing import Any, Sequence, Type, TypeVar

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

from data_gen.shared.errors import UserError

T = TypeVar("T")


def load_settings(schema: Type[T], path: str, overrides: Sequence[str] = ()) -> T:
    """Read a YAML file as the dataclass `schema`, then apply `key.sub=value` overrides.

    Raises UserError where the file cannot be read, a key is unknown (the nearest known one is
    named) or a value is of the wrong type or out of range (the dataclass's own ValueError).
    """
    try:
        with open(path, encoding="utf-8") as handle:
            text = handle.read()
        values: Any = OmegaConf.create(text)
    except OSError as error:
        raise UserError(f"cannot read the settings {path}: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError, OmegaConfBaseException) as error:
        raise UserError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    except AssertionError:  # OmegaConf's answer to a file that holds one bare value
        values = None
    if not isinstance(values, DictConfig):
        raise UserError(f"{path} holds no settings, which are `name: value` lines")
    return _merged(schema, values, overrides, path)


def _merged(schema: Type[T], values: DictConfig, overrides: Sequence[str], source: str) -> T:
    settings = OmegaConf.structured(schema)
    _unlock(settings)
    try:
        merged = OmegaConf.merge(settings, values)
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
    """Frozen dataclasses become read-only nodes; merging needs them open."""
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
