import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.corruption import CANDIDATE_CHOICES, CORRUPTION_UNITS, CORRUPTIONS, Corruptor, apply
from data_gen.types import Span

MASK = 103
POOL = range(5000, 5100)
SIMILAR = {(1, 2): [((11, 12), 0.9), ((13, 14), 0.5)], (3,): [((30,), 0.8)]}


class Table:
    """A lookup of similar words from a dictionary."""

    def __call__(self, word):
        return SIMILAR.get(word, ())

    def missing(self, word):
        return "not in the table"


def corruptor(name, unit="word", choice="uniform", max_fallback=0.1, **options):
    return Corruptor(
        shares=CORRUPTIONS[name],
        unit=unit,
        mask=MASK,
        random_pieces=POOL,
        similar=Table(),
        choose=CANDIDATE_CHOICES[choice],
        max_fallback=max_fallback,
        **options,
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


@pytest.mark.parametrize("unit", CORRUPTION_UNITS)
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
        assert len(draft.replacements) == (size if unit == "piece" else 1)
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


def similar_draft(pieces, seed, **options):
    return corruptor("similar", **options).begin(pieces, 5, random.Random(seed))


def test_an_ngram_may_be_the_unit():
    kinds = Counter()
    for seed in range(2000):
        draft = similar_draft((1, 2, 3, 1, 2), seed, unit="ngram")
        assert draft.accept((Span(0, 2), Span(2, 3), Span(3, 5)))
        (kind,) = {kind for _, kind, _ in draft.replacements}  # one for the whole n-gram
        assert draft.drawn == [kind]
        assert len(draft.replacements) == 3
        kinds[kind] += 1
    assert kinds["similar"] / 2000 == pytest.approx(0.8, abs=0.03)


def test_a_piece_may_be_the_unit_of_similar_words():
    """Each piece of a word is on its own; those that became similar are of one similar word."""
    kinds = Counter()
    for seed in range(2000):
        draft = similar_draft((1, 2), seed, unit="piece")
        assert draft.accept((Span(0, 2),))
        for span, kind, new in draft.replacements:
            kinds[kind] += 1
            if kind == "similar":
                assert new[0] in ((11, 13), (12, 14))[span.start]
        both = [new[0] for _, kind, new in draft.replacements if kind == "similar"]
        assert len(both) < 2 or tuple(both) in ((11, 12), (13, 14))
    assert kinds["similar"] / 4000 == pytest.approx(0.8, abs=0.02)


def test_words_without_similar_ones_change_places_with_words_that_need_none():
    """(9,) has no similar word: where (3,) drew random or keep, (9,) gets it, and nothing is
    refused; the shares of the draws stay.
    """
    drawn, refused = Counter(), 0
    for seed in range(4000):
        draft = similar_draft((3, 9), seed, max_fallback=0.0)
        if draft.accept((Span(0, 1), Span(1, 2))):
            assert "similar" in draft.drawn or len(set(draft.drawn) - {"similar"}) > 0
            by_start = {span.start: kind for span, kind, _ in draft.replacements}
            assert by_start[1] in ("random", "keep")
            drawn.update(draft.drawn)
        else:
            refused += 1
    assert refused / 4000 == pytest.approx(0.64, abs=0.03)  # both drew similar
    assert drawn["random"] == pytest.approx(drawn["keep"], rel=0.15)


def test_the_cap_may_count_drawn_random_words_too():
    drawn = Counter()
    for seed in range(500):
        pieces = (200, 201) * 20  # none has a similar word
        kinds = {}
        for cap in ("fallback", "all_random"):
            draft = similar_draft(pieces, seed, max_fallback=1.0, cap=cap)
            for i in range(12):
                draft.accept((Span(i, i + 1),))
            kinds[cap] = Counter(kind for _, kind, _ in draft.replacements)
            drawn[cap] += kinds[cap]["fallback"]
        assert kinds["all_random"]["fallback"] + kinds["all_random"]["random"] <= 12
    assert drawn["all_random"] < drawn["fallback"]


def test_past_the_cap_a_word_may_be_kept():
    draft = similar_draft((200,) * 40, 1, max_fallback=0.2, past_the_cap="keep")
    assert all(draft.accept((Span(i, i + 1),)) for i in range(40))
    assert draft.refused == 0
    kinds = Counter(kind for _, kind, _ in draft.replacements)
    assert kinds["fallback"] <= 2
    assert draft.kept_past_the_cap == kinds["keep"] - draft.drawn.count("keep") > 20


def test_a_word_kept_past_the_cap_takes_no_room():
    for seed in range(200):
        draft = similar_draft((200,) * 4, seed, max_fallback=0.2, past_the_cap="keep")
        draft._room = 1
        draft.accept((Span(0, 2),))  # two pieces are too many
        draft.accept((Span(2, 3),))
        kinds = [kind for _, kind, _ in draft.replacements]
        if draft.drawn == ["similar", "similar"]:
            assert kinds == ["keep", "fallback"]


def test_kinds_drawn_for_a_refused_ngram_are_used_by_the_next():
    """Thrown away they would be missed: they are similar more often than others."""
    drawn = Counter()
    for seed in range(1500):
        draft = similar_draft((3, 9, 9, 9), seed, max_fallback=0.0)
        for _ in range(12):
            if not draft.accept(tuple(Span(i, i + 1) for i in range(4))):
                draft.accept((Span(0, 1),))
        drawn.update(draft.drawn)
    assert drawn["similar"] / sum(drawn.values()) == pytest.approx(0.8, abs=0.012)


def test_random_words_are_words_of_the_same_size():
    words = {2: [(501, 502), (503, 504)]}
    seen = set()
    for seed in range(300):
        draft = similar_draft((1, 2, 3), seed, random_words=words)
        draft.accept((Span(0, 2), Span(2, 3)))
        for span, kind, new in draft.replacements:
            if kind == "random" and span.size == 2:
                seen.add(new)
            elif kind == "random":  # no word of one piece is known: a random piece
                assert new[0] in POOL
    assert seen == set(words[2])
