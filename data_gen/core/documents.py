"""Documents, and the word boundaries of their sentences."""

from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array


class WordBoundaries(NamedTuple):
    """The word boundaries of sentences joined by line feeds."""

    boundaries: Array  # bool: a word starts or ends before this character, or before the end
    misaligned: Array  # numbers of the sentences whose words are not in their text, ascending


class Document(NamedTuple):
    """A document of the corpus; `id` names it wherever it is processed: "file relative to the input
    root:ordinal".
    """

    id: str
    sentences: Tuple[str, ...]
    words: Optional[WordBoundaries] = None  # if the input is a segmented corpus


# What `str.split` splits at; no character beyond is whitespace.
_SPACES = np.array([chr(code).isspace() for code in range(0x3002)])


def is_space(codes: Array) -> Array:
    """Tell which code points are whitespace, bool."""
    spaces: Array = _SPACES.take(codes, mode="clip")
    return spaces


def attach_boundaries(documents: Sequence[Document], marks: WordBoundaries) -> List[Document]:
    """Give each document its part of the word boundaries of all."""
    sentences = np.cumsum([0, *(len(document.sentences) for document in documents)])
    cuts = np.searchsorted(marks.misaligned, sentences).tolist()
    attached = []
    position = 0
    for document, first, start, stop in zip(documents, sentences.tolist(), cuts, cuts[1:]):
        # A place for each character and for what follows each sentence.
        end = position + sum(map(len, document.sentences)) + len(document.sentences)
        own = WordBoundaries(marks.boundaries[position:end], marks.misaligned[start:stop] - first)
        attached.append(document._replace(words=own))
        position = end
    return attached


def joined_boundaries(documents: Sequence[Document]) -> WordBoundaries:
    """Join the word boundaries of several documents: the opposite of `attach_boundaries`."""
    sentences = np.cumsum([0, *(len(document.sentences) for document in documents)]).tolist()
    marks = [document.words for document in documents if document.words is not None]
    return WordBoundaries(
        np.concatenate([np.zeros(0, bool), *(own.boundaries for own in marks)]),
        np.concatenate(
            [np.zeros(0, np.int64), *(own.misaligned + n for own, n in zip(marks, sentences))]
        ),
    )
