import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.masking import SELECTORS, Policy
from data_gen.types import Span

NOMINAL = [0.4, 0.3, 0.2, 0.1]  # MacBERT paper, IV-A
sizes = st.lists(st.integers(1, 6), max_size=40)


def spans(sizes, start=1):
    words = []
    for size in sizes:
        words.append(Span(start, start + size))
        start += size
    return words


def segments(a, b):
    first = spans(a)
    return first, spans(b, (first[-1].stop if first else 1) + 1)


def accept_all(ngram):
    return True


@pytest.mark.parametrize("name", sorted(SELECTORS))
def test_what_always_holds(name):
    @given(
        a=sizes, b=sizes, share=st.floats(0.01, 0.9), most=st.integers(1, 30), seed=st.integers()
    )
    def check(a, b, share, most, seed):
        words = segments(a, b)
        policy = Policy(share * sum(a + b), most, NOMINAL)
        chosen = SELECTORS[name](words, policy, random.Random(seed), accept_all)
        assert chosen == SELECTORS[name](words, policy, random.Random(seed), accept_all)
        units = [word for ngram in chosen.ngrams for word in ngram]
        pieces = [i for word in units for i in range(*word)]
        assert len(set(pieces)) == len(pieces) <= most
        assert chosen.ngrams == sorted(chosen.ngrams)
        if name != "piece":
            assert set(units) <= {*words[0], *words[1]}
        for ngram in chosen.ngrams:
            assert 1 <= len(ngram) <= (4 if name.startswith("ngram") else 1)
            assert any(set(ngram) <= set(segment) for segment in words) or name == "piece"
            assert all(left.stop == right.start for left, right in zip(ngram, ngram[1:]))
        # nothing is masked only where nothing fits
        smallest = 1 if name == "piece" and a + b else min(a + b, default=most + 1)
        assert bool(units) == (smallest <= most)

    check()


@pytest.mark.parametrize("name", sorted(SELECTORS))
def test_a_refused_ngram_is_never_chosen(name, rng):
    words = segments([2] * 20, [1] * 20)
    refused = set(words[0])
    allowed = set(words[1])
    chosen = SELECTORS[name](
        words, Policy(8, 20, NOMINAL), rng, lambda ngram: all(word in allowed for word in ngram)
    )
    assert chosen.ngrams
    assert not refused & {word for ngram in chosen.ngrams for word in ngram}


def realistic(rng, length):
    """Two segments of words with the lengths of Chinese ones, `length` pieces with specials."""
    a, b = [], []
    room = length - 3
    cut = rng.randrange(room // 4, room * 3 // 4)
    for segment, pieces in ((a, cut), (b, room - cut)):
        while sum(segment) < pieces:
            size = rng.choices([1, 2, 3, 4, 5, 8], [470, 455, 49, 22, 3, 1])[0]
            segment.append(min(size, pieces - sum(segment)))
    return segments(a, b)


def test_words_at_the_edges_are_masked_like_the_others(rng):
    """With starts drawn instead of words the first would be masked half as often as others."""
    words = segments([1] * 40, [1] * 40)
    edges = [words[0][:4], words[0][-4:], words[1][:4], words[1][-4:]]
    masked = Counter()
    for _ in range(6000):
        chosen = SELECTORS["ngram"](words, Policy(12, 40, NOMINAL), rng, accept_all)
        masked.update(word for ngram in chosen.ngrams for word in ngram)
    mean = sum(masked.values()) / 80
    for edge in edges:
        assert sum(masked[word] for word in edge) / 4 == pytest.approx(mean, rel=0.08)


@pytest.mark.parametrize(("length", "most"), [(128, 24), (512, 84)])
@pytest.mark.parametrize("name", sorted(set(SELECTORS) - {"ngram_in_order"}))
def test_the_promised_distributions(name, length, most):
    rng = random.Random(length)
    lengths, by_decile, maskable = Counter(), Counter(), Counter()
    by_size, size_masked = Counter(), Counter()
    masked = total = 0
    rounds = 400_000 // length
    for _ in range(rounds):
        words = realistic(rng, length)
        chosen = SELECTORS[name](words, Policy(0.15 * length, most, NOMINAL), rng, accept_all)
        lengths.update(len(ngram) for ngram in chosen.ngrams)
        units = [word for ngram in chosen.ngrams for word in ngram]
        positions = [i for word in units for i in range(*word)]
        masked += len(positions)
        total += length
        by_decile.update(i * 10 // length for i in positions)
        everything = [*words[0], *words[1]]
        maskable.update(i * 10 // length for word in everything for i in range(*word))
        by_size.update("long" if word.size >= 4 else "short" for word in everything)
        size_masked.update("long" if word.size >= 4 else "short" for word in units)
    assert masked / total == pytest.approx(0.15, abs=0.003)
    if name == "ngram":
        shares = [lengths[n] / sum(lengths.values()) for n in (1, 2, 3, 4)]
        assert shares == pytest.approx(NOMINAL, abs=0.01)
    for decile in range(10):
        share = by_decile[decile] / maskable[decile]
        assert share == pytest.approx(masked / sum(maskable.values()), rel=0.08)
    if name != "piece":
        long, short = (size_masked[kind] / by_size[kind] for kind in ("long", "short"))
        assert long == pytest.approx(short, rel=0.1)


def realise(policy, rounds=3000, length=128, accept=accept_all, name="ngram"):
    """Shares of n, masked words and masked pieces of many instances."""
    rng = random.Random(5)
    lengths, words, pieces, all_words = Counter(), 0, 0, 0
    owed = ()
    for _ in range(rounds):
        segmented = realistic(rng, length)
        chosen = SELECTORS[name](segmented, policy._replace(owed=owed), rng, accept)
        owed = chosen.owed
        lengths.update(len(ngram) for ngram in chosen.ngrams)
        words += sum(len(ngram) for ngram in chosen.ngrams)
        pieces += sum(ngram[-1].stop - ngram[0].start for ngram in chosen.ngrams)
        all_words += sum(map(len, segmented))
    shares = [lengths[n] / sum(lengths.values()) for n in (1, 2, 3, 4)]
    return shares, words / all_words, pieces / (rounds * length)


def test_the_budget_may_be_of_words():
    mean_words = 80.3  # of `realistic` at length 128
    policy = Policy(0.15 * mean_words, 40, NOMINAL, budget_unit="word")
    shares, words, _ = realise(policy)
    assert words == pytest.approx(0.15, abs=0.003)
    assert shares == pytest.approx(NOMINAL, abs=0.01)


def test_shortening_what_exceeds_the_budget_never_exceeds_it_and_shifts_the_shares():
    """What google-research/albert does: PEERS' measurement of the nominal 40/30/20/10."""
    policy = Policy(19.2, 40, NOMINAL, over_budget="shorten")
    rng = random.Random(1)
    for _ in range(200):
        chosen = SELECTORS["ngram"](realistic(rng, 128), policy, rng, accept_all)
        assert sum(word.size for ngram in chosen.ngrams for word in ngram) == 19
    shares, _, pieces = realise(policy)
    assert shares[0] > 0.43
    assert pieces == pytest.approx(19 / 128, abs=1e-9)


def test_lengths_that_find_no_place_are_owed_to_the_next_instance():
    """Where few words may be masked, long n-grams rarely fit: shortening them shifts the shares."""

    def picky(ngram):  # in one instance of three refuses what is long, as the cap on fallbacks may
        return len(ngram) < 4 or picky.calls % 3 != 0

    def instance(seed, owed):
        picky.calls += 1
        policy = Policy(19.2, 40, NOMINAL, owed=owed)
        return SELECTORS["ngram"](realistic(rng, 128), policy, random.Random(seed), picky)

    picky.calls = 0
    rng = random.Random(5)
    lengths, owed, debt = Counter(), (), 0
    for seed in range(3000):
        chosen = instance(seed, owed)
        lengths.update(len(ngram) for ngram in chosen.ngrams)
        owed = chosen.owed
        debt += len(owed)
    assert debt > 1000
    shares = [lengths[n] / sum(lengths.values()) for n in (1, 2, 3, 4)]
    assert shares == pytest.approx(NOMINAL, abs=0.015)


def test_a_debt_does_not_overflow_a_short_instance(rng):
    policy = Policy(3, 24, NOMINAL, owed=(4,) * 6)
    chosen = SELECTORS["ngram"](segments([1] * 10, [1] * 10), policy, rng, accept_all)
    assert sum(len(ngram) for ngram in chosen.ngrams) <= 6
    assert len(chosen.owed) == 6


@pytest.mark.parametrize("most", [28, 128])
def test_in_order_the_pointer_never_goes_back(most):
    """MacBERT#13: the budget is the average, the shares of n are kept."""
    rng = random.Random(3)
    for _ in range(300):
        chosen = SELECTORS["ngram_in_order"](
            realistic(rng, 128), Policy(19.2, most, NOMINAL), rng, accept_all
        )
        starts = [ngram[0].start for ngram in chosen.ngrams]
        assert starts == sorted(starts)
    shares, _, pieces = realise(Policy(19.2, most, NOMINAL), name="ngram_in_order")
    assert shares == pytest.approx(NOMINAL, abs=0.01)
    assert pieces == pytest.approx(0.15, abs=0.005)


def test_in_order_what_is_refused_waits_for_the_next_word():
    """Shortened, it would give single words for n-grams where few words have similar ones."""

    def refuse_a_third(ngram):
        return ngram[0].start % 3 > 0

    policy = Policy(19.2, 128, NOMINAL)
    shares, _, pieces = realise(policy, accept=refuse_a_third, name="ngram_in_order")
    assert shares == pytest.approx(NOMINAL, abs=0.01)
    assert pieces == pytest.approx(0.15, abs=0.01)
