import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.corruption import CANDIDATE_CHOICES, CORRUPTIONS, Corruptor, apply
from data_gen.types import Span

MASK = 103
POOL = range(5000, 5100)
SIMILAR = {(1, 2): [((11, 12), 0.9), ((13, 14), 0.5)], (3,): [((30,), 0.8)]}


def corruptor(name, unit="word", choice="uniform", max_fallback=0.1):
    return Corruptor(
        shares=CORRUPTIONS[name],
        unit=unit,
        mask=MASK,
        random_pieces=POOL,
        similar=lambda word: SIMILAR.get(word, ()),
        choose=CANDIDATE_CHOICES[choice],
        max_fallback=max_fallback,
    )


# The paper's Table: share of [MASK], similar, random and kept words (VII-B)
NOMINAL = {
    "partial_mask": {"mask": 0.8, "random": 0.1, "keep": 0.1},
    "all_mask": {"mask": 0.9, "keep": 0.1},
    "random": {"random": 0.9, "keep": 0.1},
    "similar": {"similar": 0.8, "random": 0.1, "keep": 0.1},
}


@pytest.mark.parametrize("name", sorted(CORRUPTIONS))
def test_the_four_kinds_have_the_papers_shares(name, rng):
    drawn = Counter(corruptor(name).draw_kind(rng) for _ in range(100_000))
    shares = {kind: count / 100_000 for kind, count in drawn.items()}
    assert shares == pytest.approx(NOMINAL[name], abs=0.005)


@pytest.mark.parametrize("unit", ["word", "piece"])
@pytest.mark.parametrize("name", sorted(set(CORRUPTIONS) - {"similar"}))
def test_every_replacement_is_of_its_kind(name, unit):
    @given(seed=st.integers(), size=st.integers(1, 4))
    def check(seed, size):
        pieces = tuple(range(1, 11))
        draft = corruptor(name, unit).begin(pieces, 3, random.Random(seed))
        word = Span(2, 2 + size)
        assert draft.accept((word,))
        covered = [i for span, _, _ in draft.replacements for i in range(*span)]
        assert covered == list(range(*word))
        assert len(draft.replacements) == (1 if unit == "word" else size)
        for span, kind, new in draft.replacements:
            expected = {"mask": {MASK}, "random": set(POOL)}
            assert (new is None) == (kind == "keep")
            assert new is None or (len(new) == span.size and set(new) <= expected[kind])
        corrupted = apply(pieces, draft.replacements)
        assert len(corrupted) == len(pieces)
        outside = [i for i in range(len(pieces)) if i not in covered]
        assert [corrupted[i] for i in outside] == [pieces[i] for i in outside]

    check()


def test_similar_words_replace_whole_words_by_words_of_the_same_size():
    pieces = (1, 2, 3, 1, 2)
    seen = set()
    for seed in range(200):
        draft = corruptor("similar").begin(pieces, 5, random.Random(seed))
        draft.accept((Span(0, 2), Span(2, 3)))
        for span, kind, new in draft.replacements:
            if kind == "similar":
                assert new in [word for word, _ in SIMILAR[pieces[span.start : span.stop]]]
                seen.add(new)
    assert seen == {(11, 12), (13, 14), (30,)}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("first", {(11, 12): 1.0}),
        ("uniform", {(11, 12): 0.5, (13, 14): 0.5}),
        ("weighted", {(11, 12): 0.9 / 1.4, (13, 14): 0.5 / 1.4}),
    ],
)
def test_choices_among_candidates(choice, expected, rng):
    choose = CANDIDATE_CHOICES[choice]
    drawn = Counter(choose(SIMILAR[1, 2], rng) for _ in range(20_000))
    shares = {word: count / 20_000 for word, count in drawn.items()}
    assert shares == pytest.approx(expected, abs=0.02)


def test_fallbacks_stop_at_their_cap():
    unknown = tuple(range(200, 400))
    fallbacks = 0
    for seed in range(300):
        draft = corruptor("similar").begin(unknown, 30, random.Random(seed))
        for start in range(0, 60, 2):
            draft.accept((Span(start, start + 2),))
        pieces = sum(span.size for span, kind, _ in draft.replacements if kind == "fallback")
        assert pieces <= 3 + 1  # a fraction is rounded up or down
        assert draft.refused > 0
        fallbacks += pieces
    assert fallbacks / 300 <= 3.0


def test_a_refusal_does_not_shift_the_shares_of_the_kinds():
    """Kinds drawn after the place would drift to those that need no similar word."""
    kinds = Counter()
    for seed in range(3000):
        rng = random.Random(seed)
        draft = corruptor("similar", max_fallback=0.0).begin((1, 2, 9, 9), 10, rng)
        while not draft.accept((Span(0, 2) if rng.random() < 0.3 else Span(2, 4),)):
            pass
        kinds.update(kind for _, kind, _ in draft.replacements)
    shares = {kind: count / sum(kinds.values()) for kind, count in kinds.items()}
    assert shares == pytest.approx(NOMINAL["similar"], abs=0.02)


def test_the_cap_can_be_lifted():
    draft = corruptor("similar", max_fallback=1.0).begin((200,) * 40, 40, random.Random(1))
    assert all(draft.accept((Span(i, i + 1),)) for i in range(40))
    assert {kind for _, kind, _ in draft.replacements} == {"fallback", "random", "keep"}
