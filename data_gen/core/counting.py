"""Counters of a build. Stages return them, tasks add them up, `stats` reports them.

A name that stands in neither table below is a mistake, for which `require_known` stops the build:
a counter that is misspelt on one side would report 0.
"""

import time
from collections import Counter
from contextlib import contextmanager
from typing import Iterator, Mapping

import numpy as np

from data_gen.core.columns import Array

Counts = Counter[str]  # a name of COUNTERS, or "group/name" with a group of GROUPS -> how many

COUNTERS = frozenset(
    [
        # text
        *("replaced_bytes", "skipped_lines", "joined_lines"),
        *("documents", "sentences", "words", "pieces", "characters", "instances"),
        *("unknown_pieces", "misaligned_sentences", "ideal_sequences"),
        # pairs and sequences
        *("pieces_kept", "label_1", "sequence_pieces", "instance_words"),
        # masking
        *("masked_pieces", "shortened_ngrams", "refused_ngrams", "ngrams_across_sentences"),
        *("kept_past_the_cap", "forced", "instances_of_unknown_pieces"),
        # similar words
        *("characters_of_words", "characters_with_similar"),
        *("chinese_words", "chinese_words_with_similar"),
    ]
)
GROUPS = frozenset(
    [
        "cpu_ns",  # nanoseconds by stage
        *("files", "skipped_files"),  # by format, by kind
        "skipped",  # documents by reason
        "split_at",  # pairs by the place where the text was split
        "length_bin",  # sequences
        *("ngrams", "words_of_size", "masked_of_size", "never_masked"),  # words
        *("drawn", "pieces"),  # by kind of replacement
        *("masked_in_decile", "maskable_in_decile"),  # pieces
        *("similar_from", "without_similar", "missing"),  # words by source, by reason, by word
    ]
)

DECILES = 10
LENGTH_BINS = 16
LONG_WORD = 5  # pieces; words of more are counted with these
# Words without a similar word that are counted by name: the most frequent of each block, so that
# memory does not grow with the corpus. The sums over all blocks are therefore lower bounds.
MISSING_OF_A_BLOCK = 100


def require_known(counts: Mapping[str, float]) -> None:
    """Check that every name is in one of the tables."""
    for name in counts:
        group, slash, _ = name.partition("/")
        assert name in COUNTERS or (slash and group in GROUPS), f"nobody reports the count {name}"


@contextmanager
def timed(counts: Counts, stage: str) -> Iterator[None]:
    """Count the CPU time of a block of code."""
    start = time.process_time_ns()
    yield
    counts[f"cpu_ns/{stage}"] += time.process_time_ns() - start


def numbers_of(group: str, numbers: Array, step: int = 1) -> Counts:
    """Count each of many small numbers, `step` a time, as one of a group."""
    times = np.bincount(numbers).tolist()
    return Counts({f"{group}/{number}": step * n for number, n in enumerate(times) if n})
