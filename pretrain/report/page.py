"""A report as one HTML file that needs nothing else, and its curves as a picture."""

import json
import os
from html import escape
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from data_gen.shared.errors import UserError, writing
from data_gen.shared.outputs import delete, partial_name
from pretrain.report.charts import Chart
from pretrain.report.facts import Data, Row
from pretrain.report.numbers import text
from pretrain.report.report import Report
from pretrain.report.runs import Run
from pretrain.report.svg import AXES, colour, draw, legend, picture
from pretrain.results.layout import Table

_WEB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "web")
# Files of ours begin so; another one is not ours to write over.
_HTML = '<!DOCTYPE html>\n<meta name="generator" content="pretrain report">\n'
_SVG = "<!-- pretrain report -->\n"
_SHORT = 18  # characters of a value in one line
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def require_ours(path: str) -> None:
    """Raise UserError where `path` is a folder, or a file that no report has written."""
    if os.path.isdir(path) or not os.path.basename(path):
        raise UserError(f"{path} is a folder: name a file in it")
    if os.path.exists(path):
        with open(path, "rb") as handle:
            if not handle.read(100).startswith((_HTML.encode(), _SVG.encode())):
                raise UserError(f"{path} is another file: choose another name")


def write_page(path: str, report: Report) -> None:
    """Write the page whole or not at all."""
    _write(path, "\n".join(_page(report)) + "\n")


def write_picture(path: str, report: Report) -> None:
    """Write the losses and the accuracies as one SVG. Raises UserError if there is none."""
    shown = [chart for chart in report.charts if chart.group.pictured] or report.charts[:1]
    if not shown:
        raise UserError("there is no loss and no accuracy to draw: give the output of `train`")
    _write(path, _SVG + picture(shown, report.runs, _read("chart.css")))


def _write(path: str, content: str) -> None:
    with writing(path):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        partial = partial_name(path)
        try:
            with open(partial, "w", encoding="utf-8", newline="\n") as handle:
                handle.write(content)
            os.replace(partial, path)
        finally:
            delete(partial)


def _read(name: str) -> str:
    with open(os.path.join(_WEB, name), encoding="utf-8") as handle:
        return handle.read()


def _page(report: Report) -> Iterator[str]:
    title = escape(report.title)
    yield f'{_HTML}<html lang="en">\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<title>{title}</title>\n<link rel="icon" href="data:,">'
    yield f"<style>\n{_read('chart.css')}{_read('page.css')}</style>"
    yield f"<main>\n<h1>{title}</h1>"
    yield from _notes(report.notes)
    if len(report.runs) > 1:
        yield from _controls(report)
    if len(report.runs) == 1:
        for rows in (report.course, report.figures):
            yield from _numbers([(row.name, row.values[0]) for row in rows])
        if report.figures:
            yield '<p class="soft">first figure → last figure</p>'
    data: List[Dict[str, Any]] = []
    for section in dict.fromkeys(chart.group.section for chart in report.charts):
        charts = [chart for chart in report.charts if chart.group.section == section]
        yield f'<section><h2>{escape(section)}</h2>\n<div class="charts">'
        for chart in charts:
            yield from _figure(chart, report.runs, data)
        yield "</div></section>"
    if len(report.runs) > 1:
        yield from _rows("First and last figures", [*report.course, *report.figures], report.runs)
    yield from _finetunings(report)
    yield from _settings(report)
    yield from _data_sets(report.data, len(report.runs) > 1)
    yield '<div id="tip" role="status" hidden></div>\n</main>'
    yield f'<script type="application/json" id="data">{_json(data)}</script>'
    yield f"<script>\n{_read('page.js')}</script>\n</html>"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _notes(notes: Sequence[str]) -> Iterator[str]:
    if notes:
        yield '<ul class="notes">'
        yield from (f"<li>{escape(note)}</li>" for note in notes)
        yield "</ul>"


def _controls(report: Report) -> Iterator[str]:
    """Let the reader hide runs, and choose the horizontal axis."""
    yield '<form class="controls" id="controls"><fieldset><legend>runs</legend>'
    for number, run in enumerate(report.runs):
        yield (
            f'<label class="run {colour(number)}"><input type="checkbox" name="r{number}" checked>'
            f"<span>{escape(run.name)}</span></label>"
        )
    yield "</fieldset>"
    if _axes(report.runs)[1:]:
        yield "<fieldset><legend>over</legend>"
        for name, (title, _) in AXES.items():
            checked = " checked" if name == "steps" else ""
            yield (
                f'<label><input type="radio" name="axis" value="{name}"{checked}>'
                f"<span>{escape(title)}</span></label>"
            )
        yield "</fieldset>"
    yield "</form>"


def _axes(runs: Sequence[Run]) -> List[str]:
    """Return the horizontal axes that tell the runs apart: pieces, where a step is not always as
    many.
    """
    per_step = {stage.tokens for run in runs for stage in run.stages}
    known = None not in per_step and all(run.stages for run in runs)
    return list(AXES) if known and len(per_step) > 1 else list(AXES)[:1]


def _numbers(facts: Sequence[Tuple[str, str]]) -> Iterator[str]:
    yield '<dl class="numbers">'
    for name, value in facts:
        yield f'<div><dt>{escape(name)}</dt><dd class="{_long(value)}">{escape(value)}</dd></div>'
    yield "</dl>"


def _long(value: str) -> str:
    return " long" if len(value) > _SHORT else ""


def _rows(title: str, rows: Sequence[Row], runs: Sequence[Run]) -> Iterator[str]:
    """Write rows as a table with a column for each run."""
    yield f"<section><h2>{title}</h2>"
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{title}"><table>'
    heads = "".join(
        f'<th scope="col" class="r{number}"><i class="{colour(number)}"></i>{escape(run.name)}</th>'
        for number, run in enumerate(runs)
    )
    yield f"<thead><tr><td></td>{heads}</tr></thead><tbody>"
    for row in rows:
        cells = "".join(
            f'<td class="r{number}{_long(value)}">{escape(value) or "–"}</td>'
            for number, value in enumerate(row.values)
        )
        name = escape(row.name).replace("_", "_<wbr>")
        yield f'<tr><th scope="row">{name}</th>{cells}</tr>'
    yield "</tbody></table></div></section>"


def _figure(chart: Chart, runs: Sequence[Run], data: List[Dict[str, Any]]) -> Iterator[str]:
    """Draw a chart, and add what page.js shows of it to `data`."""
    label = escape(f"{chart.title}; arrow keys read the values")
    yield f"<figure><figcaption>{escape(chart.title)}</figcaption>"
    if chart.group.meaning:
        yield f'<p class="meaning">{escape(chart.group.meaning)}</p>'
    alone = len(runs) == 1
    names = legend(chart, alone)
    if names:
        yield '<p class="legend">'
        for name, number, heldout in names:
            own = colour(number) if number >= 0 else "plain"
            dashed = " heldout" if heldout else ""
            yield (
                f'<span><svg class="swatch" viewBox="0 0 18 4" aria-hidden="true">'
                f'<path class="line {own}{dashed}" d="M1 2h16"/></svg>{escape(name)}</span>'
            )
        yield "</p>"
    for axis in _axes(runs):
        drawn = draw(
            chart,
            runs,
            axis,
            f'data-chart="{len(data)}" tabindex="0" role="img" aria-label="{label}"',
        )
        yield f'<div class="over-{axis}">{drawn.svg}</div>'
        curves = []
        for curve, points in zip(chart.curves, drawn.points):
            name = " ".join(filter(None, ("" if alone else runs[curve.run].name, curve.label)))
            part = ("held-out" if curve.heldout else "training") if chart.has_both else ""
            curves.append(
                {
                    "name": " ".join(filter(None, (name, part))) or chart.title,
                    "run": f"r{curve.run}",
                    "colour": colour(curve.colour),
                    "points": [
                        [
                            round(drawn.x(x), 1),
                            None if one.mean is None else round(drawn.y(one.mean), 1),
                            f"{one.step:,}",
                            "no number" if one.mean is None else text(one.mean, chart.share),
                        ]
                        for x, one in points
                    ],
                }
            )
        data.append({"curves": curves})
    yield "</figure>"


def _finetunings(report: Report) -> Iterator[str]:
    if report.finetunings:
        yield "<section><h2>Fine-tuning</h2>"
        yield from (line for table in report.finetunings for line in _table(table))
        yield from (f"<p>{escape(sentence)}</p>" for sentence in report.sentences)
        yield "</section>"


def _table(table: Table) -> Iterator[str]:
    yield '<div class="wide" tabindex="0" role="region" aria-label="Fine-tuning"><table><thead><tr>'
    yield from (f'<th scope="col">{escape(cell)}</th>' for cell in table.header)
    yield "</tr></thead><tbody>"
    for first, *cells in table.rows:
        others = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        yield f'<tr><th scope="row">{escape(first)}</th>{others}</tr>'
    yield "</tbody></table></div>"
    yield from (f'<p class="soft">{escape(note)}</p>' for note in table.notes)


def _settings(report: Report) -> Iterator[str]:
    if report.differ:
        yield from _rows("Settings that differ", report.differ, report.runs)
    if report.common:
        several = len(report.runs) > 1
        title = "Settings in common" if several else "Settings"
        yield f'<details><summary>{title}</summary><dl class="pairs">'
        for row in report.common:
            yield f"<div><dt>{escape(row.name)}</dt><dd>{escape(row.values[0])}</dd></div>"
        yield "</dl></details>"


def _data_sets(every: Sequence[Data], several: bool) -> Iterator[str]:
    if every:
        yield "<section><h2>Data</h2>"
    for data in every:
        if several or len(every) > 1:
            yield f"<h3>{escape(data.name)}</h3>"
        yield from _numbers(data.facts)
        yield '<div class="charts">'
        for title, shares in data.shares:
            yield f'<figure><figcaption>{escape(title)}</figcaption><table class="bars">'
            for name, share in shares.items():
                width = f"{min(max(share, 0.0), 1.0):.1%}"
                bar = f'<i style="width:{width}"></i>'
                value = text(share, share=True)
                yield f"<tr><th>{escape(name)}</th><td>{bar}</td><td>{value}</td></tr>"
            yield "</table></figure>"
        yield "</div>"
    if every:
        yield "</section>"
