"""Summaries and paired tests of scores; NumPy alone.

R runs (seeds), N examples. A test says how large a difference is, and how often noise alone would
make one as large.
"""

import math
from typing import Mapping, NamedTuple, Optional, Sequence

import numpy as np

RESAMPLES = 10_000
_CELLS = 1_000_000  # of a chunk of resamples: 12 MB
_FEW = 64  # different values
_NOTHING = 1e-12  # a smaller difference of scores is one of rounding


class Summary(NamedTuple):
    """The scores of one model's runs in short; `sd` is that of a sample, None for one run."""

    n: int
    max: float
    mean: float
    sd: Optional[float]


class Test(NamedTuple):
    """A paired test: the mean difference, first minus second, and what is known of it."""

    difference: float
    low: Optional[float]  # 95 % interval; None where `p` is
    high: Optional[float]
    p: Optional[float]  # two-sided; None if the test cannot be made: `why` says it
    n: int  # pairs
    error: float = 0.0  # standard error of the difference
    why: str = ""


def summary(values: Sequence[float]) -> Summary:
    """Summarize the scores of runs, at least one."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Summary(len(values), float(max(values)), float(np.mean(values)), sd)


def paired_t_test(a: Mapping[int, float], b: Mapping[int, float]) -> Test:
    """Test a difference against the noise of training: paired t test over the seeds in both.

    a, b: score of each seed
    """
    seeds = sorted(set(a) & set(b))
    differences = np.array([a[seed] - b[seed] for seed in seeds])
    found = _without_noise(differences, "seed")
    if found is not None:
        return found
    error = float(np.std(differences, ddof=1)) / math.sqrt(len(seeds))
    return _t_test(float(np.mean(differences)), error, len(seeds) - 1, len(seeds))


def paired_bootstrap(scores_a: np.ndarray, scores_b: np.ndarray, seed: int) -> Test:
    """Test a difference against the noise of the test set: paired bootstrap over examples.

    scores_a, scores_b: [R, N] or [N]; runs are averaged for each example first
    The order of the examples changes nothing. The interval is that of the percentiles; p is the
    level at which it just meets 0.
    """
    differences = _by_example(scores_a) - _by_example(scores_b)
    found = _without_noise(differences, "example")
    if found is not None:
        return found
    means = _resampled_means(differences, seed)
    low, high = np.percentile(means, [2.5, 97.5])
    rarer = min(int((means <= 0).sum()), int((means >= 0).sum()))
    return Test(
        float(np.mean(differences)),
        float(low),
        float(high),
        min(1.0, 2 * (rarer + 1) / (RESAMPLES + 1)),
        len(differences),
        float(np.std(means, ddof=1)),
    )


def both_noises(over_seeds: Test, over_examples: Test) -> Test:
    """Test a difference against the noise of training and of the test set at once.

    Each of the two tests holds the other's noise for part of the difference: of equal models with
    both noises alike, ten seeds and 1,000 examples, both tests at 5 % called 11 % different, with
    this one 5 % (400 trials). Here the squares of their standard errors add up; degrees of freedom
    by Satterthwaite's rule.
    """
    difference, n = over_seeds.difference, over_seeds.n
    missing = over_seeds.why or over_examples.why
    if missing:
        return Test(difference, None, None, None, n, why=missing)
    squares = (over_seeds.error**2, over_examples.error**2)
    if not sum(squares):
        return Test(difference, difference, difference, 1.0, n)
    parts = squares[0] ** 2 / (over_seeds.n - 1) + squares[1] ** 2 / (over_examples.n - 1)
    return _t_test(difference, math.sqrt(sum(squares)), sum(squares) ** 2 / parts, n)


def holm(values: Sequence[float]) -> Sequence[float]:
    """Correct p values for their number (Holm 1979): as many true nulls as there may be, a false
    claim among all of them stays as rare as it would be in a single test.
    """
    adjusted, least = [0.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=lambda i: values[i])):
        least = max(least, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = least
    return adjusted


def t_p_value(t: float, freedom: float) -> float:
    """Compute the two-sided p value of Student's t; `freedom` need not be whole."""
    # The smaller of x and 1 - x is computed from t itself, so that nothing is lost by 1 - x.
    square = t * t
    x, rest = freedom / (freedom + square), square / (freedom + square)
    a, b = freedom / 2, 0.5
    if x < (a + 1) / (a + b + 2):
        return _beta_fraction(x, rest, a, b)
    return 1 - _beta_fraction(rest, x, b, a)


def t_quantile(p: float, freedom: float) -> float:
    """Compute the t that has the two-sided p value `p`, by halving an interval."""
    low, high = 0.0, 1.0
    while t_p_value(high, freedom) > p:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        if t_p_value(middle, freedom) > p:
            low = middle
        else:
            high = middle
    return high


def _t_test(difference: float, error: float, freedom: float, n: int) -> Test:
    reach = t_quantile(0.05, freedom) * error
    p = t_p_value(difference / error, freedom)
    return Test(difference, difference - reach, difference + reach, p, n, error)


def _without_noise(differences: np.ndarray, unit: str) -> Optional[Test]:
    """The answer where no spread can be estimated; None where one can."""
    n = len(differences)
    if n < 2:
        mean = float(differences[0]) if n else math.nan
        why = f"both have {'one' if n else 'no'} {unit} in common, and a test needs two"
        return Test(mean, None, None, None, n, why=why)
    mean = float(np.mean(differences))
    if np.ptp(differences) > _NOTHING:
        return None
    if abs(mean) <= _NOTHING:
        return Test(0.0, 0.0, 0.0, 1.0, n)
    # p would be 0 however few there are: scores are in steps, and two runs can agree by chance.
    why = f"the difference is the same for all {n:,} {unit}s, so their noise is not known"
    return Test(mean, None, None, None, n, why=why)


def _by_example(scores: np.ndarray) -> np.ndarray:
    return np.asarray(np.atleast_2d(scores).mean(axis=0))


def _resampled_means(differences: np.ndarray, seed: int) -> np.ndarray:
    """Means of RESAMPLES draws of N from N, float [RESAMPLES]; what is 0 but for rounding is 0."""
    n, rng = len(differences), np.random.RandomState(seed)
    values, counts = np.unique(np.round(differences, 12), return_counts=True)
    means = []
    if len(values) <= _FEW:  # as accuracies have: draw how often each comes, 100 times as fast
        means.append(rng.multinomial(n, counts / n, size=RESAMPLES) @ values / n)
    else:
        values, rows = np.repeat(values, counts), max(1, _CELLS // n)
        for start in range(0, RESAMPLES, rows):
            shape = (min(rows, RESAMPLES - start), n)
            means.append(values[rng.randint(n, size=shape, dtype=np.int32)].mean(axis=1))
    joined = np.concatenate(means)
    return np.where(np.abs(joined) <= _NOTHING, 0.0, joined)


def _beta_fraction(x: float, rest: float, a: float, b: float) -> float:
    """Compute the regularized incomplete beta function I_x(a, b).

    x: below (a + 1) / (a + b + 2), where the fraction converges fast
    rest: 1 - x
    The continued fraction is DLMF 8.17.22, evaluated by Lentz's method.
    """
    if x == 0:
        return 0.0
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(scale + a * math.log(x) + b * math.log(rest)) / a
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / (1 + term * d)
            c = 1 + term / c
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * value
