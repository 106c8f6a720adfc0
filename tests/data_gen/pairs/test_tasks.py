import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.core.columns import TokenizedBlock
from data_gen.core.random_draws import Draws
from data_gen.pairs.chunks import cut, outline_of
from data_gen.pairs.tasks import PAIR_TASKS, PairContext, split

COMMA = 9

sentences_of_sizes = st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=12), max_size=12)
seeds = st.integers(0, 2**64 - 1)


@pytest.fixture
def rng():
    return Draws(7)


def outline(*documents, room=20, commas=()):
    """Documents of sentences of words of these sizes; `commas` are clause marks among the pieces.
    Long words are taken apart, as the pipeline does.
    """
    sentences = [sentence for document in documents for sentence in document]
    sizes = [size for sentence in sentences for size in sentence]
    pieces = np.arange(100, 100 + sum(sizes))
    pieces[list(commas)] = COMMA
    text = TokenizedBlock(
        pieces,
        np.cumsum([0, *sizes]),
        np.cumsum([0, *map(len, sentences)]),
        np.cumsum([0, *map(len, documents)]),
    )
    is_comma = np.arange(pieces.max(initial=COMMA) + 1) == COMMA
    return outline_of(text.split_words(np.flatnonzero(text.sizes > room // 2)), room, is_comma)


def context(made, room=20, stranger=None, **options):
    return PairContext(made, room, lambda rng: stranger, **options)


def sizes_of(made, chunks):
    return [made.starts[last] - made.starts[first] for first, last in chunks]


@given(sentences_of_sizes, st.integers(5, 40), st.sampled_from([0.0, 0.5]), seeds)
def test_cutting_loses_nothing_and_respects_the_room(sizes, room, short_seq_prob, seed):
    made = outline([[2, 2]], sizes, [[1]], room=room)
    document = made.documents[1]
    chunks = cut(made, document, room, short_seq_prob, Draws(seed))
    points = [document[0], *(last for _, last in chunks)]
    assert chunks == list(zip(points, points[1:]))
    assert points[-1] == document[1]
    assert all(size <= room for size in sizes_of(made, chunks))
    # two words everywhere, but in a document of one; where words fill a third of the room each,
    # an odd number of them cannot be had in pairs
    longest = max((size for sentence in sizes for size in sentence), default=1)
    if document[1] - document[0] > 1 and longest * 3 <= room:
        assert min(last - first for first, last in chunks) >= 2


@pytest.mark.parametrize(("room", "points"), [(125, 1.5), (509, 1.5)])
def test_the_fill_is_close_to_the_fewest_possible_sequences(room, points):
    sizes = random.Random(room)
    used = ideal = 0
    for _ in range(300):
        document = [
            sizes.choices([1, 2, 3, 4], [50, 38, 8, 4], k=sizes.randint(3, 40))
            for _ in range(sizes.randint(1, 60))
        ]
        made = outline(document, room=room)
        used += len(cut(made, made.documents[0], room, 0.0, Draws(1)))
        ideal += -(-made.starts[-1] // room)
    assert 100 * (1 - ideal / used) < points


def test_sentence_ends_are_preferred_while_there_is_room_to_spare(rng):
    made = outline([[2] * 5, [2] * 4, [2] * 3])  # 24 pieces, room for 40 in two chunks of 20
    assert sizes_of(made, cut(made, made.documents[0], 20, 0.0, rng)) == [18, 6]


def test_short_sequences_are_as_frequent_as_asked(rng):
    made = outline([[2] * 10] * 2000)
    sizes = sizes_of(made, cut(made, made.documents[0], 100, 0.2, rng))
    short = sum(1 for size in sizes if size < 90)
    assert short / len(sizes) == pytest.approx(0.2 * 0.9, abs=0.03)


def covered(pair):
    return {*range(*pair.a), *range(*pair.b)}


@pytest.mark.parametrize("name", sorted(PAIR_TASKS))
def test_no_segment_is_empty_and_nothing_is_lost(name):
    @given(sentences_of_sizes, seeds)
    def check(sizes, seed):
        rng = Draws(seed)
        made = outline(sizes, [[3, 3], [2]])
        own, other = made.documents
        for chunk in cut(made, own, 20, 0.0, rng):
            pairs = PAIR_TASKS[name].make(chunk, context(made, stranger=other), rng)
            start, stop = (made.starts[word] for word in chunk)
            if stop - start < 2:
                assert pairs == []
                continue
            mine = range(made.starts[own[1]])
            assert {i for pair in pairs for i in covered(pair) if i in mine} == {
                *range(start, stop)
            }
            for (a, a_stop), (b, b_stop), label, _ in pairs:
                assert a < a_stop
                assert b < b_stop
                assert a_stop - a + b_stop - b <= 20
                assert label in (0, 1)

    check()


SHORT = [[2, 2], [3], [1, 1]]


def pairs_of(name, rng, rounds, *others, room=30, **options):
    """Pairs of a document of 9 pieces, time and again, beside at most one other document."""
    made = outline(SHORT, *others, room=room)
    other = made.documents[1] if others else None
    task = context(made, room, other, **options)
    return [pair for _ in range(rounds) for pair in PAIR_TASKS[name].make((0, 5), task, rng)]


def label_share(pairs):
    return sum(pair.label for pair in pairs) / len(pairs)


def test_labels_are_balanced(rng):
    other = [[2, 2], [1]]
    assert label_share(pairs_of("sop", rng, 20_000)) == pytest.approx(0.5, abs=0.01)
    assert label_share(pairs_of("nsp", rng, 20_000, other)) == pytest.approx(0.5, abs=0.01)
    assert label_share(pairs_of("none", rng, 100, other)) == 0


def test_label_1_is_swapped(rng):
    for a, b, label, where in pairs_of("sop", rng, 50):
        first, second = (b, a) if label else (a, b)
        assert (first[0], second[1]) == (0, 9)
        assert first[1] == second[0]
        assert where == "sentence"


def test_label_1_of_nsp_is_another_document_and_without_one_nothing_is_called_random(rng):
    for pair in pairs_of("nsp", rng, 50, [[2, 2], [1]]):
        assert (pair.b[0] >= 9) == (pair.label == 1)
        assert pair.a[1] <= 9
    assert label_share(pairs_of("nsp", rng, 200)) == 0


def test_the_length_does_not_give_the_label_of_nsp_away(rng):
    """B of a random pair has as many pieces as the text that it stands in for."""
    pairs = pairs_of("nsp", rng, 300, [[1] * 10] * 5)
    assert {(pair.label, len(covered(pair))) for pair in pairs} == {(0, 9), (1, 9)}


def test_a_stranger_starts_at_any_of_its_sentences_and_has_a_word_at_least(rng):
    pairs = pairs_of("nsp", rng, 300, [[6, 6]] * 3)
    assert {pair.b for pair in pairs if pair.label} == {(at, at + 6) for at in (9, 21, 33)}


def test_one_sentence_is_split_after_a_clause_mark(rng):
    made = outline([[1] * 5], commas=[2])
    assert split((0, 5), context(made), rng) == (3, "clause")


def test_one_sentence_without_clauses_is_split_between_words(rng):
    made = outline([[2, 2]])
    assert split((0, 2), context(made), rng) == (2, "word")
    assert split((0, 1), context(made), rng) == (1, "piece")  # a word of two pieces
    assert split((0, 1), context(outline([[1]])), rng) is None


def test_a_chunk_may_be_split_in_the_middle(rng):
    sentences = outline([[2], [5], [3], [1]])  # ends at 2, 7, 10, 11 pieces
    words = outline([[2] * 5])
    for _ in range(20):
        assert split((0, 4), context(sentences, split="middle"), rng) == (7, "sentence")
        assert split((0, 5), context(words, split="middle"), rng) in ((4, "word"), (6, "word"))


def places_of(made, chunk, task="sop", **options):
    """The pieces at which many pairs of a chunk are split."""
    rng = Draws(3)
    context_ = context(made, 40, **options)
    found = [PAIR_TASKS[task].make(chunk, context_, rng) for _ in range(300)]
    return {min(max(pair.a[0], pair.b[0]) for pair in pairs) for pairs in found}


def test_where_the_segments_of_a_swapped_pair_end_does_not_tell_their_order():
    made = outline([[1, 1, 1], [1, 1, 1, 1], [1, 1, 1]], room=40)  # sentences end at 3, 7 and 10
    assert places_of(made, (0, 10)) == {3, 7}
    assert places_of(made, (1, 7)) == {3}
    # within a sentence, as the chunk ends
    assert places_of(made, (0, 9)) == {1, 2, 4, 5, 6, 8}
    assert places_of(made, (0, 9), split="middle") <= {4, 5}
    assert places_of(made, (0, 9), "none") == {3, 7}
    words = outline([[1], [1], [2, 2]], room=40)  # no place within a sentence
    assert places_of(words, (0, 3)) == {1, 2}


@given(sentences_of_sizes, seeds)
def test_both_segments_end_alike(sizes, seed):
    made = outline(sizes, [[1] * 9], room=30)
    ends = {made.starts[word] for word in made.ends}
    rng = Draws(seed)
    for chunk in cut(made, made.documents[0], 30, 0.0, rng):
        for pair in PAIR_TASKS["sop"].make(chunk, context(made, 30), rng):
            if pair.split_at == "sentence":
                alike = {segment[1] in ends for segment in (pair.a, pair.b)}
                words = range(chunk[0] + 1, chunk[1])
                assert len(alike) == 1 or all(made.starts[word] in ends for word in words)


@pytest.mark.parametrize("swap_prob", [0.0, 0.25, 1.0])
def test_the_probability_of_a_swap(swap_prob, rng):
    pairs = pairs_of("sop", rng, 4000, swap_prob=swap_prob)
    assert label_share(pairs) == pytest.approx(swap_prob, abs=0.03)


def test_a_sentence_longer_than_a_sequence_is_taken_apart_after_clauses(rng):
    marks = (12, 30, 44, 50)  # pieces after which a clause ends: words are of two pieces
    commas = [mark - 1 for mark in marks]
    made = outline([[2] * 30], commas=commas)
    assert made.ends == [6, 15, 25, 30]
    # without marks, or with room for it, the sentence stays whole
    assert outline([[2] * 30]).ends == [30]
    assert outline([[2] * 30], room=60, commas=commas).ends == [30]
    chunks = cut(made, (0, 30), 20, 0.0, rng)
    assert max(sizes_of(made, chunks)) <= 20


@given(st.lists(st.integers(1, 2), min_size=2, max_size=7), seeds)
def test_short_chunks_can_all_be_paired(sizes, seed):
    """However short the sequences are drawn, no piece is left over alone."""
    made = outline([sizes], room=5)
    for chunk in cut(made, (0, len(sizes)), 5, 1.0, Draws(seed)):
        assert split(chunk, context(made, 5), Draws(seed)) is not None
