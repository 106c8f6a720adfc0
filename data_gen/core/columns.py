"""The values that travel from stage to stage: small and immutable.

Document -> Text (pieces and words of a block) -> Pair -> Instance (before masking) -> Example
(after it). A *piece* is an id of the vocabulary, a *word* is what the segmenter made of one or more
pieces. What there is much of is kept in columns, one numpy array each, so that a stage works on a
whole block of documents at once.
"""

from array import array
from typing import Any, Iterator, NamedTuple, Optional, Tuple

import numpy as np

from data_gen.core.compiled import compiled

Array = Any  # numpy's own annotations differ between the versions supported

Pieces = Tuple[int, ...]


class WordList(NamedTuple):
    """Several words, W of P pieces. Word i is `pieces[starts[i]:starts[i + 1]]`."""

    pieces: Array  # int32 [P]
    starts: Array  # int64 [W + 1]

    def word(self, number: int) -> Pieces:
        """Return the pieces of one word."""
        start, stop = self.starts[number : number + 2].tolist()
        return tuple(self.pieces[start:stop].tolist())

    def some(self, numbers: Array) -> "WordList":
        """Select several of the words."""
        starts, stops = self.starts[numbers], self.starts[numbers + 1]
        pieces = self.pieces[ranges(starts, stops)]
        return WordList(pieces, offsets_of(stops - starts))


class TokenizedBlock(NamedTuple):
    """The tokenized documents of a block. P pieces, W words, S sentences, D documents."""

    pieces: Array  # int32 [P]
    words: Array  # int64 [W + 1]: the piece that each word starts at, and P
    sentences: Array  # int64 [S + 1]: the word that each sentence starts at, and W; none is empty
    documents: Array  # int64 [D + 1]: the sentence that each document starts at, and S

    @property
    def sizes(self) -> Array:
        """Return the pieces of each word, int64 [W]."""
        return np.diff(self.words)

    def word(self, number: int) -> Pieces:
        """Return the pieces of one word."""
        return tuple(self.pieces[self.words[number] : self.words[number + 1]].tolist())

    def some_words(self, numbers: Array) -> WordList:
        """Select several of the words."""
        return WordList(self.pieces, self.words).some(numbers)

    def split_words(self, numbers: Array, continues: Optional[Array] = None) -> "TokenizedBlock":
        """Take some words, ascending numbers, apart into single pieces; with `continues`, bool [V],
        a piece whose id it names stays with the piece before it.
        """
        inner = ranges(self.words[numbers] + 1, self.words[numbers + 1])
        if continues is not None:
            inner = inner[~continues[self.pieces[inner]]]
        if not len(inner):
            return self
        words = np.insert(self.words, np.searchsorted(self.words, inner), inner)
        sentences = self.sentences + np.searchsorted(inner, self.words[self.sentences])
        return self._replace(words=words, sentences=sentences)


class Pair(NamedTuple):
    """Two segments in the order in which they will stand, neither of them empty, as ranges of a
    text's pieces; and the label of the pair task.
    """

    a: Tuple[int, int]
    b: Tuple[int, int]
    label: int  # 0 in order / next, 1 swapped / random
    split_at: str  # where the text was split in two: at a "sentence", "clause", "word" or "piece"


class Instances(NamedTuple):
    """The sequences `[CLS] a [SEP] b [SEP]` of a block, before masking. N of them."""

    a: Array  # int64 [N, 2]: ranges of the text's pieces
    b: Array  # int64 [N, 2]
    labels: Array  # int64 [N]
    keys: Array  # uint64 [N]: hashes of their names; they decide what is drawn, and the order

    def where(self, mask: Array) -> "Instances":
        """Select those that a mask, a slice or their numbers choose."""
        return Instances(*(column[mask] for column in self))


class Example(NamedTuple):
    """A sequence as the model sees it: `[CLS] a [SEP] b [SEP]` with corrupted pieces, and the
    originals at the masked positions.
    """

    pieces: Tuple[int, ...]
    a_stop: int  # segment ids are 0 in [0, a_stop) and 1 after it
    masked_positions: Tuple[int, ...]  # ascending
    masked_labels: Tuple[int, ...]
    label: int


class Examples(NamedTuple):
    """Several examples as columns: N of them, P pieces, M masked."""

    instances: Array  # int64 [N]: the number of the instance that each was made of, ascending
    pieces: Array  # int32 [P]
    rows: Array  # int64 [N + 1]: where each sequence starts, and P
    a_stops: Array  # int64 [N]
    labels: Array  # int64 [N]
    masked_positions: Array  # int64 [M]
    masked_labels: Array  # int32 [M]
    masked_rows: Array  # int64 [N + 1]: where the masked positions of each start, and M

    def each(self) -> Iterator[Example]:
        """Yield one after another."""
        pieces, positions, labels = (
            tuple(column.tolist())
            for column in (self.pieces, self.masked_positions, self.masked_labels)
        )
        rows, masked = self.rows.tolist(), self.masked_rows.tolist()
        for i, (a_stop, label) in enumerate(zip(self.a_stops.tolist(), self.labels.tolist())):
            own = slice(*masked[i : i + 2])
            row = pieces[rows[i] : rows[i + 1]]
            yield Example(row, a_stop, positions[own], labels[own], label)


def as_array(column: array) -> Array:  # type: ignore[type-arg] # array[int] is no type on Python 3.9
    """View a column that still grows as a numpy array, to read at once: nothing may be added while
    the view is in use.
    """
    return np.frombuffer(column, column.typecode) if column else np.zeros(0, column.typecode)


def offsets_of(sizes: Any) -> Array:
    """Return where each of several neighbours of these sizes starts, and the end of all, int64.

    >>> offsets_of([2, 0, 3]).tolist()
    [0, 2, 2, 5]
    """
    offsets: Array = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, dtype=np.int64, out=offsets[1:])
    return offsets


def sums_between(values: Array, bounds: Array) -> Array:
    """Sum up each range `values[bounds[i]:bounds[i + 1]]`, int64; far quicker than the differences
    of what was passed.

    >>> sums_between(np.array([1, 2, 3]), np.array([0, 2, 2, 3])).tolist()
    [3, 0, 3]
    """
    sums: Array = np.zeros(len(bounds) - 1, np.int64)
    filled = np.flatnonzero(np.diff(bounds))  # numpy gives an empty range its first value
    if len(filled):
        stop = bounds[filled[-1] + 1]
        sums[filled] = np.add.reduceat(values[:stop], bounds[filled], dtype=np.int64)
    return sums


def ordinals(sizes: Array) -> Array:
    """Number the members of groups of these sizes, each from 0; quick where most are of size 1.

    >>> ordinals(np.array([1, 3, 0, 2])).tolist()
    [0, 0, 1, 2, 0, 1]
    """
    others = np.flatnonzero(sizes != 1)
    more = sizes[others] - 1
    stops = others + np.cumsum(more) + 1
    numbers = np.zeros(len(sizes) + int(more.sum()), np.int64)
    none = np.zeros(len(others), np.int64)
    numbers[ranges(stops - sizes[others], stops)] = ranges(none, sizes[others])
    return numbers


def ranges(starts: Array, stops: Array) -> Array:
    """Return the numbers of all ranges `[start, stop)` after one another.

    >>> ranges(np.array([3, 9]), np.array([6, 10])).tolist()
    [3, 4, 5, 9]
    """
    sizes = stops - starts
    numbers: Array = np.empty(sizes.sum(), np.int64)
    if compiled("fill_ranges", starts, stops, len(sizes), numbers) is None:
        numbers = np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
        numbers += np.arange(len(numbers))
    return numbers
