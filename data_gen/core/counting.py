"""Counters that stages fill and builds add up."""

import time
from collections import Counter
from contextlib import contextmanager
from typing import Iterator

import numpy as np

from data_gen.core.columns import Array

Counts = Counter[str]  # "group/name" -> how many; "cpu_ns/stage" -> nanoseconds

DECILES = 10
LENGTH_BINS = 16
LONG_WORD = 5  # pieces; words of more are counted with these
# Words without a similar word that are counted by name: the most frequent of each block, so that
# memory does not grow with the corpus. The sums over all blocks are therefore lower bounds.
MISSING_OF_A_BLOCK = 100


@contextmanager
def timed(counts: Counts, stage: str) -> Iterator[None]:
    """Count the CPU time of a block of code."""
    start = time.process_time_ns()
    yield
    counts[f"cpu_ns/{stage}"] += time.process_time_ns() - start


def count_numbers(counts: Counts, group: str, numbers: Array, step: int = 1) -> None:
    """Count each of many small numbers as one of a group."""
    for number, times in enumerate(np.bincount(numbers).tolist()):
        if times:
            counts[f"{group}/{number}"] += step * times
