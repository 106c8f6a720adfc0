"""Examples of a build as one HTML file that needs nothing else: `data_gen show --html`."""

import os
from html import escape
from typing import Any, Dict, Iterable, Iterator, Mapping, Tuple

from data_gen.shared.dataset.dataset_info import DatasetInfo
from data_gen.shared.errors import UserError
from data_gen.show.readable import LEGEND, MarkedText, ReadableExample
from data_gen.storage.writing import atomic_file

# What a page starts with; a file that starts otherwise is not ours to write over.
_START = '<!DOCTYPE html>\n<meta name="generator" content="data_gen show">\n'


def require_new_page(path: str) -> None:
    """Raise UserError where `path` is a file but no page of ours, which would be lost."""
    if os.path.exists(path):
        with open(path, "rb") as handle:
            if handle.read(len(_START)) != _START.encode():
                raise UserError(f"{path} is another file: choose another --html")


def write_page(path: str, info: DatasetInfo, examples: Iterable[ReadableExample]) -> int:
    """Write the page whole or not at all; returns how many examples it shows."""
    count = 0
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with atomic_file(path) as handle:
        handle.write("\n".join(_head(info)).encode())
        for shown in examples:
            handle.write("\n".join(_example(shown)).encode())
            count += 1
        handle.write(b"</main>\n</html>\n")
    return count


def _head(info: DatasetInfo) -> Iterator[str]:
    statistics, title = info.statistics, escape(info.folder)
    yield f'{_START}<html lang="zh">\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title>\n<style>{_STYLE}</style>\n<main>\n<h1>{title}</h1>"
    yield f"<p class=facts>{_items(_settings(info.manifest))}</p>"
    yield "<dl class=numbers>"
    for name, value in _numbers(statistics):
        yield f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
    yield "</dl>\n<div class=charts>"
    for title, name in (("N-grams by words", "ngrams"), ("What was put there", "kinds_by_piece")):
        yield from _chart(title, statistics.get(name, {}))
    yield "</div>"
    yield '<p class=legend lang="en">'
    yield from (f"<span>{_marked(marked)} {escape(meaning)}</span>" for marked, meaning in LEGEND)
    yield "</p>\n"


def _settings(manifest: Mapping[str, Any]) -> Iterator[str]:
    config = manifest["config"]
    masking = config.get("masking", {})
    yield f"{config['max_seq_length']} pieces"
    for name, value in (
        ("selector", masking.get("selector")),
        ("corruption", masking.get("corruption")),
        ("pairs", config.get("pair_task")),
        ("segmenter", manifest.get("segmenter")),
        ("seed", config.get("random_seed")),
    ):
        yield f"{name} {value}"


_COUNTS = ("documents", "sentences", "words", "pieces", "instances")
_SHARES = ("pieces_kept", "fill", "masked", "words_with_similar", "unknown_pieces", "label_1")


def _numbers(statistics: Mapping[str, Any]) -> Iterator[Tuple[str, str]]:
    """List the main statistics; one that a build has no use for, such as labels without a pair
    task, is 0 and left out.
    """
    for names, form in ((_COUNTS, ","), (_SHARES, ".1%")):
        for name in names:
            if statistics.get(name):
                yield name.replace("_", " "), format(statistics[name], form)


def _chart(title: str, shares: Dict[str, float]) -> Iterator[str]:
    """Draw horizontal bars, one a share above 0."""
    shares = {name: share for name, share in shares.items() if share}
    if not shares:
        return
    yield f"<figure><figcaption>{escape(title)}</figcaption><table>"
    for name, share in shares.items():
        bar = f'<i style="width:{share:.1%}"></i>'
        yield f"<tr><th>{escape(name)}</th><td>{bar}</td><td>{share:.1%}</td></tr>"
    yield "</table></figure>"


def _example(shown: ReadableExample) -> Iterator[str]:
    yield f"<article>\n<h2>{escape(shown.title)}</h2>"
    yield f"<p class=facts>{_items(shown.facts)}</p>"
    for name, text in shown.segments:
        yield f"<p class=segment><b>{escape(name)}</b>{''.join(map(_marked, text))}</p>"
    yield "</article>\n"


def _items(texts: Iterable[str]) -> str:
    return "".join(f"<span>{escape(text)}</span>" for text in texts)


def _marked(marked: MarkedText) -> str:
    """Write the text that the model sees, with the original above it where that differs."""
    if marked.kind == "text":
        return escape(marked.original)
    if marked.kind == "kept":
        return f"<u class=kept>{escape(marked.original)}</u>"
    base = "MASK" if marked.kind == "mask" else marked.shown
    return f"<ruby class={marked.kind}>{escape(base)}<rt>{escape(marked.original)}</rt></ruby>"


_STYLE = """
:root { color-scheme: light dark; --back: #fafaf7; --card: #fff; --line: #e3e1da; --ink: #24231f;
  --soft: #6f6d64; --mask: #ffdf8a; --mask-ink: #5c4300; --new: #0a7a43; --new-back: #dff5e8;
  --old: #b3352b; --kept: #1d63b8; --bar: #8fa9c9; }
@media (prefers-color-scheme: dark) {
  :root { --back: #191a1c; --card: #222427; --line: #373a3f; --ink: #e6e4de; --soft: #9b9a93;
    --mask: #6b5310; --mask-ink: #ffe9ad; --new: #7fdcab; --new-back: #173d2a;
    --old: #f0938a; --kept: #8cbcf5; --bar: #4d6a90; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 16px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
main { max-width: 54rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 0; }
.facts { display: flex; flex-wrap: wrap; gap: 0 1.1rem; margin: 0; color: var(--soft);
  font-size: .85rem; font-variant-numeric: tabular-nums; }
.numbers { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); gap: .6rem;
  margin: 1.25rem 0; }
.numbers div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .5rem .7rem; }
dt { color: var(--soft); font-size: .75rem; white-space: nowrap; }
dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: .6rem; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .6rem .75rem; }
figcaption { font-size: .8rem; color: var(--soft); }
table { width: 100%; border-spacing: 0 .15rem; font-size: .85rem; }
th { font-weight: normal; text-align: left; width: 4.5rem; }
td:last-child { width: 3.5rem; text-align: right; font-variant-numeric: tabular-nums; }
td i { display: block; height: .7rem; min-width: 1px; border-radius: .2rem;
  background: var(--bar); }
.legend { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; align-items: end;
  gap: 0 1.75rem; margin: 1.25rem 0 .5rem; padding: .25rem 0 .35rem; background: var(--back);
  border-bottom: 1px solid var(--line); line-height: 2; }
article { margin: 1rem 0 0; padding: .9rem 1.1rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .6rem; }
.segment { margin: .5rem 0 0; padding-left: 1.75rem; position: relative; font-size: 1.1rem;
  line-height: 2.2; overflow-wrap: anywhere; }
.segment b { position: absolute; left: 0; color: var(--soft); font-weight: 600; }
ruby { border-radius: .25rem; padding: 0 .2rem; margin: 0 .08rem; ruby-align: center; }
rt { font-size: 12px; line-height: 1.25; user-select: text; letter-spacing: 0; }
.mask { background: var(--mask); color: var(--mask-ink); font-size: .75em; letter-spacing: .04em; }
.mask rt { color: var(--ink); }
.replaced { background: var(--new-back); color: var(--new); }
.replaced rt { color: var(--old); }
.kept { color: var(--kept); text-decoration-thickness: 2px; text-underline-offset: .25em; }
"""
