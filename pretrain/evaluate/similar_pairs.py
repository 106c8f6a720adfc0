"""Pairs of similar words, read from a table of similar words."""

import json
import struct
from typing import Dict

import numpy as np

from data_gen.shared.array_file import map_arrays
from data_gen.shared.errors import UserError


def read_similar_pairs(path: str, vocab_size: int) -> np.ndarray:
    """Read the pairs of pieces that replace each other in some pair of similar words: `old *
    vocab_size + new`, sorted.

    path: the table of `data_gen synonyms build`, described in data_gen/synonyms/table.py
    Raises UserError if the file is no such table.
    """
    try:
        metadata, arrays = map_arrays(path)
        count = len(json.loads(metadata["similar_words"])["layers"])
        found = [_pairs_of_layer(arrays, f"{i}.", vocab_size) for i in range(count)]
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise UserError(f"{path} is no table of `python -m data_gen synonyms build`") from error
    return np.unique(np.concatenate(found)) if found else np.zeros([0], np.int64)


def _pairs_of_layer(arrays: Dict[str, np.ndarray], layer: str, vocab_size: int) -> np.ndarray:
    """Return the pairs of one source, some of them several times: word i has the pieces
    `pieces[starts[i]:starts[i + 1]]` and, by their numbers, the similar words
    `neighbours[neighbour_starts[i]:neighbour_starts[i + 1]]`.
    """
    starts, pieces = arrays[layer + "starts"], arrays[layer + "pieces"].astype(np.int64)
    others = arrays[layer + "neighbours"].astype(np.int64)
    sizes = np.diff(starts)
    words = np.repeat(np.arange(len(sizes)), np.diff(arrays[layer + "neighbour_starts"]))
    same = sizes[words] == sizes[others]
    words, others = words[same], others[same]
    found = [np.zeros([0], np.int64)]
    for place in range(int(sizes.max()) if len(sizes) else 0):
        long = sizes[words] > place
        old, new = pieces[starts[words[long]] + place], pieces[starts[others[long]] + place]
        found.append(old * vocab_size + new)
    return np.concatenate(found)
