"""Tables in files whose names do not say so: most of all .txt with tabs."""

import csv
import re
from typing import List, Optional

_NAME = re.compile(r"[A-Za-z_][\w .-]*", re.ASCII)  # of a column
_LEAST_ROWS = 2  # behind the first line: less may be chance
_MOST_ROWS = 200


def form_of_table(text: str) -> Optional[str]:
    r"""Return the form of a table, "tsv" or "csv"; "" for one whose first line names no columns;
    None for what is none.

    All its lines have as many cells as the first. A tab seldom stands in a text, a comma often:
    where commas part the cells, the first line must be names.

    >>> form_of_table("label\ttext\n1\t好。\n0\t坏。\n")
    'tsv'
    """
    lines = [line for line in text.splitlines()[:_MOST_ROWS] if line.strip()]
    if len(lines) <= _LEAST_ROWS:
        return None
    whole = lines if text.endswith("\n") or len(lines) == _MOST_ROWS else lines[:-1]
    if _are_rows([line.split("\t") for line in lines[:1] + whole[1:]]):
        return "tsv" if _are_names(lines[0].split("\t")) else ""
    if _are_names(lines[0].split(",")) and _are_rows(_parsed(whole)):
        return "csv"
    return None


def _are_rows(rows: List[List[str]]) -> bool:
    cells = len(rows[0]) if rows else 0
    return (
        cells > 1
        and len(rows) > _LEAST_ROWS
        and all(len(row) == cells and row[0].strip() and any(row[1:]) for row in rows)
    )


def _are_names(cells: List[str]) -> bool:
    return len(cells) > 1 and all(_NAME.fullmatch(cell.strip()) for cell in cells)


def _parsed(lines: List[str]) -> List[List[str]]:
    try:
        return list(csv.reader(lines, strict=True))
    except csv.Error:
        return []
