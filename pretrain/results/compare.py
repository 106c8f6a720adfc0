"""Differences between models, and the words for them: no claim where noise may have made them."""

import itertools
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from data_gen.shared.errors import UserError
from pretrain.results.board import Board
from pretrain.results.files import BY_EXAMPLE, Results, Scores, read_scores
from pretrain.results.statistics import (
    RESAMPLES,
    Test,
    both_noises,
    holm,
    paired_bootstrap,
    paired_t_test,
)

LEVEL = 0.05


class Comparison(NamedTuple):
    """Two models on a task; differences are those of `first` minus `second`."""

    task: str
    part: str
    first: str
    second: str
    over_seeds: Test
    over_examples: Test
    both: Test
    p: float  # the largest of the three, corrected for the pairs of the task; 1: no test
    pairs: int  # of models, of this task
    spread: float  # largest minus smallest score among the runs of a model, of the wider one

    @property
    def claimed(self) -> bool:
        """True if neither noise alone nor both together make such a difference."""
        return self.p < LEVEL


def compare(board: Board) -> List[Comparison]:
    """Test every pair of models on every task.

    Raises UserError if predictions are absent, damaged, or of different examples.
    """
    return [found for task in board.tasks for found in _compare_task(board, task)]


def sentences(comparisons: Sequence[Comparison]) -> List[str]:
    """Say of each comparison what can be claimed, and then how it was tested."""
    if not comparisons:
        return []
    most = max(comparison.pairs for comparison in comparisons)
    return [*(_sentence(comparison) for comparison in comparisons), *_how(most)]


def as_values(comparison: Comparison) -> Dict[str, Any]:
    """Return a comparison for JSON; scores from 0 to 1."""
    tests = ("over_seeds", "over_examples", "both")
    return {
        **comparison._asdict(),
        **{name: _test_values(getattr(comparison, name)) for name in tests},
        "claimed": comparison.claimed,
        "sentence": _sentence(comparison),
    }


def _test_values(test: Test) -> Dict[str, Any]:
    known = test.difference == test.difference  # not so without a common seed: JSON has no NaN
    return {**test._asdict(), "difference": test.difference if known else None}


def _compare_task(board: Board, task: str) -> Iterator[Comparison]:
    entries, part = board.of_task(task), board.parts[task]
    pairs = list(itertools.combinations(entries, 2))
    if not pairs:
        return
    scores = {model: _scores_of(entry, part) for model, entry in entries}
    tests = [_test_pair(a, b, part, scores) for a, b in pairs]
    corrected = holm([1.0 if t[2].p is None else max(x.p or 0.0 for x in t) for t in tests])
    for ((first, a), (second, b)), found, p in zip(pairs, tests, corrected):
        spread = max(np.ptp(list(entry.headlines(part).values())) for entry in (a, b))
        yield Comparison(task, part, first, second, *found, p, len(pairs), float(spread))


def _scores_of(entry: Results, part: str) -> Dict[int, Dict[str, Scores]]:
    if not set(entry.headline) <= set(BY_EXAMPLE):
        return {}
    return {seed: read_scores(entry, part, seed) for seed in entry.seeds}


def _test_pair(
    a: Tuple[str, Results],
    b: Tuple[str, Results],
    part: str,
    scores: Dict[str, Dict[int, Dict[str, Scores]]],
) -> Tuple[Test, Test, Test]:
    over_seeds = paired_t_test(a[1].headlines(part), b[1].headlines(part))
    seeds = sorted(set(scores[a[0]]) & set(scores[b[0]]))
    if not seeds:
        why = "they have no predictions of the same seed to compare"
        over_examples = Test(over_seeds.difference, None, None, None, 0, why=why)
    else:
        ids = sorted(scores[a[0]][seeds[0]])
        arrays = [_array(scores[model], seeds, ids, entry) for model, entry in (a, b)]
        over_examples = paired_bootstrap(arrays[0], arrays[1], seed=0)
    return over_seeds, over_examples, both_noises(over_seeds, over_examples)


def _array(
    scores: Dict[int, Dict[str, Scores]], seeds: List[int], ids: List[str], entry: Results
) -> np.ndarray:
    """Return the scores of a task's headline, float [R, N]."""
    rows = []
    for seed in seeds:
        run = scores[seed]
        if sorted(run) != ids:
            raise UserError(
                f"{entry.folder}, run-{seed}: the predictions are not of the examples that other "
                f"runs of {entry.task} have: run the same finetune again"
            )
        rows.append([sum(run[name].values()) / len(run[name]) for name in ids])
    return np.array(rows)


def _sentence(found: Comparison) -> str:
    where, difference = f"{found.task} ({found.part})", found.over_seeds.difference
    names = (found.first, found.second) if difference >= 0 else (found.second, found.first)
    if found.claimed:
        return (
            f"{where}: {names[0]} is better than {names[1]} by {_points(abs(difference))} "
            f"({_evidence(found)})."
        )
    start = f"{where}: no difference can be claimed between {names[0]} and {names[1]}: "
    why = found.over_seeds.why or found.over_examples.why
    if why:
        return f"{start}{why}."
    higher = f"{names[0]} is {_points(abs(difference))} higher" if difference else "they are equal"
    return (
        f"{start}{higher} ({_evidence(found)}), and runs differ by {_points(found.spread)} "
        "among themselves."
    )


def _evidence(found: Comparison) -> str:
    both, sign = found.both, 1 if found.over_seeds.difference >= 0 else -1
    assert both.low is not None
    assert both.high is not None
    ends = sorted((100 * sign * both.low, 100 * sign * both.high))
    text = (
        f"95 % interval {ends[0]:.2f} to {ends[1]:.2f}; p {_p(found.over_seeds.p)} over "
        f"{found.over_seeds.n} seeds, {_p(found.over_examples.p)} over {found.over_examples.n:,} "
        f"examples, {_p(both.p)} with both noises"
    )
    if found.pairs > 1:
        text += f"; {_p(found.p)} after Holm's correction for {found.pairs} pairs"
    return text


def _how(pairs: int) -> List[str]:
    lines = [
        "A difference is claimed if neither noise can have made it (each p below "
        f"{LEVEL}): that of training (paired t test over seeds), that of the test set (paired "
        f"bootstrap over examples, {RESAMPLES:,} resamples), and both together (the interval)."
    ]
    if pairs > 1:
        lines.append(
            "Where more than two models are compared, p is corrected for all pairs of the task "
            "by Holm's method; the intervals are not."
        )
    lines.append(
        "Each model is one checkpoint: another pre-training of the same recipe would differ, too, "
        "and no test here knows by how much."
    )
    return lines


def _points(share: float) -> str:
    return f"{100 * share:.2f} points"


def _p(value: Any) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
