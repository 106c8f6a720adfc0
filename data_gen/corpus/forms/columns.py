"""The column of a table of Apache Arrow that holds the documents."""

from typing import Any, Dict, List

from data_gen.corpus.forms.fields import missing
from data_gen.corpus.forms.form import FormatError, document_lines
from data_gen.shared.extras import import_extra

_TEXTS = ("string", "large_string", "string_view")
_BATCH = 1 << 18  # bytes of text, about


def pyarrow(path: str) -> Any:
    """Return the package pyarrow, for a file. Raises UserError if it is not installed."""
    return import_extra("pyarrow", "parquet", path)


def require_text(schema: Any, field: str) -> None:
    """Raise FormatError if a schema has no such column, or one that is no text."""
    arrow = pyarrow("a table")
    found = _types(schema)
    if field not in found:
        raise FormatError("the table", missing(field, found))
    kind = found[field]
    if arrow.types.is_dictionary(kind):
        kind = kind.value_type
    if str(kind) not in _TEXTS:
        raise FormatError(
            "the table",
            f'has {kind} in the column "{field}", which must be strings: name another one with '
            "corpus.field",
        )


def _types(fields: Any, start: str = "") -> Dict[str, Any]:
    """Return the types of all columns by name, those of nested ones dotted."""
    arrow = pyarrow("a table")
    found: Dict[str, Any] = {}
    for field in fields:
        if arrow.types.is_struct(field.type):
            inner = [field.type.field(i) for i in range(field.type.num_fields)]
            found.update(_types(inner, f"{start}{field.name}."))
        else:
            found.setdefault(start + field.name, field.type)
    return found


def texts_of(batch: Any, field: str) -> List[Any]:
    """Return the texts of a column of a batch of rows; None where there is none."""
    if field in batch.schema.names:
        return list(batch.column(field).to_pylist())
    first, *rest = field.split(".")
    rows = batch.column(first).to_pylist()
    for name in rest:
        rows = [row and row[name] for row in rows]
    return list(rows)


def lines_of(texts: List[Any]) -> List[str]:
    """Return the lines of documents; rows without text have none."""
    lines: List[str] = []
    for text in texts:
        if text:
            lines += document_lines(text)
    return lines


def rows_at_once(rows: int, size: int) -> int:
    """Return the rows to read at once, of a table of so many bytes of text."""
    return max(1, min(4096, _BATCH * rows // max(1, size)))
