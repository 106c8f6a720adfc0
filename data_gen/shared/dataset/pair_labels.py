"""The pair tasks, and the meaning of a pair label in each of them for people.

Functions of the tasks are in `data_gen.pairs.tasks`. The names stand here, because the trainer
reads them on Python 3.7.
"""

from typing import Dict, Tuple

# Task -> names of label 0 and label 1 of `next_sentence_labels`; the task none has no label.
PAIR_LABELS: Dict[str, Tuple[str, ...]] = {
    "sop": ("in order", "swapped"),
    "nsp": ("next", "random"),
    "none": (),
}
