"""JSON that may be damaged or hostile: parsed, and read field by field, so that every mistake is
one sentence with the file and the field.

Python 3.7 syntax: `pretrain` reads its files by it on TensorFlow 1.15.
"""

import json
import math
from typing import Any, Dict, List, Union

from data_gen.shared.errors import UserError

_SHOWN = 40  # characters of a wrong value in a message


def parse_json(text: Union[str, bytes]) -> Any:
    """Parse JSON. Raises ValueError, saying why, where it is not UTF-8, no JSON, nested too deeply
    for Python's stack, or holds NaN or infinity, which are no JSON.
    """
    try:
        whole = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(whole, parse_constant=_finite, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start + 1} is not UTF-8") from error
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"it holds the number {text[:_SHOWN]}")
    return value


def read_fields(path: str, text: Union[str, bytes], advice: str) -> "Fields":
    """Parse a file that holds one JSON object.

    advice: the end of each error, e.g. "build it again"
    Raises UserError if it holds none.
    """
    try:
        return Fields(path, parse_json(text), advice)
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}): {advice}") from error


class Fields:
    """The fields of a JSON object of a file. Each method returns one of them, and raises UserError
    where it is missing or not of the kind that the method is for.
    """

    def __init__(self, path: str, values: Any, advice: str, name: str = "") -> None:
        self._path, self._advice, self._name = path, advice, name
        if not isinstance(values, dict):
            raise self.error("", "must be an object of named fields", values)
        self.values: Dict[str, Any] = values

    def __contains__(self, name: str) -> bool:
        """Return True if the field is there and not null."""
        return self.values.get(name) is not None

    def error(self, name: str, problem: str, value: Any) -> UserError:
        """Return the error for a field's value."""
        full = ".".join(part for part in (self._name, name) if part) or "its content"
        shown = json.dumps(value, ensure_ascii=False, default=str)
        shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."
        return UserError(f"{self._path}: {full} {problem}, not {shown}: {self._advice}")

    def any(self, name: str) -> Any:
        """Return a field of any kind."""
        if name not in self.values:
            full = ".".join(part for part in (self._name, name) if part)
            raise UserError(f"{self._path}: {full} is missing: {self._advice}")
        return self.values[name]

    def whole(self, name: str, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`."""
        value = self.any(name)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        raise self.error(name, f"must be a whole number from {least:,} to {most:,}", value)

    def text(self, name: str) -> str:
        """Return a text that is not empty."""
        value = self.any(name)
        if isinstance(value, str) and value:
            return value
        raise self.error(name, "must be a text", value)

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self.any(name)
        if isinstance(value, bool):
            return value
        raise self.error(name, "must be true or false", value)

    def file_name(self, name: str) -> str:
        """Return the name of a file that lies beside this one: no path leads out of the folder."""
        value = self.text(name)
        if value in (".", "..") or any(sign in value for sign in "/\\\0"):
            raise self.error(name, "must be the name of a file in the same folder", value)
        return value

    def sha256(self, name: str) -> str:
        """Return a checksum of 64 hexadecimal digits."""
        value = self.any(name)
        if isinstance(value, str) and len(value) == 64 and not set(value) - set("0123456789abcdef"):
            return value
        raise self.error(name, "must be a sha256 of 64 hexadecimal digits", value)

    def group(self, name: str) -> "Fields":
        """Return an object, to be read by its own fields."""
        return Fields(self._path, self.any(name), self._advice, self._full(name))

    def groups(self, name: str) -> List["Fields"]:
        """Return the objects of a list."""
        return [
            Fields(self._path, value, self._advice, self._full(f"{name}[{i}]"))
            for i, value in enumerate(self.list(name))
        ]

    def list(self, name: str) -> List[Any]:
        """Return a list of anything."""
        value = self.any(name)
        if isinstance(value, list):
            return value
        raise self.error(name, "must be a list", value)

    def wholes(self, name: str, least: int, most: int) -> List[int]:
        """Return a list of whole numbers from `least` to `most`."""
        values = self.list(name)
        for i, value in enumerate(values):
            if type(value) is not int or not least <= value <= most:
                problem = f"must be a whole number from {least:,} to {most:,}"
                raise self.error(f"{name}[{i}]", problem, value)
        return values

    def _full(self, name: str) -> str:
        return f"{self._name}.{name}" if self._name else name
