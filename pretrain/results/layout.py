"""Tables as Markdown or as text in columns; Chinese characters are two columns wide."""

import unicodedata
from typing import List, NamedTuple, Tuple


class Table(NamedTuple):
    """Cells as text, and lines that stand below the table."""

    header: Tuple[str, ...]
    rows: Tuple[Tuple[str, ...], ...]
    notes: Tuple[str, ...] = ()


def width(text: str) -> int:
    """Count the columns of a text on a terminal."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def as_text(table: Table) -> str:
    """Lay a table out in columns: the first to the left, the others to the right."""
    lines = [table.header, *table.rows]
    widths = [max(width(line[place]) for line in lines) for place in range(len(table.header))]
    return _with_notes(["  ".join(_padded(line, widths)).rstrip() for line in lines], table)


def as_markdown(table: Table) -> str:
    """Write a table in Markdown: names to the left, scores in the middle."""
    rule = (":---", *(":---:" for _ in table.header[1:]))
    lines = [table.header, rule, *table.rows]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return _with_notes([f"| {' | '.join(line)} |" for line in cells], table, "\n\n")


def _padded(line: Tuple[str, ...], widths: List[int]) -> List[str]:
    blanks = [" " * (most - width(cell)) for cell, most in zip(line, widths)]
    return [line[0] + blanks[0], *(b + cell for b, cell in zip(blanks[1:], line[1:]))]


def _with_notes(lines: List[str], table: Table, between: str = "\n") -> str:
    text = "\n".join(lines)
    return f"{text}\n\n{between.join(table.notes)}" if table.notes else text
