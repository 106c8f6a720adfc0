"""The rows of a data set's file, each with its place: TSV, CSV, JSON lines or a JSON array.

Python 3.7 syntax; packed files need what `data_gen` needs.
"""

import csv
import json
import os
from typing import Any, Callable, Collection, Dict, Iterator, List, Mapping, NamedTuple, Tuple

from data_gen.shared.errors import UserError
from data_gen.shared.extras import needs_extra

PACKINGS = (".gz", ".bz2", ".xz", ".zst")
Names = Tuple[str, ...]


class Row(NamedTuple):
    """One example of a file."""

    place: str  # "line 7"; in a JSON array "entry 7"; from 1
    values: Dict[str, Any]  # by the name of the column or field, in small letters


def read_rows(
    path: str, headings: Collection[str], without_header: Mapping[int, Names]
) -> List[Row]:
    """Read all rows of a file; its suffix says of which kind it is.

    The first line of a TSV or CSV file names the columns if one of its cells is in `headings`.
    Otherwise it is a row, and `without_header` names the columns by their number.

    Raises UserError, with the line, where a file is not of its kind.
    """
    name = path[: -len(_packing(path))] if _packing(path) else path
    suffix = os.path.splitext(name)[1].lower()
    text = read_text(path)
    if suffix == ".json" or suffix == ".jsonl":
        return list(_json_rows(text, path))
    if suffix not in _TABLES:
        known = ", ".join([*_TABLES, ".json", ".jsonl"])
        raise UserError(f"{path} ends in none of {known}: rename it to what it is")
    table = _TABLES[suffix]
    return list(_named(list(table.lines(text, path)), headings, without_header, path, table))


def read_text(path: str) -> str:
    """Read a UTF-8 file, packed or not, with or without a byte-order mark.

    Raises UserError if it cannot be read or is not UTF-8.
    """
    data = _unpacked(path) if _packing(path) else _bytes(path)
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path}, line {line} is not UTF-8: convert the file, e.g. with iconv -f gb18030 "
            "-t utf-8"
        ) from error


def _packing(path: str) -> str:
    suffix = os.path.splitext(path)[1]
    return suffix if suffix in PACKINGS else ""


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as handle:
            return handle.read()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error


def _unpacked(path: str) -> bytes:
    with needs_extra("data", f"{path}, unless you unpack it,"):
        from data_gen.storage.errors import reading
        from data_gen.storage.reading import open_text
    with open_text(path) as handle, reading(path):
        return handle.read()


Line = Tuple[int, List[str]]  # the number of the line that a row begins in, from 1; its cells


def _tsv_lines(text: str, path: str) -> Iterator[Line]:
    # Only \n and \r\n end a line: str.splitlines would cut texts at U+2028, U+0085 and others.
    for number, line in enumerate(_without_blank_end(text).split("\n"), start=1):
        yield number, (line[:-1] if line.endswith("\r") else line).split("\t")


def _csv_lines(text: str, path: str) -> Iterator[Line]:
    lines = (line + "\n" for line in _without_blank_end(text).split("\n"))
    reader = csv.reader(lines, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UserError(
                f"{path}, line {number} is not CSV: a field that holds quotes or ends of lines "
                'stands between quotes, and quotes in it are doubled ("")'
            ) from error
        yield number, cells


def _without_blank_end(text: str) -> str:
    return text.rstrip("\r\n")


class _Table(NamedTuple):
    """A kind of file with rows and columns."""

    lines: Callable[[str, str], Iterator[Line]]
    between: str  # the mark between two columns
    advice: str  # where a row has too many columns


_TSV = _Table(_tsv_lines, "\t", "a tab within a text must be a space")
_CSV = _Table(_csv_lines, ",", "a text with a comma stands between quotes")
_TABLES = {".tsv": _TSV, ".txt": _TSV, ".csv": _CSV}


def _named(
    lines: List[Line],
    headings: Collection[str],
    without_header: Mapping[int, Names],
    path: str,
    table: _Table,
) -> Iterator[Row]:
    """Yield the rows with the names of their columns."""
    if not any(any(cells) for _, cells in lines):
        return
    number, cells = lines[0]
    names = tuple(cell.strip().lower() for cell in cells)
    if set(names) & set(headings):
        lines = lines[1:]
    elif len(cells) in without_header:
        names = without_header[len(cells)]
    else:
        most = table.between.join(without_header[max(without_header)])
        raise UserError(
            f"{path} has {len(cells)} columns without names: write a first line that names them, "
            f"such as {most!r}"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f'{path}, line {number} names two columns "{twice[0]}": name them apart')
    for number, cells in lines:
        if len(cells) != len(names):
            raise UserError(
                f"{path}, line {number} has {len(cells)} columns, where the lines before have "
                f"{len(names)}: {table.advice}"
            )
        yield Row(f"line {number}", dict(zip(names, cells)))


def _json_rows(text: str, path: str) -> Iterator[Row]:
    if text.lstrip().startswith("["):
        for number, entry in enumerate(parse_json(text, path), start=1):
            yield _json_row(entry, f"entry {number}", path)
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _json_row(parse_json(line, path, number), f"line {number}", path)


def parse_json(text: str, path: str, line: int = 1) -> Any:
    """Parse JSON that begins in a line of a file. Raises UserError, with the line."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        at, reason = line - 1 + getattr(error, "lineno", 1), getattr(error, "msg", error)
        raise UserError(
            f"{path}, line {at} is not JSON ({reason}): is the file whole, and of the form that "
            "the task has?"
        ) from error


def _json_row(entry: Any, place: str, path: str) -> Row:
    if not isinstance(entry, dict):
        raise UserError(
            f'{path}, {place} is not an object such as {{"text": "...", "label": "..."}}'
        )
    return Row(place, {name.strip().lower(): value for name, value in entry.items()})
