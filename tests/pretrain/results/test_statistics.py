import numpy as np
import pytest

from pretrain.results.statistics import (
    both_noises,
    holm,
    paired_bootstrap,
    paired_t_test,
    summary,
    t_p_value,
    t_quantile,
)
from tests.pretrain.results.helpers import drawn


def by_seed(scores):
    return dict(enumerate(scores, 1))


def test_summary():
    found = summary([0.8, 0.9, 0.7])
    assert found == pytest.approx((3, 0.9, 0.8, 0.1))
    assert summary([0.5]).sd is None


# scipy.stats.t: 2 * sf(|t|, df), and isf(p / 2, df).
@pytest.mark.parametrize(
    ("t", "freedom", "right"),
    [
        (0, 4, 1.0),
        (0.5, 1, 0.7048327646991335),
        (2.5, 2, 0.12961172022151082),
        (1.2, 3.7, 0.3012923781518793),
        (-4.1, 9, 0.0026767060812376733),
        (12, 9, 7.699886222985653e-07),
        (1e-4, 4, 0.9999250000001563),
        (2, 11999, 0.045522762897603444),
    ],
)
def test_p_of_t(t, freedom, right):
    assert t_p_value(t, freedom) == pytest.approx(right, rel=1e-11)


@pytest.mark.parametrize(
    ("p", "freedom", "right"),
    [
        (0.05, 1, 12.706204736174705),
        (0.05, 4, 2.7764451051977943),
        (0.01, 9, 3.2498355415921263),
        (0.05, 3.7, 2.8675207071911903),
        (0.05, 1199, 1.9619444908394383),
    ],
)
def test_quantile_of_t(p, freedom, right):
    assert t_quantile(p, freedom) == pytest.approx(right, rel=1e-11)


def test_t_test_as_scipys_ttest_rel():
    a = by_seed([0.812, 0.805, 0.820, 0.799, 0.815])
    b = by_seed([0.801, 0.803, 0.804, 0.790, 0.811])
    found = paired_t_test(a, b)
    assert found.p == pytest.approx(0.028375438588283314, rel=1e-10)
    assert (found.low, found.high) == pytest.approx((0.0014533365661760318, 0.015346663433823893))
    assert found.difference == pytest.approx(0.0084)
    turned = paired_t_test(b, a)
    assert (turned.p, turned.low) == pytest.approx((found.p, -found.high))


def test_t_test_takes_the_seeds_that_both_have():
    found = paired_t_test({1: 0.5, 2: 0.7, 9: 0.0}, {2: 0.6, 1: 0.45, 3: 1.0})
    assert found.n == 2
    assert found.difference == pytest.approx(0.075)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [({1: 0.5}, {1: 0.4}, "one seed in common"), ({1: 0.5}, {2: 0.4}, "no seed in common")],
)
def test_t_test_needs_two_seeds(a, b, words):
    found = paired_t_test(a, b)
    assert (found.low, found.high, found.p) == (None, None, None)
    assert words in found.why


def test_ties_are_exact():
    same = by_seed([0.1, 0.2, 0.3])
    assert paired_t_test(same, same)[:4] == (0.0, 0.0, 0.0, 1.0)
    # The three differences are 0.1 but for rounding: no spread, so nothing is known of noise.
    found = paired_t_test(same, by_seed([0.0, 0.1, 0.2]))
    assert found.p is None
    assert "the same for all 3 seeds" in found.why
    right = np.array([[1, 0, 1, 1]])
    assert paired_bootstrap(right, right, 0)[:4] == (0.0, 0.0, 0.0, 1.0)
    assert "one example" in paired_bootstrap(right[:, :1], right[:, :1], 0).why
    assert paired_bootstrap(np.ones((2, 9)), np.zeros((2, 9)), 0).p is None


def test_bootstrap_finds_the_interval_of_the_normal_distribution():
    first, second = np.array(drawn(1, 5, 1200, 0.8)), np.array(drawn(2, 5, 1200, 0.79))
    found = paired_bootstrap(first, second, 0)
    differences = first.mean(axis=0) - second.mean(axis=0)
    error = differences.std() / np.sqrt(1200)
    assert found.difference == pytest.approx(differences.mean())
    assert found.error == pytest.approx(error, rel=0.03)
    reach = 1.96 * error
    assert found.low == pytest.approx(differences.mean() - reach, abs=0.1 * reach)
    assert found.high == pytest.approx(differences.mean() + reach, abs=0.1 * reach)
    assert found.p == pytest.approx(t_p_value(differences.mean() / error, 1199), abs=0.02)
    assert found == paired_bootstrap(first, second, 0)
    assert found != paired_bootstrap(first, second, 1)


@pytest.mark.parametrize("values", [2, 400])  # drawn by their number, and one by one
def test_bootstrap_of_few_and_of_many_different_values(values):
    rng = np.random.RandomState(3)
    first, second = rng.randint(values, size=(2, 400)) / (values - 1)
    found = paired_bootstrap(first, second, 0)
    assert found.error == pytest.approx((first - second).std() / 20, rel=0.03)
    order = rng.permutation(400)
    assert found.p == paired_bootstrap(first[order], second[order], 0).p


def test_bootstraps_p_counts_ties_for_both_sides():
    # Differences 1, 0, -1: as often above 0 as below, and often 0.
    assert paired_bootstrap([1, 0, 0], [0, 0, 1], 0).p == 1.0
    # One of two differs: draws are (0, 0) in a quarter of cases, so p is half.
    assert paired_bootstrap([1, 0], [0, 0], 0).p == pytest.approx(0.5, abs=0.02)


def test_both_noises_add_up():
    seeds = paired_t_test(by_seed([0.8, 0.83, 0.84]), by_seed([0.79, 0.8, 0.8]))
    examples = paired_bootstrap(*np.array([drawn(1, 1, 300, 0.8), drawn(2, 1, 300, 0.7)])[:, 0], 0)
    found = both_noises(seeds, examples)
    assert found.error == pytest.approx(np.hypot(seeds.error, examples.error))
    assert found.high - found.low > max(seeds.error, examples.error) * 2 * 1.96
    one = paired_t_test({1: 0.5}, {1: 0.4})
    assert both_noises(one, examples).why == one.why


def test_holm():
    # R: p.adjust(c(.04, .01, .03, .2), "holm")
    assert holm([0.04, 0.01, 0.03, 0.2]) == pytest.approx([0.09, 0.04, 0.09, 0.2])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_equal_models_are_seldom_called_different():
    """Both noises as large as one another, the hardest case: neither test alone sees all of it."""
    rng, wrong, trials = np.random.RandomState(4), 0, 200
    for _ in range(trials):
        ease = rng.normal(1, 1.5, size=500)
        runs = []
        for _ in range(2):
            ease_of_model = ease + 0.5 * rng.normal(size=500)
            runs.append(ease_of_model + 0.09 * rng.normal(size=(6, 1)) > 0)
        first, second = np.array(runs, dtype=float)
        seeds = paired_t_test(by_seed(first.mean(axis=1)), by_seed(second.mean(axis=1)))
        examples = paired_bootstrap(first, second, 0)
        tests = (seeds, examples, both_noises(seeds, examples))
        wrong += all(test.p is not None and test.p < 0.05 for test in tests)
    assert wrong <= 0.08 * trials  # 5 %, and what 200 trials leave to chance
