"""Sizes of lines, and the signs of text that was wrapped at a width."""

import re
from collections import Counter
from itertools import islice
from typing import Iterable, Iterator, List, Mapping, Tuple

# Of a line: columns (a Chinese character is two of them), characters, bytes of UTF-8.
Sizes = Tuple[int, int, int]
CJK_SIZES: Sizes = (2, 1, 3)

_TOLERANCE: Sizes = (3, 1, 3)  # between full lines: what found no more room

_EXCEED = 0.1  # of the lines may be longer than full ones

_SAMPLE = 200  # lines of a block
_MOST = 10_000  # lines of a text
_ENOUGH = 20  # full lines
_FULL = 0.3, 0.97  # their least and greatest share of all: paragraphs have short last lines
_LATIN: Sizes = (10, 1, 3)  # tolerance where words are not cut
_NARROW, _WIDE = 24, 400  # columns: what is narrower is verse or a list, what is wider is cut off
_PROSE = re.compile(r"[，。！？；：、…]|[,.;:!?] ")  # as text has within its lines


def sizes_of(text: str) -> Sizes:
    """Return the sizes of a text; columns are exact for ASCII and Chinese, near for others.

    >>> sizes_of("BERT 模型")
    (9, 7, 11)
    """
    # Many times as fast as to ask for each character's width.
    size, encoded = len(text), len(text.encode("utf-8", "replace"))
    return (size + encoded) // 2, size, encoded


def right_edge(lines: Mapping[Sizes, int], tolerance: Sizes = _TOLERANCE) -> Tuple[int, int]:
    """Find the measure, an index of `Sizes`, in which most lines have nearly one size that next to
    none exceeds, and the commonest size of these.

    lines: how many there are of which sizes; at least one
    """
    edges = []
    for measure, most in enumerate(tolerance):
        counts: Counter[int] = Counter()
        for sizes, number in lines.items():
            counts[sizes[measure]] += number
        around = {
            size: sum(counts[near] for near in range(size - most, size + 1))
            for size in _largest(counts)
        }
        widest = max(around, key=lambda size: (around[size], size))
        near = range(widest - most, widest + 1)
        usual = max(near, key=lambda size: (counts[size], size))
        edges.append((around[widest], -measure, usual))
    _, measure, width = max(edges)
    return -measure, width


def _largest(counts: Mapping[int, int]) -> Iterator[int]:
    """Yield the sizes that are exceeded by few lines, as addresses that are too long are."""
    allowed = _EXCEED * sum(counts.values())
    larger = 0
    for size in sorted(counts, reverse=True):
        yield size
        larger += counts[size]
        if larger > allowed:
            return


class WrapDetector:
    """A detector of hard-wrapped text, that looks at some lines of each block.

    In such a text many lines have nearly one width and end without a mark, and yet marks stand
    within them. That is so in no table, list, program or poem, nor where a line is a sentence or a
    paragraph.
    """

    def __init__(self) -> None:
        self._lines: Counter[Tuple[Sizes, bool, bool]] = Counter()

    def add(self, lines: Iterable[str]) -> None:
        """Look at the first lines of a block."""
        if sum(self._lines.values()) < _MOST:
            self._lines.update(_traits(lines))

    def merge(self, other: "WrapDetector") -> None:
        """Add what another one saw."""
        self._lines += other._lines

    def width(self) -> int:
        """Return the columns of a full line if the text looks hard-wrapped, else 0."""
        if not self._lines:
            return 0
        sizes: Counter[Sizes] = Counter()
        for (size, _, _), number in self._lines.items():
            sizes[size] += number
        chinese, latin = right_edge(sizes), right_edge(sizes, _LATIN)
        return self._columns(*chinese, _TOLERANCE) or self._columns(*latin, _LATIN)

    def _columns(self, measure: int, width: int, tolerance: Sizes) -> int:
        """Return the most columns of the full lines, if their share, ends and marks are those of
        wrapped text, else 0.
        """
        number = bare = prose = latin = columns = 0
        for (sizes, ends_bare, is_prose), lines in self._lines.items():
            if -tolerance[measure] <= sizes[measure] - width <= _TOLERANCE[measure]:
                number += lines
                bare += lines * ends_bare
                prose += lines * is_prose
                latin += lines * (sizes[0] < 1.3 * sizes[1])
                columns = max(columns, sizes[0])
        least, greatest = _FULL
        wrapped = (
            max(_ENOUGH, least * sum(self._lines.values())) <= number
            and number <= greatest * sum(self._lines.values())
            and bare >= 0.7 * number
            and prose >= 0.3 * number
            and (tolerance is not _LATIN or latin >= 0.5 * number)
        )
        return columns if wrapped and _NARROW <= columns <= _WIDE else 0


def _traits(lines: Iterable[str]) -> List[Tuple[Sizes, bool, bool]]:
    """Return sizes, whether a line ends without a mark, and whether marks of prose stand in it."""
    texts = islice(filter(None, map(str.rstrip, lines)), _SAMPLE)
    return [(sizes_of(text), text[-1].isalnum(), bool(_PROSE.search(text))) for text in texts]
