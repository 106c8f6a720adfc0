"""The pair tasks, and the meaning of a pair label in each of them for people."""

from typing import Dict, Tuple

# Task -> names of label 0 and label 1 of `next_sentence_labels`; the task none has no label.
PAIR_LABELS: Dict[str, Tuple[str, ...]] = {
    "sop": ("in order", "swapped"),
    "nsp": ("next", "random"),
    "none": (),
}
