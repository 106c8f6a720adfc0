"""Which examples to show: from a place on, at random, or those that hold a text or a mark."""

import random
import unicodedata
from itertools import accumulate, chain, islice
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence

from data_gen.shared.errors import UserError
from data_gen.show.marks import KINDS, MarkedText
from data_gen.show.readable import ReadableExample, ReadableExamples


class Wanted(NamedTuple):
    """What a shown example must hold; with `kind` or `pieces`, a marked stretch of that kind and
    so many pieces, at the text if there is one.
    """

    text: str = ""
    kind: str = ""  # one of KINDS
    pieces: int = 0

    @property
    def marked(self) -> bool:
        """True if a mark is wanted."""
        return bool(self.kind or self.pieces)

    def described(self) -> str:
        """Say what is wanted, as the end of a sentence."""
        kind = f"marked as {self.kind}" if self.kind else "marked"
        size = f" of {self.pieces} piece{'s' if self.pieces > 1 else ''}" if self.pieces else ""
        stretch = f"a stretch{size} that is {kind}"
        if not self.text:
            return stretch
        return f"“{self.text}”" + (f" at {stretch}" if self.marked else "")


def selected(
    examples: ReadableExamples, wanted: Wanted, start: int, count: int, seed: Optional[int] = None
) -> Iterator[ReadableExample]:
    """Read `count` examples that hold what is wanted, fewer where there are no more.

    start: the first example to look at, from 1
    seed:  takes examples at random instead; where something is wanted, from a random place on,
           round to that place: shards are shuffled
    Raises UserError where there is none, and for damaged records.
    """
    total = examples.info.examples
    if start > total:
        raise UserError(
            f"{examples.info.folder} holds {total:,} examples: there is none from --start {start}"
        )
    if seed is not None and not any(wanted):
        numbers = random.Random(seed).sample(range(1, total + 1), min(count, total))
        yield from examples(only=sorted(numbers))
        return
    if seed is None:
        found = examples(start - 1)
    else:
        start = random.Random(seed).randrange(1, total + 1)
        found = chain(examples(start - 1), examples(only=range(1, start)))
    none = True
    for shown in islice((one for one in found if holds(one, wanted)), count):
        none = False
        yield shown
    if none:
        since = f" from --start {start} on" if seed is None and start > 1 else ""
        raise UserError(
            f"{examples.info.folder}: none of its {total:,} examples{since} holds "
            f"{wanted.described()}"
        )


def holds(shown: ReadableExample, wanted: Wanted) -> bool:
    """Return True if an example holds what is wanted, as it was or as the model sees it."""
    needle = simplified(wanted.text)
    return any(
        _segment_holds(text, [simplified(one) for one in version], wanted, needle)
        for _, text in shown.segments
        for version in ([run.original for run in text], [run.shown for run in text])
    )


def _segment_holds(
    runs: Sequence[MarkedText], texts: Sequence[str], wanted: Wanted, needle: str
) -> bool:
    """Look for the needle in the texts of neighbouring runs, and for a wanted run at it."""
    if not wanted.marked:
        return needle in "".join(texts)
    ends = list(accumulate(map(len, texts)))
    fitting = [
        (end - len(text), end)
        for run, text, end in zip(runs, texts, ends)
        if run.kind in ([wanted.kind] if wanted.kind else KINDS)
        and wanted.pieces in (0, len(run.pieces))
    ]
    if not needle:
        return bool(fitting)
    places = _occurrences(needle, "".join(texts))
    return any(at < stop and start < at + len(needle) for at in places for start, stop in fitting)


def _occurrences(needle: str, text: str) -> List[int]:
    places, at = [], text.find(needle)
    while at >= 0:
        places.append(at)
        at = text.find(needle, at + 1)
    return places


def simplified(text: str) -> str:
    """Take from a text what a search should not stumble over: case, accents, and white space, which
    the records do not hold.
    """
    return unicodedata.normalize("NFD", text.lower()).translate(_KEPT)


class _Kept(Dict[int, Optional[int]]):
    """A table for `str.translate`, made as characters come."""

    def __missing__(self, code: int) -> Optional[int]:
        char = chr(code)
        self[code] = None if unicodedata.category(char) == "Mn" or char.isspace() else code
        return self[code]


_KEPT = _Kept()
