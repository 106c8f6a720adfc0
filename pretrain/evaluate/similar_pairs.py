"""Pairs of similar pieces, read from a table of similar words."""

import numpy as np

from data_gen.shared.dataset.similar_words import SourceArrays, map_table
from data_gen.shared.errors import UserError


def read_similar_pairs(path: str, vocab_size: int) -> np.ndarray:
    """Read the pairs of pieces that replace each other in some pair of similar words: `old *
    vocab_size + new`, sorted.

    path: the table of `data_gen synonyms build`
    Raises UserError if it is none, or of a greater vocabulary.
    """
    sources, _ = map_table(path)
    greatest = max([-1, *(int(source.pieces.max(initial=-1)) for source in sources.values())])
    if greatest >= vocab_size:
        raise UserError(
            f"{path} holds the id {greatest}, and the model's vocab_size is {vocab_size}: give the "
            "table that was made for its vocabulary"
        )
    found = [_pairs_of_source(source, vocab_size) for source in sources.values()]
    return np.unique(np.concatenate(found)) if found else np.zeros([0], np.int64)


def _pairs_of_source(source: SourceArrays, vocab_size: int) -> np.ndarray:
    """Return the pairs of one source, some of them several times."""
    starts, pieces = source.starts, source.pieces.astype(np.int64)
    others = source.neighbours.astype(np.int64)
    sizes = np.diff(starts)
    words = np.repeat(np.arange(len(sizes)), np.diff(source.neighbour_starts))
    same = sizes[words] == sizes[others]
    words, others = words[same], others[same]
    found = [np.zeros([0], np.int64)]
    for place in range(int(sizes.max()) if len(sizes) else 0):
        long = sizes[words] > place
        old, new = pieces[starts[words[long]] + place], pieces[starts[others[long]] + place]
        found.append(old * vocab_size + new)
    return np.concatenate(found)
