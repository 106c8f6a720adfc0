"""What a build counts, and the report of it.

Counters add up over tasks, so they are the same for any number of workers; shares are computed from
them at the end.
"""

import time
from collections import Counter
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Mapping, Tuple

Counts = Counter[str]  # "group/name" -> how many; "cpu_ns/stage" -> nanoseconds

KINDS = ("similar", "fallback", "random", "mask", "keep")
DECILES = 10
LENGTH_BINS = 16


@contextmanager
def timed(counts: Counts, stage: str) -> Iterator[None]:
    """Count the CPU time of a block of code."""
    start = time.process_time_ns()
    yield
    counts[f"cpu_ns/{stage}"] += time.process_time_ns() - start


def report(counts: Mapping[str, float], max_seq_length: int) -> Dict[str, Any]:
    """The statistics of a build as plain numbers; shares are between 0 and 1."""

    def count(name: str) -> float:
        return counts.get(name, 0)

    def share(part: float, whole: float) -> float:
        return round(part / whole, 4) if whole else 0.0

    def shares(group: str, names: Any) -> Dict[str, float]:
        total = sum(count(f"{group}/{name}") for name in names)
        return {str(name): share(count(f"{group}/{name}"), total) for name in names}

    instances, masked = count("instances"), count("masked_pieces")
    ideal = count("ideal_sequences")
    ngrams = sorted(int(name.split("/")[1]) for name in counts if name.startswith("ngrams/"))
    deciles = [
        share(count(f"masked_in_decile/{i}"), count(f"maskable_in_decile/{i}"))
        for i in range(DECILES)
    ]
    overall = share(masked, sum(count(f"maskable_in_decile/{i}") for i in range(DECILES)))
    return {
        "documents": int(count("documents")),
        "sentences": int(count("sentences")),
        "words": int(count("words")),
        "pieces": int(count("pieces")),
        "characters": int(count("characters")),
        "instances": int(instances),
        "skipped_documents": {
            "no text": int(count("skipped/no text")),
            "one piece": int(count("skipped/one piece")),
        },
        "pieces_kept": share(count("pieces_kept"), count("pieces")),
        "fill": share(count("sequence_pieces"), instances * max_seq_length),
        "ideal_fill": share(count("pieces") + 3 * ideal, ideal * max_seq_length),
        "unknown_pieces": share(count("unknown_pieces"), count("pieces")),
        "misaligned_sentences": int(count("misaligned_sentences")),
        "masked": share(masked, count("sequence_pieces")),
        "ngrams": shares("ngrams", ngrams),
        "shortened_ngrams": int(count("shortened_ngrams")),
        "kinds_by_draw": shares("draws", KINDS),
        "kinds_by_piece": shares("pieces", KINDS),
        "refused_for_fallback": int(count("refused_for_fallback")),
        "instances_over_the_cap": int(count("over_the_cap")),
        "words_with_similar": share(count("words_with_similar"), count("words")),
        "label_1": share(count("label_1"), instances),
        "masked_by_decile": [share(decile, overall) for decile in deciles],
        "sequence_lengths": [int(count(f"length_bin/{i}")) for i in range(LENGTH_BINS)],
        "cpu_seconds": {
            name.split("/")[1]: round(value / 1e9, 2)
            for name, value in sorted(counts.items())
            if name.startswith("cpu_ns/")
        },
    }


def lines(statistics: Mapping[str, Any]) -> List[Tuple[str, str]]:
    """The report as (name, value) rows for a terminal."""
    rows = []
    for name, value in statistics.items():
        if isinstance(value, dict):
            text = "  ".join(f"{key} {_number(number)}" for key, number in value.items())
        elif isinstance(value, list):
            text = " ".join(_number(number) for number in value)
        else:
            text = _number(value)
        rows.append((name.replace("_", " "), text))
    return rows


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
