"""The report of what a build counted.

Counters add up over tasks, so they are the same for any number of workers; shares are computed from
them at the end.
"""

from typing import Any, Dict, Mapping

from data_gen.core.counting import COUNTERS, DECILES, GROUPS, LENGTH_BINS, LONG_WORD, require_known

_MISSING_REPORTED = 30
LINE_COUNTS = ("joined_lines", "replaced_bytes", "skipped_lines")


def report(counts: Mapping[str, float], max_seq_length: int) -> Dict[str, Any]:
    """Return the statistics of a build as plain numbers; shares are between 0 and 1.

    Of a build without similar words what concerns them is left out.
    """
    require_known(counts)
    every = _Report(counts)
    statistics = {
        **_text(every),
        **text_counts(counts),
        **_sequences(every, max_seq_length),
        **_masking(every),
        **_kinds(every),
    }
    if every("characters_of_words"):
        statistics.update(similar_words(counts))
        statistics.update({name: every(name) for name in ("refused_ngrams", "kept_past_the_cap")})
    statistics["cpu_seconds"] = {
        stage: round(nanoseconds / 1e9, 2)
        for stage, nanoseconds in sorted(every.group("cpu_ns").items())
    }
    return statistics


def text_counts(counts: Mapping[str, float]) -> Dict[str, Any]:
    """Report how the text was read: files by format, those that were skipped by kind, and what was
    done to lines, where something was.
    """
    every = _Report(counts)
    found: Dict[str, Any] = {"files": every.group("files")}
    found["skipped_files"] = every.group("skipped_files")
    found.update({name: every(name) for name in LINE_COUNTS})
    return {name: value for name, value in found.items() if value}


def _share(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


class _Report:
    """Counts, read by name and by group."""

    def __init__(self, counts: Mapping[str, float]) -> None:
        self._counts = counts

    def __call__(self, name: str) -> int:
        assert name in COUNTERS or name.partition("/")[0] in GROUPS, name
        return int(self._counts.get(name, 0))

    def share(self, part: str, whole: str) -> float:
        return _share(self(part), self(whole))

    def group(self, group: str) -> Dict[str, int]:
        """Return the counts of "group/name", by name."""
        assert group in GROUPS, group
        start = f"{group}/"
        return {
            name[len(start) :]: int(count)
            for name, count in sorted(self._counts.items())
            if name.startswith(start)
        }

    def shares(self, group: str) -> Dict[str, float]:
        found = self.group(group)
        return {name: _share(count, sum(found.values())) for name, count in found.items()}


def _text(count: _Report) -> Dict[str, Any]:
    return {
        **{
            name: count(name)
            for name in ("documents", "sentences", "words", "pieces", "characters", "instances")
        },
        "skipped_documents": count.group("skipped"),
        "pieces_kept": count.share("pieces_kept", "pieces"),
        "unknown_pieces": count.share("unknown_pieces", "pieces"),
        "misaligned_sentences": count("misaligned_sentences"),
        "rejoined_pieces": count("rejoined_pieces"),  # `##` that a boundary had cut off
    }


def _sequences(count: _Report, max_seq_length: int) -> Dict[str, Any]:
    ideal = count("ideal_sequences")
    return {
        "fill": _share(count("sequence_pieces"), count("instances") * max_seq_length),
        # every document in ceil(pieces / (max_seq_length - 3)) sequences
        "ideal_fill": _share(count("pieces") + 3 * ideal, ideal * max_seq_length),
        "label_1": count.share("label_1", "instances"),
        "split_at": count.shares("split_at"),
        "sequence_lengths": [count(f"length_bin/{i}") for i in range(LENGTH_BINS)],
    }


def _masking(count: _Report) -> Dict[str, Any]:
    deciles = range(DECILES)
    masked = [count(f"masked_in_decile/{i}") for i in deciles]
    maskable = [count(f"maskable_in_decile/{i}") for i in deciles]
    overall = _share(sum(masked), sum(maskable))
    return {
        "masked": count.share("masked_pieces", "sequence_pieces"),
        "ngrams": count.shares("ngrams"),
        "shortened_ngrams": count("shortened_ngrams"),
        "ngrams_across_sentences": count("ngrams_across_sentences"),
        # share of the words of all instances
        "never_masked": {
            reason: _share(words, count("instance_words"))
            for reason, words in count.group("never_masked").items()
        },
        "instances_of_unknown_pieces": count("instances_of_unknown_pieces"),
        "forced": count("forced"),
        # how often as the average: 1 is flat
        "masked_by_decile": [
            _share(_share(part, whole), overall) for part, whole in zip(masked, maskable)
        ],
        **_masked_words(count.group("words_of_size"), count.group("masked_of_size")),
    }


def _masked_words(words: Mapping[str, int], masked: Mapping[str, int]) -> Dict[str, Any]:
    """Report how often words are masked: on average, and relative to that by number of pieces."""
    if not words:
        return {}  # pieces were masked, whatever the words
    average = sum(masked.values()) / sum(words.values())
    return {
        "masked_words": round(average, 4),
        "masked_by_word_size": {
            f"{size}+" if size == str(LONG_WORD) else size: _share(masked.get(size, 0), n * average)
            for size, n in words.items()
        },
    }


def _kinds(count: _Report) -> Dict[str, Any]:
    masked = count("masked_pieces")
    unchanged = count.group("unchanged")
    return {
        "kinds_drawn": count.shares("drawn"),
        "kinds_by_piece": count.shares("pieces"),
        # of the masked pieces, those that stay the same: kept, or in common with the replacement
        "unchanged_pieces": _share(sum(unchanged.values()), masked),
        "unchanged_by_kind": {kind: _share(n, masked) for kind, n in unchanged.items()},
    }


def similar_words(counts: Mapping[str, float]) -> Dict[str, Any]:
    """Report which words have similar ones: shares of the words, of those that hold Chinese
    characters, of the characters.
    """
    count = _Report(counts)
    without = count.group("without_similar")
    missing = sorted(count.group("missing").items(), key=lambda item: (-item[1], item[0]))
    return {
        "words_with_similar": round(1 - _share(sum(without.values()), count("words")), 4),
        "chinese_words_with_similar": count.share("chinese_words_with_similar", "chinese_words"),
        "characters_with_similar": count.share("characters_with_similar", "characters_of_words"),
        "similar_words_from": {
            source: _share(times, count("words"))
            for source, times in count.group("similar_from").items()
        },
        "words_without_similar": {
            reason: _share(times, count("words")) for reason, times in without.items()
        },
        "most_frequent_without_similar": dict(missing[:_MISSING_REPORTED]),
    }
