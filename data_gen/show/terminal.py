"""Examples as coloured text for a terminal."""

from typing import Iterator

from data_gen.show.readable import LEGEND, MarkedText, ReadableExample

# Writers for a terminal and for plain text.

_BOLD, _DIM, _RESET = "\033[1m", "\033[2m", "\033[0m"
_MASK_STYLE = "\033[30;43m"  # black on yellow
_OLD_STYLE = "\033[9;31m"  # red, struck through
_NEW_STYLE = "\033[32m"  # green
_KEPT_STYLE = "\033[4;36m"  # cyan, underlined


def plain(run: MarkedText) -> str:
    """A run as text with brackets."""
    if run.kind == "mask":
        return f"[{run.original}→MASK]"
    if run.kind == "replaced":
        return f"[{run.original}→{run.shown}]"
    return f"[={run.original}]" if run.kind == "kept" else run.original


def coloured(run: MarkedText) -> str:
    """A run in the colours of a terminal (ANSI)."""
    if run.kind == "mask":
        return f"{_MASK_STYLE}{run.original}{_RESET}"
    if run.kind == "replaced":
        return f"{_OLD_STYLE}{run.original}{_RESET}→{_NEW_STYLE}{run.shown}{_RESET}"
    return f"{_KEPT_STYLE}{run.original}{_RESET}" if run.kind == "kept" else run.original


def text_lines(examples: Iterator[ReadableExample], colour: bool) -> Iterator[str]:
    """The lines that a terminal shows: the legend, then each example after a blank line."""
    write = coloured if colour else plain
    bold, dim, reset = (_BOLD, _DIM, _RESET) if colour else ("", "", "")
    yield "   ".join(f"{write(run)} {meaning}" for run, meaning in LEGEND)
    for shown in examples:
        yield ""
        yield f"{bold}{shown.title}{reset}{dim} · {' · '.join(shown.facts)}{reset}"
        for name, runs in shown.segments:
            yield f"{bold}{name}{reset} {''.join(map(write, runs))}"
