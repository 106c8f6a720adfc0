"""The form of the features of a text: rows of ids, and where they come from.

A row is one sequence for the model. A text or a pair is one row; a question with a long paragraph
has a row for each window of the paragraph.
"""

from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np


class Row(NamedTuple):
    """A sequence of pieces, [CLS] first A [SEP] (second B [SEP]), with what is to be learned."""

    example: int  # its number among the examples
    ids: List[int]
    first: int  # positions of segment 0; the rest is segment 1
    targets: Dict[str, int]  # feature -> number
    place: Dict[str, Any]  # of a window: see `encode_questions`; else empty

    @property
    def description(self) -> Dict[str, Any]:
        """All that scoring needs to know of it."""
        return {"example": self.example, "pieces": len(self.ids), **self.place}

    def columns(self, length: int) -> np.ndarray:
        """Return input_ids, input_mask and segment_ids, padded; int32 [3, length]."""
        found: np.ndarray = np.zeros([3, length], np.int32)
        found[0, : len(self.ids)] = self.ids
        found[1, : len(self.ids)] = 1
        found[2, self.first : len(self.ids)] = 1
        return found


def join(
    tokenizer: Any, first: Sequence[int], second: Sequence[int] = (), pair: bool = True
) -> Tuple[List[int], int]:
    """Join pieces of one or two texts by the special ones. Returns them and the number of those in
    segment 0.
    """
    ids = [tokenizer.cls, *first, tokenizer.sep]
    return ([*ids, *second, tokenizer.sep] if pair else ids), len(ids)


def shorten(first: List[int], second: List[int], room: int) -> None:
    """Drop pieces at the end of the longer text, one at a time, until both have room, in place; as
    `_truncate_seq_pair` in run_classifier.py: of equal ones, the second's.
    """
    while len(first) + len(second) > room:
        (first if len(first) > len(second) else second).pop()
