"""Straight quotes, which open and close alike: the places of those that open a quotation."""

from typing import Any, Iterator, List, Optional, Set, Tuple

STRAIGHT = "\"'＂＇"

_SINGLE = "'＇"
_OPENS_BEFORE = (
    "：:（(「『《〈【〔[{“‘—\"'＂＇"  # a quote after one of these opens rather than closes
)
_CLOSES_BEFORE = "，。！？；：、…,.;:!?）)」』》〉】〕]}”’"  # a quote before one of these closes

# Costs of a reading, in no unit: of the readings of a line the cheapest is taken. They are set so
# that a pair is a pair, and that nothing opens at the end of a line.
_UNLIKELY = 1.0  # closes where quotes open, or opens before what closes
_INCH = 1.5  # opens right after a digit; ' also after a Latin letter
_AT_END = 3.0  # opens with nothing behind it
_STRAY = 2.0  # belongs to no quotation
_STRAY_INCH = 0.6  # as _STRAY, where it may be an inch, a foot or an apostrophe
_LEFT_OPEN = 0.8  # a quotation goes on in the next line
_OPEN_BEFORE = 2.1  # a quotation has begun before the line, and the line before left none open
_BROKEN_OFF = 0.5  # one that the line before left open does not go on


# Places of a line, each with those before it: (place, (place, ...)). Two readings share their rest.
_Chain = Optional[Tuple[int, Any]]


def opening_quotes(text: str) -> Set[int]:
    """Find the straight quotes that open a quotation.

    A quote closes if one of its kind is open, and opens otherwise. Apostrophes, inches and quotes
    without a partner are told by what stands beside them. A quotation may go on in the next line.

    >>> sorted(opening_quotes('他说："好。""走。"'))
    [3, 7]
    """
    found: Set[int] = set()
    for quote in STRAIGHT:
        if quote not in text:
            continue
        start, is_open = 0, False
        for line in text.split("\n"):
            if quote in line:
                opening, is_open = _read_line(line, quote, is_open)
                found.update(start + place for place in opening)
            start += len(line) + 1
    return found


def _read_line(line: str, quote: str, was_open: bool) -> Tuple[List[int], bool]:
    """Return the places of the opening quotes, and whether a quotation is left open.

    Keeps the cheapest reading up to each quote that leaves none open behind it, and the cheapest
    that leaves one open.
    """
    closed, opened = (_BROKEN_OFF, 0.0) if was_open else (0.0, _OPEN_BEFORE)
    in_closed: _Chain = None
    in_opened: _Chain = None
    for place in _places(line, quote):
        stray, opens, closes = _costs(
            quote, line[max(place - 1, 0) : place], line[place + 1 : place + 2]
        )
        before, in_before = closed, in_closed
        if opened + closes < closed + stray:
            closed, in_closed = opened + closes, in_opened
        else:
            closed += stray
        if before + opens < opened + stray:
            opened, in_opened = before + opens, (place, in_before)
        else:
            opened += stray
    is_open = opened + _LEFT_OPEN < closed
    chain = in_opened if is_open else in_closed
    places = []
    while chain:
        place, chain = chain
        places.append(place)
    return places, is_open


def _costs(quote: str, before: str, after: str) -> Tuple[float, float, float]:
    """Return the costs of a quote that is stray, opens or closes."""
    inch = before.isdigit() or (quote in _SINGLE and (_is_latin(before) or after.isdigit()))
    opens = _INCH if inch and not after.isdigit() else 0
    if not after:
        opens += _AT_END
    elif after in _CLOSES_BEFORE or after.isspace():
        opens += _UNLIKELY
    closes = _UNLIKELY if before in _OPENS_BEFORE or before.isspace() else 0
    return _STRAY_INCH if inch else _STRAY, opens, closes


def _places(line: str, quote: str) -> Iterator[int]:
    """Yield the places of a quote, without the apostrophes within Latin words and numbers."""
    place = line.find(quote)
    while place >= 0:
        around = line[max(place - 1, 0) : place + 2]
        if not (quote in _SINGLE and len(around) == 3 and _is_latin(around[0] + around[2])):
            yield place
        place = line.find(quote, place + 1)


def _is_latin(text: str) -> bool:
    return text.isascii() and text.isalnum()
