"""Examples of a build as one HTML file that needs nothing else: `data_gen show --html`.

The page is whole without JavaScript. With it, page.js chooses among its examples, and language.js
between English and Chinese.
"""

import os
from html import escape
from typing import Any, Iterable, Iterator, List, Mapping, Sequence, Tuple

import data_gen.shared
from data_gen.shared.dataset.dataset_info import DatasetInfo
from data_gen.shared.errors import UserError
from data_gen.show.bilingual import attributes, both
from data_gen.show.figures import Row, sections
from data_gen.show.marks import MarkedText
from data_gen.show.promises import RULE, Promise, promises
from data_gen.show.readable import ReadableExample
from data_gen.storage.writing import atomic_file

# What a page starts with; a file that starts otherwise is not ours to write over.
_START = '<!DOCTYPE html>\n<meta name="generator" content="data_gen show">\n'
_LOOK = os.path.join(os.path.dirname(data_gen.shared.__file__), "web")
_WEB = os.path.join(os.path.dirname(__file__), "web")
_LONGEST = 5  # pieces in a row that have a choice of their own; more are one choice

Legend = Sequence[Tuple[MarkedText, str]]


def require_new_page(path: str) -> None:
    """Raise UserError where `path` is a file but no page of ours, which would be lost."""
    if os.path.exists(path):
        with open(path, "rb") as handle:
            if handle.read(len(_START)) != _START.encode():
                raise UserError(f"{path} is another file: choose another --html")


def write_page(
    path: str, info: DatasetInfo, legend: Legend, examples: Iterable[ReadableExample]
) -> int:
    """Write the page whole or not at all; returns how many examples it shows."""
    shown = list(examples)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with atomic_file(path) as handle:
        for part in (
            *(_head(info, len(shown)), _shares(promises(info)), _numbers(info)),
            *(_controls(legend), *(_example(info, one) for one in shown), _end()),
        ):
            handle.write("\n".join(part).encode() + b"\n")
    return len(shown)


def _head(info: DatasetInfo, count: int) -> Iterator[str]:
    name = escape(os.path.basename(os.path.normpath(info.folder)))
    title = "Training examples, as the model reads them"
    style = _read(_LOOK, "look.css") + _read(_WEB, "page.css")
    yield f'{_START}<html lang="en">\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<link rel="icon" href="data:,">'
    yield f"<title>{name} · {title}</title>\n<style>\n{style}</style>\n<main>\n<header>"
    yield f"<h1>{both(title)}</h1>"
    yield '<button type="button" class="language">'
    yield '<span class="en" lang="zh-Hans">中文</span><span class="zh" lang="en">English</span>'
    yield "</button>\n</header>"
    yield f'<p class="soft"><b>{name}</b> · '
    yield both("{} examples of up to {} pieces", f"{info.examples:,}", info.max_seq_length) + " · "
    yield both("{} of them here", f"{count:,}") + "</p>"
    yield f'<p class="soft facts">{_items(_settings(info.manifest))}</p>'
    yield '<div class="columns">\n<aside>'


def _read(folder: str, name: str) -> str:
    with open(os.path.join(folder, name), encoding="utf-8") as handle:
        return handle.read()


def _settings(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Name the settings that decide most of what is seen here."""
    config = manifest["config"]
    masking = config.get("masking") or {}
    for name, value in (
        ("masking.selector", masking.get("selector")),
        ("masking.corruption", masking.get("corruption")),
        ("pair_task", config.get("pair_task")),
        ("segmenter", manifest.get("segmenter")),
        ("random_seed", config.get("random_seed")),
    ):
        if value is not None:
            yield f"{name}: {value}"


def _items(texts: Iterable[str]) -> str:
    return "".join(f"<span>{escape(text)}</span>" for text in texts)


def _shares(found: Sequence[Promise]) -> Iterator[str]:
    if not found:
        return
    kept = sum(one.is_kept for one in found)
    verdict = both("{} of {} within", kept, len(found))
    state = "yes" if kept == len(found) else "no"
    yield f"<details open>\n<summary><h2>{both('Promised and realised')}</h2>"
    yield f'<span class="verdict {state}">{verdict}</span></summary>'
    promise = "The recipe promises shares; this is what the build made of them."
    yield f'<p class="soft">{both(promise)}</p>\n<ul class="shares">'
    meanings = [""] + [one.meaning for one in found]
    for one, before in zip(found, meanings):
        yield from _share(one, one.meaning != before)
    yield f'</ul>\n<p class="soft">{both(RULE)}</p>\n</details>'


def _share(one: Promise, explained: bool) -> Iterator[str]:
    """Write a share: its name, bar and numbers; the same explanation is given once."""
    state = "yes" if one.is_kept else "no"
    verdict = both("within" if one.is_kept else "not within")
    yield f'<li><b>{both(one.name)}</b><span class="verdict {state}">{verdict}</span>'
    if explained:
        yield f'<span class="soft">{both(one.meaning)}</span>'
    # The realised share is the bar, the promised one a line across it.
    width, at = (f"{min(share, 1):.2%}" for share in (one.realised, one.promised))
    yield f'<i class="bar"><i style="width:{width}"></i><i style="left:{at}"></i></i>'
    allowed = f"±{100 * one.allowed:.1f}"
    yield '<span class="soft both">'
    yield f"<span>{both('promised')} <b>{_BOUNDS[one.bound]}{one.promised:.1%}</b> {allowed}</span>"
    yield f"<span>{both('realised')} <b>{one.realised:.2%}</b></span></span></li>"


_BOUNDS = {"": "", "at most": "≤ ", "at least": "≥ "}


def _numbers(info: DatasetInfo) -> Iterator[str]:
    promised = {one.figure for one in promises(info)}
    yield f"<details open>\n<summary><h2>{both('In numbers')}</h2></summary>"
    for section, rows in sections(info.statistics, without=promised):
        yield f"<h3>{both(section)}</h3>\n<dl>"
        for row in rows:
            yield from _number(row)
        yield "</dl>"
    more = "All of it for programs: data_gen stats --json"
    yield f'<p class="soft">{both(more)}</p>\n</details>\n</aside>'


def _number(row: Row) -> Iterator[str]:
    yield f"<div><dt>{both(row.name)}</dt>"
    if row.parts:
        yield '<dd class="parts">'
        yield "".join(f"<span>{both(name)} <b>{value}</b></span>" for name, value in row.parts)
        yield "</dd>"
    else:
        yield f"<dd><b>{row.value}</b></dd>"
    if row.meaning:
        yield f'<dd class="soft">{both(row.meaning)}</dd>'
    yield "</div>"


def _controls(legend: Legend) -> Iterator[str]:
    yield f'<section id="examples">\n<h2>{both("Examples")}</h2>'
    yield '<ul class="legend">'
    yield from (f"<li>{_marked(marked, True)} {both(meaning)}</li>" for marked, meaning in legend)
    yield "</ul>"
    small = (
        "Small letters above are the original. A line within a mark divides two pieces; the "
        "records do not say which pieces are one word."
    )
    yield f'<p class="soft">{both(small)}</p>'
    kinds = [("", "all"), *((marked.kind, marked.kind) for marked, _ in legend)]
    sizes = [("", "any"), *((str(n), str(n)) for n in range(1, _LONGEST))]
    sizes.append((f"{_LONGEST}+", f"{_LONGEST}+"))
    yield '<form class="tools" hidden>\n<div class="find">'
    yield f'<label for="find">{both("Find")}</label>'
    yield f'<input type="search" id="find" {attributes("placeholder", "a word, e.g. 语言")}>'
    yield f'<button type="button" id="random">{both("Random one")}</button></div>'
    yield from _choices("kind", "Marks", kinds)
    yield from _choices("pieces", "Pieces in a row", sizes)
    yield '<p id="count" class="soft" role="status"></p>\n</form>'
    nothing = "Nothing here fits. Other examples: data_gen show --find"
    yield f'<p id="nothing" hidden>{both(nothing)}</p>'


def _choices(name: str, title: str, choices: List[Tuple[str, str]]) -> Iterator[str]:
    yield f"<fieldset><legend>{both(title)}</legend>"
    for value, text in choices:
        checked = "" if value else " checked"
        field = f'<input type="radio" name="{name}" value="{value}"{checked}>'
        yield f"<label>{field}<span>{both(text)}</span></label>"
    yield "</fieldset>"


def _example(info: DatasetInfo, shown: ReadableExample) -> Iterator[str]:
    name = both("example {} of {}", f"{shown.number:,}", f"{info.examples:,}")
    yield f'<article tabindex="-1">\n<h3>{name}</h3>'
    yield '<p class="soft facts">'
    if shown.label:
        yield f'<span class="label">{both(shown.label)}</span>'
    share = f"{shown.masked / max(shown.length, 1):.1%}"
    yield f"<span>{both('{} of {} pieces', shown.length, info.max_seq_length)}</span>"
    yield f"<span>{both('{} masked ({})', shown.masked, share)}</span>"
    yield f"<span>{escape(shown.shard)} #{shown.place}</span></p>"
    for name, text in shown.segments:
        runs = "".join(map(_marked, text))
        yield f'<p class="segment" lang="zh"><b>{escape(name)}</b><span>{runs}</span></p>'
    yield "</article>"


def _marked(marked: MarkedText, translated: bool = False) -> str:
    """Write a text piece by piece as the model sees it, with the original above it where that
    differs.
    """
    if marked.kind == "text":
        return escape(marked.original)
    write = both if translated else escape
    cells = []
    for old, new in marked.pieces or ((marked.original, marked.shown),):
        gap = ' class="gap"' if old.startswith(" ") else ""
        if marked.kind == "kept":
            cells.append(f"<u{gap}>{write(old.strip())}</u>")
            continue
        base = "<span>MASK</span>" if marked.kind == "mask" else write(new.strip())
        cells.append(f"<ruby{gap}>{base}<rt>{write(old.strip())}</rt></ruby>")
    return f'<span class="run {marked.kind}">{"".join(cells)}</span>'


def _end() -> Iterator[str]:
    yield "</section>\n</div>\n</main>"
    for script in (_read(_LOOK, "language.js"), _read(_WEB, "page.js")):
        yield f"<script>\n{script}</script>"
    yield "</html>"
