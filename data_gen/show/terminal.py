"""Examples as coloured text for a terminal."""

from typing import Iterable, Iterator, Sequence, Tuple

from data_gen.shared.dataset.dataset_info import DatasetInfo
from data_gen.show.marks import MarkedText
from data_gen.show.readable import ReadableExample

# Writers for a terminal and for plain text.

_BOLD, _DIM, _RESET = "\033[1m", "\033[2m", "\033[0m"
_MASK_STYLE = "\033[30;43m"  # black on yellow
_OLD_STYLE = "\033[9;31m"  # red, struck through
_NEW_STYLE = "\033[32m"  # green
_KEPT_STYLE = "\033[4;36m"  # cyan, underlined


def plain(marked: MarkedText) -> str:
    """Write text with its mark in brackets."""
    if marked.kind == "mask":
        return f"[{marked.original}→MASK]"
    if marked.kind == "replaced":
        return f"[{marked.original}→{marked.shown}]"
    return f"[={marked.original}]" if marked.kind == "kept" else marked.original


def coloured(marked: MarkedText) -> str:
    """Write text with its mark as a colour of a terminal (ANSI)."""
    if marked.kind == "mask":
        return f"{_MASK_STYLE}{marked.original}{_RESET}"
    if marked.kind == "replaced":
        return f"{_OLD_STYLE}{marked.original}{_RESET}→{_NEW_STYLE}{marked.shown}{_RESET}"
    return f"{_KEPT_STYLE}{marked.original}{_RESET}" if marked.kind == "kept" else marked.original


def text_lines(
    info: DatasetInfo,
    examples: Iterable[ReadableExample],
    legend: Sequence[Tuple[MarkedText, str]],
    colour: bool,
) -> Iterator[str]:
    """Write the lines that a terminal shows: the legend, then each example after a blank line."""
    write = coloured if colour else plain
    bold, dim, reset = (_BOLD, _DIM, _RESET) if colour else ("", "", "")
    for i, shown in enumerate(examples):  # without one, its error is all that is said
        if i == 0:
            yield "   ".join(f"{write(marked)} {meaning}" for marked, meaning in legend)
        yield ""
        title = f"example {shown.number:,} of {info.examples:,}"
        yield f"{bold}{title}{reset}{dim} · {' · '.join(_facts(info, shown))}{reset}"
        for name, text in shown.segments:
            yield f"{bold}{name}{reset} {''.join(map(write, text))}"


def _facts(info: DatasetInfo, shown: ReadableExample) -> Iterator[str]:
    yield f"{shown.shard} #{shown.place}"
    yield f"{shown.length} of {info.max_seq_length} pieces"
    yield f"{shown.masked} masked ({shown.masked / max(shown.length, 1):.1%})"
    if shown.label:
        yield shown.label
