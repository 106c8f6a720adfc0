import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.core.random_draws import seed_for
from data_gen.masking.placement import CapCost, MaskableWords, MaskBudget
from data_gen.masking.selectors import SELECTORS

NOMINAL = [0.4, 0.3, 0.2, 0.1]  # MacBERT paper, IV-A
sizes = st.lists(st.integers(1, 6), max_size=40)


def words_of(*instances):
    """Words of instances, each given as runs of sizes."""
    runs = [run for runs in instances for run in runs]
    ends = np.cumsum([0, *map(len, runs)])
    starts = np.cumsum([0, *(sum(map(len, runs)) for runs in instances)])
    counts = [len(run) for run in runs]
    return MaskableWords(
        starts,
        np.array([size for run in runs for size in run], np.int64),
        np.repeat(ends[:-1], counts),
        np.repeat(ends[1:], counts),
    )


def seeds_of(count, name=0):
    return np.array([seed_for(1, name, i) for i in range(count)], np.uint64)


def free(ngrams):
    """No n-gram costs anything."""
    none = np.zeros(len(ngrams.start), np.int64)
    return CapCost(none, none)


def cost_where(dear, pieces=100):
    """A cost of so many pieces where `dear(start, length)` says so."""

    def cost(ngrams):
        places = zip(ngrams.start.tolist(), ngrams.length.tolist())
        some = np.array([pieces * bool(dear(*place)) for place in places], np.int64)
        return CapCost(some, some)

    return cost


def select(name, words, budget, most, seed=0, cost=free, weights=NOMINAL, room=3, **more):
    """Choose n-grams; `budget` is one for all instances or a list."""
    count = len(words.instances) - 1
    budget = np.broadcast_to(np.array(budget, float), count)
    scarce = np.full(count, more.pop("scarce", False))
    settings = MaskBudget(budget, most, weights, np.full(count, room), scarce, **more)
    return SELECTORS[name].select(words, settings, seeds_of(count, seed), cost)


def masked(selection):
    """The words that are masked, of each n-gram."""
    ngrams = selection.ngrams
    return [list(range(s, s + n)) for s, n in zip(ngrams.start.tolist(), ngrams.length.tolist())]


@pytest.mark.parametrize("name", sorted(SELECTORS))
def test_what_always_holds(name):
    @given(
        instances=st.lists(st.tuples(sizes, sizes), min_size=1, max_size=3),
        share=st.floats(0.01, 0.9),
        most=st.integers(1, 30),
        seed=st.integers(),
    )
    def check(instances, share, most, seed):
        words = words_of(*instances)
        budget = [share * sum(a + b) for a, b in instances]
        chosen = select(name, words, budget, most, seed)
        again = select(name, words, budget, most, seed)
        assert [column.tolist() for column in chosen.ngrams] == [
            column.tolist() for column in again.ngrams
        ]
        assert chosen.refused == 0
        assert not chosen.past_the_cap.any()
        every = [word for ngram in masked(chosen) for word in ngram]
        assert every == sorted(set(every))
        for i, (ngram, own) in enumerate(zip(masked(chosen), chosen.ngrams.instance.tolist())):
            assert 1 <= len(ngram) <= (4 if name.startswith("ngram") else 1), i
            assert words.instances[own] <= ngram[0]
            assert ngram[-1] < words.run_last[ngram[0]] <= words.instances[own + 1]
        for own, (a, b) in enumerate(instances):
            mine = [
                word for word in every if words.instances[own] <= word < words.instances[own + 1]
            ]
            assert sum(words.sizes[mine]) <= most
            # nothing is masked only where nothing fits
            assert bool(mine) == (min(a + b, default=most + 1) <= most)

    check()


@pytest.mark.parametrize("name", sorted(SELECTORS))
def test_a_refused_ngram_is_never_chosen(name):
    words = words_of(*[([2] * 20, [1] * 20)] * 50)
    cost = cost_where(lambda start, length: start % 40 < 20)
    chosen = select(name, words, 8, 20, cost=cost)
    assert set(chosen.ngrams.instance.tolist()) == set(range(50))
    assert not [start for start in chosen.ngrams.start.tolist() if start % 40 < 20]
    # once each, however many places were tried
    assert 0 < chosen.refused <= 50 * 20


@pytest.mark.parametrize("scarce", [False, True])
@pytest.mark.parametrize("name", sorted(SELECTORS))
def test_fallbacks_stop_at_the_room_for_them(name, scarce):
    words = words_of(*[([1] * 20, [1] * 20)] * 50)
    cost = cost_where(lambda start, length: start % 2, pieces=2)
    chosen = select(name, words, 30, 40, cost=cost, room=5, scarce=scarce)
    dear = np.bincount(chosen.ngrams.instance[chosen.ngrams.start % 2 == 1], minlength=50)
    assert dear.max() == 2  # of two pieces each


def test_where_similar_words_are_scarce_planned_ngrams_spare_the_room_for_fallbacks():
    """Four-grams that come late would find none left."""
    words = many(300, 128)
    lengths = {}
    for scarce in (False, True):
        cost = cost_where(lambda start, length: start % 5 or length == 1, pieces=2)
        chosen = select("ngram", words, 19.2, 24, cost=cost, room=2, scarce=scarce)
        lengths[scarce] = np.bincount(chosen.ngrams.length, minlength=5)[4]
    assert lengths[True] > 1.05 * lengths[False]


@pytest.mark.parametrize("name", sorted(SELECTORS))
def test_past_the_cap_words_may_be_kept_instead(name):
    words = words_of(*[([1] * 20, [1] * 20)] * 50)
    cost = cost_where(lambda start, length: True, pieces=2)
    chosen = select(name, words, 12, 40, cost=cost, room=5, past_the_cap="keep")
    assert chosen.refused == 0
    past = np.bincount(chosen.ngrams.instance[chosen.past_the_cap], minlength=50)
    within = np.bincount(chosen.ngrams.instance[~chosen.past_the_cap], minlength=50)
    assert past.min() > 0
    assert within.tolist() == [2] * 50  # of two pieces each; what is kept takes no room


def realistic(rng, length):
    """Two segments of words with the lengths of Chinese ones, `length` pieces with specials."""
    a, b = [], []
    room = length - 3
    cut = rng.randrange(room // 4, room * 3 // 4)
    for segment, pieces in ((a, cut), (b, room - cut)):
        while sum(segment) < pieces:
            size = rng.choices([1, 2, 3, 4, 5, 8], [470, 455, 49, 22, 3, 1])[0]
            segment.append(min(size, pieces - sum(segment)))
    return a, b


def many(rounds, length, seed=5):
    rng = random.Random(seed)
    return words_of(*(realistic(rng, length) for _ in range(rounds)))


def test_words_at_the_edges_are_masked_like_the_others():
    """With starts drawn instead of words the first would be masked half as often as others."""
    chosen = select("ngram", words_of(*[([1] * 40, [1] * 40)] * 6000), 12, 40)
    times = Counter(word % 80 for ngram in masked(chosen) for word in ngram)
    mean = sum(times.values()) / 80
    for edge in (range(4), range(36, 40), range(40, 44), range(76, 80)):
        assert sum(times[word] for word in edge) / 4 == pytest.approx(mean, rel=0.08)


@pytest.mark.parametrize(("length", "most"), [(128, 24), (512, 84)])
@pytest.mark.parametrize("name", sorted(set(SELECTORS) - {"ngram_in_order", "piece"}))
def test_the_promised_distributions(name, length, most):
    rounds = 800_000 // length
    words = many(rounds, length, length)
    chosen = select(name, words, 0.15 * length, most)
    every = np.array([word for ngram in masked(chosen) for word in ngram])
    pieces = words.sizes[every]
    assert pieces.sum() / (rounds * length) == pytest.approx(0.15, abs=0.003)
    if name == "ngram":
        assert shares(chosen) == pytest.approx(NOMINAL, abs=0.01)
    place = np.concatenate([[0], np.cumsum(words.sizes)])
    instance = np.searchsorted(words.instances, np.arange(len(words.sizes)), side="right") - 1
    decile = (place[:-1] - place[words.instances[instance]]) * 10 // (length - 3)
    all_pieces = np.bincount(decile, words.sizes)
    assert np.bincount(decile[every], pieces) / all_pieces == pytest.approx(
        np.full(10, pieces.sum() / words.sizes.sum()), rel=0.08
    )
    long = words.sizes >= 4
    assert long[every].sum() / long.sum() == pytest.approx(len(every) / len(long), rel=0.1)


def shares(selection):
    lengths = selection.ngrams.length
    return (np.bincount(lengths, minlength=5)[1:] / len(lengths)).tolist()


def realise(budget, most, cost=free, name="ngram", rounds=3000, **policy):
    """Shares of n, share of the words and of the pieces that are masked, in many instances."""
    words = many(rounds, 128, 0)
    selection = select(name, words, budget, most, 0, cost, **policy)
    chosen = Counter(selection.ngrams.length.tolist())
    every = [word for ngram in masked(selection) for word in ngram]
    realised = [chosen[n] / sum(chosen.values()) for n in (1, 2, 3, 4)]
    pieces = words.sizes[every].sum() / (rounds * 128)
    return realised, len(every) / len(words.sizes), pieces


def test_the_budget_may_be_of_words():
    mean_words = 80.3  # of `realistic` at length 128
    realised, words, _ = realise(0.15 * mean_words, 40, budget_unit="word")
    assert words == pytest.approx(0.15, abs=0.003)
    assert realised == pytest.approx(NOMINAL, abs=0.01)


def test_shortening_what_exceeds_the_budget_never_exceeds_it_and_shifts_the_shares():
    """What google-research/albert does: PEERS' measurement of the nominal 40/30/20/10."""
    words = many(200, 128)
    chosen = select("ngram", words, 19.2, 40, over_budget="shorten")
    for own in range(200):
        mine = [n for n, i in zip(masked(chosen), chosen.ngrams.instance.tolist()) if i == own]
        assert words.sizes[[word for ngram in mine for word in ngram]].sum() == 19
    assert chosen.shortened > 0
    realised, _, pieces = realise(19.2, 40, over_budget="shorten")
    assert realised[0] > 0.43
    assert pieces == pytest.approx(19 / 128, abs=1e-9)


def test_an_ngram_that_finds_no_place_loses_words():
    no_fours = cost_where(lambda start, length: length == 4)
    chosen = select("ngram", many(300, 128), 19.2, 40, cost=no_fours)
    assert set(chosen.ngrams.length.tolist()) == {1, 2, 3}
    realised, _, pieces = realise(19.2, 40, no_fours)
    assert realised == pytest.approx([0.4, 0.3, 0.3, 0.0], abs=0.02)
    assert pieces == pytest.approx(0.15, abs=0.003)
    assert chosen.shortened == chosen.refused > 100


@pytest.mark.parametrize("most", [28, 128])
def test_in_order_the_shares_and_the_average_are_kept(most):
    """MacBERT#13: the budget is the average, the shares of n are kept."""
    realised, _, pieces = realise(19.2, most, name="ngram_in_order")
    assert realised == pytest.approx(NOMINAL, abs=0.01)
    assert pieces == pytest.approx(0.15, abs=0.005)


def test_in_order_what_is_refused_waits_for_the_next_word():
    """Shortened, it would give single words for n-grams where few words have similar ones."""
    dear = cost_where(lambda start, length: start % 3 == 0)
    realised, _, pieces = realise(19.2, 128, dear, name="ngram_in_order")
    assert realised == pytest.approx(NOMINAL, abs=0.01)
    assert pieces == pytest.approx(0.15, abs=0.01)


def test_the_longest_of_what_surely_fits_come_first():
    """There is still room for them, and for words without a similar one."""
    order = {}

    def noting(ngrams):
        for own, length in zip(ngrams.instance.tolist(), ngrams.length.tolist()):
            order.setdefault(own, []).append(length)
        return free(ngrams)

    select("ngram", many(50, 512), 76.8, 84, cost=noting)
    for lengths in order.values():
        assert lengths[:12] == sorted(lengths[:12], reverse=True)
