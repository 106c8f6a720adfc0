"""Bring the segmenter's words and the tokenizer's pieces together by character offsets."""

from typing import Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array, TokenizedBlock, offsets_of, ranges
from data_gen.core.compiled import compiled
from data_gen.core.documents import Document, WordBoundaries
from data_gen.tokenization.tokenizer import Tokens


def align_words(
    documents: Sequence[Document],
    sentences: Sequence[str],
    marks: WordBoundaries,
    tokens: Tokens,
    continues: Array,
) -> Tuple[TokenizedBlock, int]:
    """Bring words and pieces together. Where they cannot be, every piece is a word.

    continues: of each id if its piece belongs to the word before it wherever the segmenter found
               boundaries, bool [V]
    Returns also how many such pieces a boundary had cut off from their word.
    """
    starts = offsets_of(np.fromiter(map(len, sentences), np.int64, len(sentences)) + 1)
    pieces: Array = np.searchsorted(tokens.first, starts)  # before each sentence, and all
    filled = np.diff(pieces) > 0
    first = pieces[:-1][filled]
    starting = word_starts(tokens, first, marks.boundaries)
    starting[ranges(pieces[marks.misaligned], pieces[marks.misaligned + 1])] = True
    cut_off = starting & continues.take(tokens.ids)
    starting &= ~cut_off
    words = np.append(np.flatnonzero(starting), len(tokens.ids))
    before = np.concatenate([[0], np.cumsum(filled)])  # sentences with pieces
    text = TokenizedBlock(
        pieces=tokens.ids,
        words=words,
        sentences=np.searchsorted(words, np.append(first, len(tokens.ids))),
        documents=before[np.cumsum([0, *(len(document.sentences) for document in documents)])],
    )
    return text, int(cut_off.sum())


def word_starts(tokens: Tokens, sentences: Array, boundaries: Array) -> Array:
    """Group pieces into words: two neighbours are of one word unless a boundary lies between them.

    sentences:  the first piece of each sentence that has any, int64, ascending
    boundaries: of each character whether a word starts or ends before it, bool [characters + 1]
    Returns     of each piece whether it starts a word, bool [P]. A piece that straddles a boundary
                joins the two words. A piece without text goes with the piece that follows.
    """
    starts = np.zeros(len(tokens.ids), bool)
    places = tokens.first, tokens.last
    fit = tokens.last.max(initial=0) <= len(boundaries)
    if fit and compiled("word_starts", *places, len(starts), boundaries, starts):
        starts[sentences] = True
        return starts
    has_text = tokens.first < tokens.last
    if has_text.all():
        starts[1:] = _are_apart(tokens.last[:-1], tokens.first[1:], boundaries)
    else:
        with_text = np.flatnonzero(has_text)
        left, right = tokens.last[with_text[:-1]], tokens.first[with_text[1:]]
        between = _are_apart(left, right, boundaries)
        # What ends a sentence may be followed by a piece without text.
        across: Array = np.searchsorted(with_text, sentences) - 1
        between[across[(across >= 0) & (across < len(between))]] = False
        starts[with_text[:-1] + 1] = between
    starts[sentences] = True
    return starts


def _are_apart(left: Array, right: Array, boundaries: Array) -> Array:
    """Tell whether a boundary lies between two pieces, of which one ends before the character
    `left` and the other starts at `right`.
    """
    between = boundaries[right] & (left <= right)
    apart = np.flatnonzero(left < right)  # characters that are of no piece, spaces mostly
    if len(apart):
        bounds = np.stack([left[apart], right[apart] + 1], axis=1).ravel()
        between[apart] = np.logical_or.reduceat(boundaries, bounds)[::2]
    return between
