import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.core.random_draws import seed_for
from data_gen.masking.placement import MaskableWords, MaskBudget
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


class Judge:
    """Allows what a function of (start, length) allows, and notes what is taken."""

    def __init__(self, allow=None):
        self.allow = allow
        self.taken = 0

    def allows(self, ngrams):
        places = zip(ngrams.start.tolist(), ngrams.length.tolist())
        return np.array([not self.allow or self.allow(*place) for place in places], bool)

    def take(self, ngrams):
        assert len(set(ngrams.instance.tolist())) == len(ngrams.instance)
        allowed = self.allows(ngrams)
        self.taken += int(allowed.sum())
        return allowed


def select(name, words, budget, most, seed=0, judge=None, weights=NOMINAL, **policy):
    """Choose n-grams; `budget` is one for all instances or a list."""
    count = len(words.instances) - 1
    budget = np.broadcast_to(np.array(budget, float), count)
    settings = MaskBudget(budget, most, weights, **policy)
    return SELECTORS[name](words, settings, seeds_of(count, seed), judge or Judge())


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
        judge = Judge()
        chosen = select(name, words, budget, most, seed, judge)
        again = select(name, words, budget, most, seed)
        assert [column.tolist() for column in chosen.ngrams] == [
            column.tolist() for column in again.ngrams
        ]
        assert judge.taken == len(chosen.ngrams.start)
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
    judge = Judge(lambda start, length: start % 40 >= 20)
    chosen = select(name, words, 8, 20, judge=judge)
    assert set(chosen.ngrams.instance.tolist()) == set(range(50))
    assert not [start for start in chosen.ngrams.start.tolist() if start % 40 < 20]


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


def realise(budget, most, judge=None, name="ngram", rounds=3000, **policy):
    """Shares of n, masked words and masked pieces of many instances, chosen in groups."""
    chosen = Counter()
    masked_words = pieces = all_words = 0
    owed = ()
    for group in range(10):
        words = many(rounds // 10, 128, group)
        selection = select(name, words, budget, most, group, judge, owed=owed, **policy)
        owed = selection.owed
        chosen.update(selection.ngrams.length.tolist())
        every = [word for ngram in masked(selection) for word in ngram]
        masked_words += len(every)
        pieces += words.sizes[every].sum()
        all_words += len(words.sizes)
    realised = [chosen[n] / sum(chosen.values()) for n in (1, 2, 3, 4)]
    return realised, masked_words / all_words, pieces / (rounds * 128)


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


def test_lengths_that_find_no_place_are_owed_to_the_next_instances():
    """Where few words may be masked, long n-grams rarely fit: shortening them shifts the shares."""
    realised, _, _ = realise(19.2, 40, Judge(lambda start, length: length < 4 or start < 12_000))
    assert realised == pytest.approx(NOMINAL, abs=0.015)
    hard = Judge(lambda start, length: length < 4)
    owed = select("ngram", many(300, 128), 19.2, 40, judge=hard).owed
    assert len(owed) > 100
    assert set(owed) == {4}


def test_each_instance_pays_one_debt():
    chosen = select("ngram", many(20, 128), 19.2, 40, owed=(4,) * 30, weights=[1.0, 0, 0, 0])
    fours = chosen.ngrams.instance[chosen.ngrams.length == 4]
    assert sorted(fours.tolist()) == [*range(20)]
    assert chosen.owed == [4] * 10


def test_a_debt_does_not_overflow_a_short_instance():
    chosen = select("ngram", words_of(([1] * 10, [1] * 10)), 3, 24, owed=(4,) * 6)
    assert chosen.ngrams.length.sum() <= 6
    assert len(chosen.owed) == 6


@pytest.mark.parametrize("most", [28, 128])
def test_in_order_the_shares_and_the_average_are_kept(most):
    """MacBERT#13: the budget is the average, the shares of n are kept."""
    realised, _, pieces = realise(19.2, most, name="ngram_in_order")
    assert realised == pytest.approx(NOMINAL, abs=0.01)
    assert pieces == pytest.approx(0.15, abs=0.005)


def test_in_order_what_is_refused_waits_for_the_next_word():
    """Shortened, it would give single words for n-grams where few words have similar ones."""
    judge = Judge(lambda start, length: start % 3 > 0)
    realised, _, pieces = realise(19.2, 128, judge, name="ngram_in_order")
    assert realised == pytest.approx(NOMINAL, abs=0.01)
    assert pieces == pytest.approx(0.15, abs=0.01)


def test_the_longest_of_what_surely_fits_come_first():
    """There is still room for them, and for words without a similar one."""
    order = {}

    class Noting(Judge):
        def take(self, ngrams):
            for own, length in zip(ngrams.instance.tolist(), ngrams.length.tolist()):
                order.setdefault(own, []).append(length)

    select("ngram", many(50, 512), 76.8, 84, judge=Noting())
    for lengths in order.values():
        assert lengths[:12] == sorted(lengths[:12], reverse=True)
