"""The values that travel from stage to stage: small and immutable.

Document -> Sentence (pieces and words) -> Instance (a pair, before masking) -> Example (after it).
A *piece* is an id of the vocabulary, a *word* is what the segmenter made, given as a span of
pieces.
"""

from typing import List, NamedTuple, Optional, Tuple


class Span(NamedTuple):
    """A half-open range of positions: `[start, stop)`."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """How many positions it covers."""
        return self.stop - self.start

    def singles(self) -> List["Span"]:
        """Its positions, each a span of its own."""
        return [Span(i, i + 1) for i in range(self.start, self.stop)]


class Document(NamedTuple):
    """A document of the corpus; `id` names it wherever it is processed: "file relative to the input
    root:ordinal".
    """

    id: str
    sentences: Tuple[str, ...]


class Sentence(NamedTuple):
    """A tokenized sentence, or a part of one cut at a word boundary."""

    pieces: Tuple[int, ...]
    words: Tuple[Span, ...]  # cover all of `pieces`, in order

    def part(self, first: int, last: int) -> "Sentence":
        """Words `[first, last)` as a sentence of their own."""
        offset = self.words[first].start
        words = tuple(Span(w.start - offset, w.stop - offset) for w in self.words[first:last])
        return Sentence(self.pieces[offset : self.words[last - 1].stop], words)


class Pair(NamedTuple):
    """Two segments in the order in which they will stand, neither of them empty, and the label of
    the pair task.
    """

    a: Tuple[Sentence, ...]
    b: Tuple[Sentence, ...]
    label: int  # 0 in order / next, 1 swapped / random
    split_at: str  # where the text was split in two: at a "sentence", "clause", "word" or "piece"


class Instance(NamedTuple):
    """One `[CLS] a [SEP] b [SEP]` sequence, before masking."""

    pieces: Tuple[int, ...]
    a_stop: int  # segment ids are 0 in [0, a_stop) and 1 after it
    # The words of each sentence as positions in `pieces`, without [CLS] and [SEP]; a sentence of A
    # ends before `a_stop`.
    sentences: Tuple[Tuple[Span, ...], ...]
    label: int


Ngram = Tuple[Span, ...]  # neighbouring whole words that are masked together


class Replacement(NamedTuple):
    """What was put in place of one masked span."""

    span: Span
    # "mask", "similar", "random", "fallback" (random for want of a similar word) or "keep"
    kind: str
    pieces: Optional[Tuple[int, ...]]  # None: kept


class Example(NamedTuple):
    """An instance as the model sees it: the corrupted pieces, and the originals at the masked
    positions.
    """

    pieces: Tuple[int, ...]
    a_stop: int
    masked_positions: Tuple[int, ...]  # ascending
    masked_labels: Tuple[int, ...]
    label: int
