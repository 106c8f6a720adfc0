"""The field of a record that holds the document."""

import json
from typing import Any, Iterable, List, Mapping

_SHOWN = 8  # names of fields in a message


def names_of(record: Mapping[str, Any], start: str = "") -> List[str]:
    """Return the names of all fields, those of nested records dotted."""
    names: List[str] = []
    for name, value in record.items():
        names += names_of(value, f"{start}{name}.") if isinstance(value, dict) else [start + name]
    return names


def missing(field: str, names: Iterable[str]) -> str:
    """Return the sentence for a field that is not there."""
    names = list(names)
    more = ", ..." if len(names) > _SHOWN else ""
    has = ", ".join(names[:_SHOWN]) + more if names else "no fields at all"
    return f'has no field "{field}" (it has {has}): name it with corpus.field'


def text_of(record: Any, field: str) -> str:
    """Return the document that a record holds. Raises ValueError, with a sentence for people."""
    if not isinstance(record, dict):
        raise ValueError(missing(field, []))
    value: Any = record
    if field in record:
        value = record[field]
    else:
        for name in field.split("."):
            if not isinstance(value, dict) or name not in value:
                raise ValueError(missing(field, names_of(record)))
            value = value[name]
    if not isinstance(value, str):
        raise ValueError(
            f'has {json.dumps(value)[:20]} in the field "{field}", which must be a string: '
            "name another one with corpus.field or leave the line out"
        )
    if not value.isascii() and not _encodable(value):
        raise ValueError(
            f'has half a character (an unpaired \\ud800-\\udfff) in the field "{field}": '
            "write the file anew with whole ones"
        )
    return value


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
