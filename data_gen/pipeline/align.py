"""Bring the segmenter's words and the tokenizer's pieces together by character offsets."""

from typing import Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array, TokenizedBlock, offsets_of
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
    sentence = np.repeat(np.arange(len(sentences)), np.diff(pieces))
    starting = word_starts(tokens, sentence, marks.boundaries)
    starting |= np.isin(sentence, marks.misaligned)
    cut_off = starting & continues[tokens.ids]
    starting &= ~cut_off
    words = np.append(np.flatnonzero(starting), len(tokens.ids))
    filled = np.diff(pieces) > 0
    before = np.concatenate([[0], np.cumsum(filled)])  # sentences with pieces
    text = TokenizedBlock(
        pieces=tokens.ids,
        words=words,
        sentences=np.searchsorted(words, np.append(pieces[:-1][filled], len(tokens.ids))),
        documents=before[np.cumsum([0, *(len(document.sentences) for document in documents)])],
    )
    return text, int(cut_off.sum())


def word_starts(tokens: Tokens, sentence: Array, boundaries: Array) -> Array:
    """Group pieces into words: two neighbours are of one word unless a boundary lies between them.

    sentence:   the sentence of each piece, int64 [P], ascending
    boundaries: of each character whether a word starts or ends before it, bool [characters + 1]
    Returns     of each piece whether it starts a word, bool [P]. A piece that straddles a boundary
                joins the two words. A piece without text goes with the piece that follows.
    """
    passed = np.concatenate([[0], np.cumsum(boundaries, dtype=np.int32)])
    with_text = np.flatnonzero(tokens.first < tokens.last)
    left, right = tokens.last[with_text[:-1]], tokens.first[with_text[1:]]
    between = passed[1:][right] > passed[left]
    between &= np.diff(sentence[with_text]) == 0
    starts = np.diff(sentence, prepend=-1) > 0
    starts[with_text[:-1][between] + 1] = True
    return starts
