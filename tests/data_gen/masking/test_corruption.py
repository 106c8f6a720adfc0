from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.core.columns import TokenizedBlock
from data_gen.core.random_draws import seed_for
from data_gen.masking.corruption import CORRUPTION_UNITS, CORRUPTIONS, KINDS
from data_gen.masking.placement import Ngrams
from data_gen.masking.replacement import CorruptionRules, RandomWords, Replacer
from data_gen.synonyms.lexicon import CANDIDATE_CHOICES, CandidateCache
from tests.data_gen.helpers import OneByOne

MASK = 103
POOL = np.arange(5000, 5100)
SIMILAR = {(1, 2): [((11, 12), 0.9), ((13, 14), 0.5)], (3,): [((30,), 0.8)]}


class Table(OneByOne):
    """A lookup of similar words from a dictionary."""

    def __call__(self, word):
        return SIMILAR.get(word, ())

    def source(self, word):
        return "table" if self(word) else ""

    def missing(self, word):
        return "not in the table"


class Spelling:
    """What a lexicon asks of a tokenizer."""

    unk = 0
    pieces = range(5100)
    chinese_pieces = np.zeros(5100, bool)
    spelt = tuple(map(str, pieces))

    def join(self, pieces):
        return "-".join(map(str, pieces))


class Case:
    """The same words in each of `count` instances, all of them neighbours."""

    def __init__(self, name, words, count=1, unit="word", choice="uniform", cap="fallback"):
        every = list(words) * count
        bounds = np.cumsum([0, *map(len, every)])
        self.text = TokenizedBlock(
            np.array([piece for word in every for piece in word], np.int32),
            bounds,
            np.arange(count + 1) * len(words),
            np.arange(count + 1),
        )
        candidates = CandidateCache(Table(), Spelling(), CANDIDATE_CHOICES[choice])
        rules = CorruptionRules(CORRUPTIONS[name], unit, MASK, POOL, candidates, cap)
        self.replacer = Replacer(rules, self.text.sizes, candidates.numbers(self.text))
        self.words, self.count = len(words), count

    def ngrams(self, first, last, seed=0):
        """The n-gram of words [first, last) of every instance."""
        instance = np.arange(self.count)
        seeds = np.array([seed_for(seed, first, last, i) for i in range(self.count)], np.uint64)
        start = instance * self.words + first
        return Ngrams(instance, start, np.full(self.count, last - first), seeds)

    def replaced(self, ngrams, words=None, past=False):
        """(number of the word in its instance, place, kind, new piece) of each masked piece."""
        past = np.full(len(ngrams.start), past)
        rows = self.replacer.replace(ngrams, past, words, self.text)
        kinds = [KINDS[kind] for kind in rows.kind.tolist()]
        return list(
            zip((rows.word % self.words).tolist(), rows.place.tolist(), kinds, rows.piece.tolist())
        )


def drawn(case, ngrams):
    """The shares of the kinds before any became a fallback."""
    past = np.zeros(len(ngrams.start), bool)
    counts = case.replacer.replace(ngrams, past, None, case.text).drawn
    return {kind: n / counts.sum() for kind, n in zip(KINDS, counts.tolist()) if n}


# The paper's Table: share of [MASK], similar, random and kept words (VII-B)
NOMINAL = {
    "partial_mask": {"mask": 0.8, "random": 0.1, "keep": 0.1},
    "all_mask": {"mask": 0.9, "keep": 0.1},
    "random": {"random": 0.9, "keep": 0.1},
    "similar": {"similar": 0.8, "random": 0.1, "keep": 0.1},
}


@pytest.mark.parametrize("name", sorted(CORRUPTIONS))
def test_the_four_kinds_have_the_papers_shares(name):
    case = Case(name, [(9,)] * 4, 25_000)
    assert drawn(case, case.ngrams(0, 4)) == pytest.approx(NOMINAL[name], abs=0.005)


@pytest.mark.parametrize("unit", CORRUPTION_UNITS)
@pytest.mark.parametrize("name", sorted(set(CORRUPTIONS) - {"similar"}))
def test_every_replacement_is_of_its_kind(name, unit):
    @given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), seed=st.integers())
    def check(sizes, seed):
        case = Case(name, [(9,) * size for size in sizes], 3, unit)
        ngrams = case.ngrams(0, len(sizes), seed)
        assert not case.replacer.cap_cost(ngrams).fallback.any()
        rows = case.replaced(ngrams)
        expected = [(word, place) for word, size in enumerate(sizes) for place in range(size)]
        assert [row[:2] for row in rows] == expected * 3
        units = {
            "ngram": lambda i: i // len(expected),
            "word": lambda i: (i // len(expected), rows[i][0]),
            "piece": lambda i: i,
        }
        kinds = {}
        for i, (_, _, kind, new) in enumerate(rows):
            assert kinds.setdefault(units[unit](i), kind) == kind
            assert new in {"mask": {MASK}, "random": set(POOL.tolist()), "keep": {-1}}[kind]

    check()


def test_similar_words_replace_whole_words_by_words_of_the_same_size():
    case = Case("similar", [(1, 2), (3,)], 300)
    seen = Counter()
    rows = case.replaced(case.ngrams(0, 2))
    for (word, _, kind, new), (same, place, _, second) in zip(rows, rows[1:]):
        if kind == "similar" and word == 0 and (same, place) == (0, 1):
            seen[new, second] += 1
        if kind == "similar" and word == 1:
            seen[(new,)] += 1
    assert set(seen) == {(11, 12), (13, 14), (30,)}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("first", {11: 1.0}),
        ("uniform", {11: 0.5, 13: 0.5}),
        ("weighted", {11: 0.9 / 1.4, 13: 0.5 / 1.4}),
    ],
)
def test_choices_among_candidates(choice, expected):
    case = Case("similar", [(1, 2)], 20_000, choice=choice)
    rows = case.replaced(case.ngrams(0, 1))
    found = Counter(new for _, place, kind, new in rows if kind == "similar" and place == 0)
    shares = {new: count / sum(found.values()) for new, count in found.items()}
    assert shares == pytest.approx(expected, abs=0.02)


def test_the_cost_is_of_the_pieces_that_become_fallbacks():
    case = Case("similar", [(200,), (3,), (201, 202)], 500)
    ngrams = case.ngrams(0, 3)
    fallbacks = Counter()
    for i, row in enumerate(case.replaced(ngrams)):
        fallbacks[i // 4] += row[2] == "fallback"
    cost = case.replacer.cap_cost(ngrams)
    assert cost.fallback.tolist() == cost.counted.tolist() == [fallbacks[i] for i in range(500)]
    assert set(cost.fallback.tolist()) == {0, 1, 2, 3}


def test_the_kinds_of_an_ngram_are_the_same_in_every_place():
    """Kinds drawn after the place would drift to those that need no similar word."""
    case = Case("similar", [(9, 9), (1, 2)], 3000)
    first = case.ngrams(0, 1)
    refused = case.replacer.cap_cost(first).fallback > 0
    assert 0.7 < refused.mean() < 0.9
    second = first.where(refused)
    second = second._replace(start=second.start + 1)  # the same n-gram in another place
    assert not case.replacer.cap_cost(second).fallback.any()
    every = Ngrams(*map(np.concatenate, zip(first.where(~refused), second)))
    assert drawn(case, every) == pytest.approx(NOMINAL["similar"], abs=0.02)
    assert {kind for _, _, kind, _ in case.replaced(second)} == {"similar"}


def test_the_share_that_would_be_fallbacks_is_known_beforehand():
    case = Case("similar", [(200,), (3,), (201, 202), (1, 2)], 2)
    starts = np.array([0, 4, 8])
    assert case.replacer.expected_share(starts).tolist() == [0.8 * 3 / 6] * 2
    assert not Case("all_mask", [(200,)]).replacer.expected_share(np.array([0, 1])).any()
    case = Case("similar", [(200,), (3,), (201, 202), (1, 2)], 2, cap="all_random")
    assert case.replacer.expected_share(starts) == pytest.approx([0.8 * 3 / 6 + 0.1] * 2)


def test_an_ngram_may_be_the_unit():
    case = Case("similar", [(1, 2), (3,), (1, 2)], 2000, unit="ngram")
    ngrams = case.ngrams(0, 3)
    kinds = [kind for _, _, kind, _ in case.replaced(ngrams)]
    assert all(len(set(kinds[i : i + 5])) == 1 for i in range(0, len(kinds), 5))
    assert drawn(case, ngrams)["similar"] == pytest.approx(0.8, abs=0.03)


def test_a_piece_may_be_the_unit_of_similar_words():
    """Each piece of a word is on its own; those that became similar are of one similar word."""
    case = Case("similar", [(1, 2)], 2000, unit="piece")
    ngrams = case.ngrams(0, 1)
    rows = case.replaced(ngrams)
    pairs = Counter()
    for (_, _, left, first), (_, _, right, second) in zip(rows[::2], rows[1::2]):
        pairs[first if left == "similar" else "", second if right == "similar" else ""] += 1
    assert set(pairs) == {(11, 12), (13, 14), (11, ""), (13, ""), ("", 12), ("", 14), ("", "")}
    assert drawn(case, ngrams)["similar"] == pytest.approx(0.8, abs=0.02)


def test_words_without_similar_ones_change_places_with_words_that_need_none():
    """(9,) has no similar word: where (3,) drew random or keep, (9,) gets it, and nothing is
    refused; the shares of the draws stay.
    """
    case = Case("similar", [(3,), (9,)], 4000)
    ngrams = case.ngrams(0, 2)
    allowed = case.replacer.cap_cost(ngrams).fallback == 0
    assert 1 - allowed.mean() == pytest.approx(0.64, abs=0.03)  # both drew similar
    rows = case.replaced(ngrams.where(allowed))
    assert {kind for word, _, kind, _ in rows if word == 1} == {"random", "keep"}
    shares = drawn(case, ngrams.where(allowed))
    assert shares["random"] == pytest.approx(shares["keep"], rel=0.15)


def test_several_words_change_places_in_their_order():
    case = Case("similar", [(9,), (3,), (8,), (3,)], 4000)
    ngrams = case.ngrams(0, 4)
    plain = Case("random", [(9,), (3,), (8,), (3,)], 4000)  # kinds of the same draws, unchanged
    allowed = case.replacer.cap_cost(ngrams).fallback == 0
    rows = case.replaced(ngrams.where(allowed))
    assert {kind for word, _, kind, _ in rows if word in (0, 2)} == {"random", "keep"}
    keeps = Counter(kind for _, _, kind, _ in plain.replaced(ngrams.where(allowed)))["keep"]
    assert Counter(kind for _, _, kind, _ in rows)["keep"] == keeps


def test_the_cap_may_count_drawn_random_words_too():
    case = Case("similar", [(200,), (201,)], 2000, cap="all_random")
    ngrams = case.ngrams(0, 2)
    kinds = [kind for _, _, kind, _ in case.replaced(ngrams)]
    expected = [
        sum(kind in ("random", "fallback") for kind in kinds[2 * i : 2 * i + 2])
        for i in range(2000)
    ]
    cost = case.replacer.cap_cost(ngrams)
    assert cost.counted.tolist() == expected
    assert cost.fallback.sum() == kinds.count("fallback") < sum(expected)


def test_past_the_cap_words_that_have_no_similar_one_are_kept():
    case = Case("similar", [(200,), (3,)], 400)
    ngrams = case.ngrams(0, 2)
    within, past = case.replaced(ngrams), case.replaced(ngrams, past=True)
    assert "fallback" in {kind for _, _, kind, _ in within}
    for (word, _, kind, new), (_, _, kind_past, new_past) in zip(within, past):
        expected = ("keep", -1) if kind == "fallback" else (kind, new)
        assert (kind_past, new_past) == expected, word


def test_random_words_are_words_of_the_same_size():
    case = Case("random", [(1, 2), (3, 4), (7, 7, 7)], 300)
    words = RandomWords(np.array([0, 2]), np.array([0, 0, 0, 2, 2]))  # (1, 2) and (3, 4)
    rows = case.replaced(case.ngrams(0, 3), words)
    found = Counter()
    for (word, _, kind, new), (_, place, _, second) in zip(rows, rows[1:]):
        if kind == "random" and word < 2 and place == 1:
            found[new, second] += 1
        elif kind == "random" and word == 2:  # no word of three pieces is known: random pieces
            assert new in POOL
    assert set(found) == {(1, 2), (3, 4)}
    assert found[1, 2] == pytest.approx(found[3, 4], rel=0.3)
