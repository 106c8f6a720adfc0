"""The features of a TFRecord: names, dtypes and sizes.

They are those of google-research/bert's create_pretraining_data.py, so its unmodified
run_pretraining.py trains on our shards.
"""

import math
from typing import Dict, Tuple

FORMAT = 1  # bumped whenever a reader of older shards would misread newer ones
COMPRESSIONS = {"none": "", "gzip": ".gz"}  # of the shards -> the end of their names

_SPARE = 6  # slots beyond the masked share, for the n-gram that crosses the budget


def predictions_for(max_seq_length: int, masked_lm_prob: float) -> int:
    """Return the slots for predictions that a length takes: the masked share and some to spare, as
    a multiple of 4.

    >>> predictions_for(128, 0.15), predictions_for(512, 0.15)
    (28, 84)
    """
    needed = math.ceil(masked_lm_prob * max_seq_length) + _SPARE
    return min(-(-needed // 4) * 4, max_seq_length)


def feature_shapes(max_seq_length: int, max_predictions_per_seq: int) -> Dict[str, Tuple[str, int]]:
    """Return (dtype, length) of every feature by name, in the order in which they are written.

    `masked_lm_weights` is 1.0 for a prediction and 0.0 for padding. `next_sentence_labels` is 1
    where segment B is a random one (NSP) or the segments are swapped (SOP).
    """
    s, p = max_seq_length, max_predictions_per_seq
    return {
        "input_ids": ("int64", s),
        "input_mask": ("int64", s),
        "segment_ids": ("int64", s),
        "masked_lm_positions": ("int64", p),
        "masked_lm_ids": ("int64", p),
        "masked_lm_weights": ("float32", p),
        "next_sentence_labels": ("int64", 1),
    }
