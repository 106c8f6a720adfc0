"""Lay instances out: the sequences of pieces, and the words in them that may be masked."""

from typing import NamedTuple, Tuple

import numpy as np

from data_gen.core.columns import Array, Instances, TokenizedBlock, offsets_of, ranges
from data_gen.core.compiled import compiled
from data_gen.masking.placement import MaskableWords


class Layout(NamedTuple):
    """The sequences of several instances, one after another. P pieces, N instances, W words."""

    pieces: Array  # int32 [P], special pieces included
    rows: Array  # int64 [N + 1]: where each sequence starts, and P
    a_stops: Array  # int64 [N]: where segment A ends with its [SEP], counted from the row's start
    # The words of all segments, in order.
    words: Array  # int64 [W]: its number in the text
    instances: Array  # int64 [W]
    segments: Array  # int64 [2 N + 1]: the first of them in A of each instance and in B, and W
    positions: Array  # int64 [W]: of the first piece, counted from the row's start

    @property
    def counts(self) -> Array:
        """Return the words of each sequence."""
        return np.diff(self.segments[::2])

    @property
    def lengths(self) -> Array:
        """Return the pieces of each sequence."""
        return np.diff(self.rows)


def lay_out(text: TokenizedBlock, instances: Instances, cls: int, sep: int) -> Layout:
    """Make the sequences of instances of a text."""
    segments = np.stack([instances.a, instances.b], axis=1).reshape(-1, 2)
    sizes = np.diff(segments).ravel()
    # [CLS] before an A, [SEP] after every segment
    stops = np.cumsum(sizes + 1 + (np.arange(len(sizes)) % 2 == 0))
    rows = np.concatenate([[0], stops[1::2]])
    first, last = np.searchsorted(text.words, segments.T)
    of_segments = offsets_of(last - first)
    pieces: Array = np.empty(rows[-1], np.int32)
    words, of_words, positions = np.empty((3, of_segments[-1]), np.int64)
    texts = text.pieces, text.words, segments, first, last
    layout = Layout(pieces, rows, stops[::2] - rows[:-1], words, of_words, of_segments, positions)
    found = pieces, words, of_words, positions
    if compiled("lay_out", *texts, len(segments), cls, sep, *found) is None:
        pieces[:] = sep
        pieces[rows[:-1]] = cls
        pieces[ranges(stops - 1 - sizes, stops - 1)] = text.pieces[ranges(*segments.T)]
        words[:] = ranges(first, last)
        of_words[:] = np.repeat(np.arange(len(rows) - 1), np.diff(of_segments[::2]))
        shifts = stops - 1 - sizes - segments[:, 0] - np.repeat(rows[:-1], 2)
        positions[:] = text.words[words] + np.repeat(shifts, last - first)
    return layout


def words_to_mask(
    text: TokenizedBlock, layout: Layout, may_be: Array, by_sentence: bool
) -> Tuple[MaskableWords, Array]:
    """Find the words that may be masked, and their numbers in the layout.

    may_be:      of each word of the text if it may be masked, bool
    by_sentence: True if n-grams may not cross the end of a sentence
    """
    chosen = np.flatnonzero(may_be[layout.words])
    segments: Array = np.searchsorted(chosen, layout.segments)
    # A stretch begins after a word that may not be masked, and with a segment.
    breaks = np.append(np.diff(chosen, prepend=-2) > 1, True)
    breaks[segments] = True
    if by_sentence:
        sentence = np.searchsorted(text.sentences, layout.words[chosen], side="right")
        breaks[:-1] |= np.diff(sentence, prepend=-1) != 0
    bounds = np.flatnonzero(breaks)
    words = MaskableWords(
        segments[::2],
        text.sizes[layout.words[chosen]],
        np.repeat(bounds[:-1], np.diff(bounds)),
        np.repeat(bounds[1:], np.diff(bounds)),
    )
    return words, chosen
