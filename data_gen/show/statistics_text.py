"""The statistics of a build, and its promises, as lines for a terminal."""

import textwrap
from typing import Any, Collection, Iterator, Mapping, Sequence

from data_gen.show.figures import LISTED, sections
from data_gen.show.promises import RULE, Promise

_NAME, _VALUE, _WIDTH = 30, 13, 100  # columns


def promise_lines(found: Sequence[Promise]) -> Iterator[str]:
    """Write the promised shares beside the realised ones, and the rule of what is within."""
    if not found:
        return
    kept = sum(one.is_kept for one in found)
    yield f"Promised and realised: {kept} of {len(found)} within"
    yield f"  {'':{_NAME}} {'promised':>15} {'realised':>9} {'allowed':>8}  within"
    for one in found:
        promised = f"{one.bound} {one.promised:.1%}".strip()
        verdict = "yes" if one.is_kept else "NO"
        allowed = f"±{100 * one.allowed:.1f}"
        yield f"  {one.name:{_NAME}} {promised:>15} {one.realised:>9.2%} {allowed:>8}  {verdict}"
    yield from textwrap.wrap(RULE, _WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield ""


def statistics_lines(
    statistics: Mapping[str, Any], without: Collection[str] = (), listed: int = LISTED
) -> Iterator[str]:
    """Write statistics by section, each with what it means, but for those named in `without`; of
    many names `listed`.
    """
    for number, (section, rows) in enumerate(sections(statistics, without, listed)):
        if number:
            yield ""
        yield section
        for row in rows:
            yield f"  {row.name:{_NAME}} {row.value:>{_VALUE}}  {row.meaning}".rstrip()
            # A name and its number stay on one line.
            parts = [f"{name} {value}".replace(" ", "\0") for name, value in row.parts]
            wrapped = textwrap.wrap("  ".join(parts), _WIDTH - 4, break_long_words=False)
            yield from ("    " + line.replace("\0", " ") for line in wrapped)
