"""A report as text for a terminal."""

import textwrap
from typing import Sequence

from pretrain.report.facts import Data, Row
from pretrain.report.numbers import text
from pretrain.report.report import Report
from pretrain.report.runs import Run
from pretrain.results.layout import Table, as_text

_WIDTH = 100  # columns


def as_lines(report: Report) -> str:
    """Write the runs side by side, a column each."""
    parts = []
    if report.runs:
        parts.append(_table("", [*report.course, *report.figures], report.runs))
    if report.differ:
        parts.append(_table("settings that differ", report.differ, report.runs))
    parts += map(_data, report.data)
    parts += map(as_text, report.finetunings)
    if report.sentences:
        parts.append("\n".join(report.sentences))
    if report.notes:
        parts.append("\n".join(f"note: {line}" for line in report.notes))
    return "\n\n".join(parts)


def _table(title: str, rows: Sequence[Row], runs: Sequence[Run]) -> str:
    cells = tuple((row.name, *(value or "-" for value in row.values)) for row in rows)
    return as_text(Table((title, *(run.name for run in runs)), cells))


def _data(data: Data) -> str:
    facts = ", ".join(f"{name.lower()} {value}" for name, value in data.facts)
    lines = [f"data of {data.name}", textwrap.fill(facts, _WIDTH)]
    for title, shares in data.shares:
        every = "  ".join(f"{name} {text(value, share=True)}" for name, value in shares.items())
        lines.append(f"{title}: {every}")
    return "\n".join(lines)
