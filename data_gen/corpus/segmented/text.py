r"""Sentences and their words as text that can be read, and back without loss: one sentence a line,
a space between words, a blank line after each document.

Characters of the text itself are told apart so:

    ␣       a space of the text
    \\      a backslash of the text
    \uXXXX  other whitespace and control characters, and ␣ itself
    \!      at the start of a line: the segmenter's words do not lie in this sentence
    \-      a sentence without characters

Both ways work on all characters at once, as arrays of code points.
"""

from typing import List, Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array
from data_gen.core.documents import Document, WordBoundaries, is_space, joined_boundaries

_SPACE, _LINE_FEED, _BACKSLASH, _OPEN_BOX = map(ord, " \n\\␣")
_HEX, _MISALIGNED, _EMPTY = map(ord, "u!-")  # what a backslash stands before, but for another

_SHIFTS = np.array([12, 8, 4, 0], np.uint32)
_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_NO_DIGIT = 1 << 16
_VALUES = np.full(0x80, _NO_DIGIT, np.uint32)
_VALUES[_DIGITS] = np.arange(16)


def _odd_characters() -> Array:
    """Tell of each code point up to U+FFFF if it is written as its number: control characters, all
    whitespace but the space, and the open box.
    """
    codes = np.arange(0x10000)
    odd = is_space(codes) | (codes < 0x20) | ((codes >= 0x7F) & (codes < 0xA0))
    odd[_SPACE], odd[_OPEN_BOX] = False, True
    return odd


_ODD = _odd_characters()

# Before which characters (int [K]) what is inserted (C characters each).
Insertion = Tuple[Array, Array]


def encode(documents: Sequence[Document]) -> bytes:
    """Write documents that have their words."""
    sentences = [sentence for document in documents for sentence in document.sentences]
    codes = _codes("".join([f"{sentence}\n" for sentence in sentences])).copy()
    sizes = np.array([len(sentence) for sentence in sentences], np.int64)
    stops = np.cumsum(sizes + 1) - 1
    starts = stops - sizes
    marks = joined_boundaries(documents)
    between = marks.boundaries[: len(codes)].copy()
    between[starts] = between[stops] = False
    following = np.cumsum([len(document.sentences) for document in documents], dtype=np.int64)
    insertions = [  # in this order where they meet
        (np.append(starts, len(codes))[following], [_LINE_FEED]),
        (starts[marks.misaligned], [_BACKSLASH, _MISALIGNED]),
        (starts[sizes == 0], [_BACKSLASH, _EMPTY]),
        (np.flatnonzero(between), [_SPACE]),
        *_escape(codes, stops),
    ]
    return _text(_inserted(codes, insertions)).encode()


def _escape(codes: Array, stops: Array) -> List[Insertion]:
    """Put the last character of every escape in the place of what it stands for. Returns what comes
    before it.

    stops: the line feeds that end sentences
    """
    odd = _ODD[np.minimum(codes, len(_ODD) - 1)]
    odd[stops] = False
    places, slashes = np.flatnonzero(odd), np.flatnonzero(codes == _BACKSLASH)
    escapes = np.empty((len(places), 6), np.uint32)
    escapes[:, :2] = _BACKSLASH, _HEX
    escapes[:, 2:] = _DIGITS[codes[places, None] >> _SHIFTS & 15]
    codes[codes == _SPACE] = _OPEN_BOX
    codes[places] = escapes[:, 5]
    return [(places, escapes[:, :5]), (slashes, [_BACKSLASH])]


def _inserted(codes: Array, insertions: Sequence[Insertion]) -> Array:
    positions, values = [], []
    for before, inserted in insertions:
        size = np.shape(inserted)[-1]
        positions.append(np.repeat(before, size))
        values.append(np.broadcast_to(inserted, (len(before), size)).ravel())
    return np.insert(codes, np.concatenate(positions), np.concatenate(values))


def decode(data: bytes) -> Tuple[List[Tuple[str, ...]], WordBoundaries]:
    """Read the output of `encode`: the sentences of each document, and all word boundaries.

    Raises ValueError if `data` is something else.
    """
    codes = _codes(data.decode("utf-8")).copy()
    lines = np.flatnonzero(codes == _LINE_FEED)
    blank = np.diff(lines, prepend=-1) == 1
    if len(codes) and not (codes[-1] == _LINE_FEED and blank[-1]):
        raise ValueError("it does not end with a blank line")
    separators = np.flatnonzero(codes == _SPACE)
    kept = np.ones(len(codes), bool)
    kept[separators] = kept[lines[blank]] = False
    codes[codes == _OPEN_BOX] = _SPACE
    misaligned = _unescape(codes, kept)
    place = np.cumsum(kept) - kept  # of each character among those that are kept
    codes, ends = codes[kept], lines[~blank]
    stops = place[ends]
    starts = np.append(0, stops + 1)[:-1]
    boundaries = _boundaries(codes, starts, stops, place[separators])
    text = _text(codes)
    sentences = [text[start:stop] for start, stop in zip(starts.tolist(), stops.tolist())]
    following = np.searchsorted(ends, lines[blank]).tolist()
    documents = [tuple(sentences[a:b]) for a, b in zip([0, *following], following)]
    return documents, WordBoundaries(boundaries, np.searchsorted(ends, misaligned))


def _unescape(codes: Array, kept: Array) -> Array:
    """Put each character that is escaped where its escape starts, and take the rest of the escape
    out of `kept`. Returns where sentences are said to be misaligned.
    """
    slashes = np.flatnonzero(codes == _BACKSLASH)
    # Of neighbours every second is what the one before it stands for.
    first = np.flatnonzero(np.diff(slashes, prepend=-2) > 1)
    run = np.repeat(slashes[first], np.diff(np.append(first, len(slashes))))
    escapes = slashes[(slashes - run) % 2 == 0]
    kinds = codes[escapes + 1]
    if not np.isin(kinds, [_BACKSLASH, _HEX, _MISALIGNED, _EMPTY]).all():
        raise ValueError("it holds an unknown escape")
    kept[escapes + 1] = False
    kept[escapes[(kinds == _MISALIGNED) | (kinds == _EMPTY)]] = False
    hexes = escapes[kinds == _HEX]
    places = np.minimum(hexes[:, None] + np.arange(2, 6), len(codes) - 1)
    digits = _VALUES[np.minimum(codes[places], len(_VALUES) - 1)]
    if (digits == _NO_DIGIT).any():
        raise ValueError("it holds an escape that is cut short")
    kept[places] = False
    codes[hexes] = (digits << _SHIFTS).sum(axis=1)
    return escapes[kinds == _MISALIGNED]


def _boundaries(codes: Array, starts: Array, stops: Array, inner: Array) -> Array:
    """Make `WordBoundaries` from the `inner` ones, where a line feed ends each sentence."""
    boundaries = np.zeros(len(codes), bool)
    boundaries[inner] = True
    filled = starts < stops
    starts, stops = starts[filled], stops[filled]
    boundaries[starts] = ~is_space(codes[starts])
    boundaries[stops] = ~is_space(codes[stops - 1])
    return boundaries


def _codes(text: str) -> Array:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def _text(codes: Array) -> str:
    text: str = codes.tobytes().decode("utf-32-le")
    return text
