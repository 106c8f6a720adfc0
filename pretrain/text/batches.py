"""Turn text into the ids that a model reads, by the generator's tokenizers.

They need Python 3.9 and the extra `data`; training does not.
"""

from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

MASK = "[MASK]"  # in a text to fill

# Sequences are padded to a multiple of this, so that few shapes are compiled.
_ROUND = 32


class Encoded(NamedTuple):
    """The pieces of a sentence."""

    ids: List[int]
    offsets: List[Tuple[int, int]]  # half-open, characters of the sentence; see Tokenizer.encode


def encode_with_masks(tokenizer: Any, sentences: Sequence[str]) -> List[Encoded]:
    """Tokenize sentences in which [MASK] is the mask, not the characters it is made of.

    The text between two masks is tokenized by itself.
    """
    split = [sentence.split(MASK) for sentence in sentences]
    encoded = iter(tokenizer.encode([part for parts in split for part in parts]))
    return [_joined(tokenizer.mask, parts, encoded) for parts in split]


def _joined(mask: int, parts: Sequence[str], encoded: Iterator[Any]) -> Encoded:
    """Join one sentence of its parts, taken from `encoded`, with a mask between each two."""
    joined = Encoded([], [])
    start = 0
    for number, part in enumerate(parts):
        if number:
            joined.ids.append(mask)
            joined.offsets.append((start - len(MASK), start))
        ids, offsets = next(encoded)
        joined.ids.extend(ids)
        joined.offsets.extend((start + first, start + last) for first, last in offsets)
        start += len(part) + len(MASK)
    return joined


def padded_length(pieces: int, most: Optional[int] = None) -> int:
    """Return the length in a batch of a sequence of so many pieces: with [CLS] and [SEP], rounded
    up to a multiple of 32, but not above `most`, the model's positions.
    """
    length = -(-(pieces + 2) // _ROUND) * _ROUND
    return length if most is None else min(length, most)


def as_batch(
    sequences: Sequence[Sequence[int]], cls: int, sep: int, most: Optional[int] = None
) -> Dict[str, "np.ndarray"]:
    """Make `[CLS] pieces [SEP]` of each sequence, as `bert.encode` takes them.

    sequences: ids of pieces, without special tokens
    Returns    input_ids, input_mask, segment_ids: int32 [B, S], S the `padded_length` of the
               longest
    """
    longest = max(len(pieces) for pieces in sequences)
    ids = np.zeros([len(sequences), padded_length(longest, most)], np.int32)
    mask = np.zeros_like(ids)
    for row, pieces in enumerate(sequences):
        ids[row, : len(pieces) + 2] = [cls, *pieces, sep]
        mask[row, : len(pieces) + 2] = 1
    return {"input_ids": ids, "input_mask": mask, "segment_ids": np.zeros_like(ids)}
