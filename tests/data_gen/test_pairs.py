import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.pairs import PAIR_TASKS, PairContext, cut, split
from data_gen.types import Sentence, Span

COMMA = 9

sentences_of_sizes = st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=12), max_size=12)


def make(sizes, first=100):
    """Sentences of words of these sizes; every piece is another number."""
    made = []
    for words in sizes:
        spans, start = [], 0
        for size in words:
            spans.append(Span(start, start + size))
            start += size
        made.append(Sentence(tuple(range(first, first + start)), tuple(spans)))
        first += start
    return made


def pieces(chunk):
    return [piece for sentence in chunk for piece in sentence.pieces]


def context(room=20, stranger=None):
    return PairContext(room, {COMMA}, lambda rng: stranger)


@given(sentences_of_sizes, st.integers(5, 40), st.sampled_from([0.0, 0.5]), st.integers())
def test_cutting_loses_nothing_and_respects_the_room(sizes, room, short_seq_prob, seed):
    document = make(sizes)
    chunks = cut(document, room, short_seq_prob, {COMMA}, random.Random(seed))
    assert [p for chunk in chunks for p in pieces(chunk)] == pieces(document)
    assert all(len(pieces(chunk)) <= room for chunk in chunks)
    words = [sum(len(sentence.words) for sentence in chunk) for chunk in chunks]
    # two words everywhere, but in a document of one; where words fill a third of the room each,
    # an odd number of them cannot be had in pairs
    if sum(words) > 1 and max(size for sentence in sizes for size in sentence) * 3 <= room:
        assert min(words) >= 2
    for chunk in chunks:
        for sentence in chunk:
            assert sentence.words[0].start == 0
            assert sentence.words[-1].stop == len(sentence.pieces)
            assert all(a.stop == b.start for a, b in zip(sentence.words, sentence.words[1:]))


@given(sentences_of_sizes, st.integers(20, 60))
def test_cuts_are_at_word_boundaries(sizes, room):
    document = make(sizes)
    ends = {sentence.pieces[word.stop - 1] for sentence in document for word in sentence.words}
    chunks = cut(document, room, 0.0, {COMMA}, random.Random(1))
    assert all(chunk[-1].pieces[-1] in ends for chunk in chunks)


@pytest.mark.parametrize(("room", "points"), [(125, 1.5), (509, 1.5)])
def test_the_fill_is_close_to_the_fewest_possible_sequences(room, points):
    rng = random.Random(room)
    used = ideal = 0
    for _ in range(300):
        sizes = [
            rng.choices([1, 2, 3, 4], [50, 38, 8, 4], k=rng.randint(3, 40))
            for _ in range(rng.randint(1, 60))
        ]
        document = make(sizes)
        used += len(cut(document, room, 0.0, {COMMA}, rng))
        ideal += -(-len(pieces(document)) // room)
    assert 100 * (1 - ideal / used) < points


def test_sentence_ends_are_preferred_while_there_is_room_to_spare():
    document = make([[2] * 5, [2] * 4, [2] * 3])  # 24 pieces, room for 40 in two chunks of 20
    first, second = cut(document, 20, 0.0, {COMMA}, random.Random(1))
    assert [len(s.pieces) for s in first] == [10, 8]
    assert [len(s.pieces) for s in second] == [6]


def test_short_sequences_are_as_frequent_as_asked(rng):
    document = make([[2] * 10] * 2000)
    chunks = cut(document, 100, 0.2, {COMMA}, rng)
    short = sum(1 for chunk in chunks if len(pieces(chunk)) < 90)
    assert short / len(chunks) == pytest.approx(0.2 * 0.9, abs=0.03)


@pytest.mark.parametrize("name", sorted(PAIR_TASKS))
def test_no_segment_is_empty_and_nothing_is_lost(name):
    @given(sentences_of_sizes, st.integers())
    def check(sizes, seed):
        rng = random.Random(seed)
        for chunk in cut(make(sizes), 20, 0.0, {COMMA}, rng):
            pairs = PAIR_TASKS[name](chunk, context(stranger=make([[3, 3], [2]], 10_000)), rng)
            if len(pieces(chunk)) < 2:
                assert pairs == []
                continue
            seen = [p for pair in pairs for p in (*pieces(pair.a), *pieces(pair.b)) if p < 10_000]
            assert sorted(seen) == pieces(chunk)
            for pair in pairs:
                assert pieces(pair.a)
                assert pieces(pair.b)
                assert len(pieces(pair.a)) + len(pieces(pair.b)) <= 20
                assert pair.label in (0, 1)

    check()


def label_share(name, stranger, rng, rounds=20_000):
    chunk = tuple(make([[2, 2], [3], [1, 1]]))
    labels = Counter()
    for _ in range(rounds):
        labels.update(p.label for p in PAIR_TASKS[name](chunk, context(30, stranger), rng))
    return labels[1] / sum(labels.values())


def test_labels_are_balanced(rng):
    other = make([[2, 2], [1]], 10_000)
    assert label_share("sop", None, rng) == pytest.approx(0.5, abs=0.01)
    assert label_share("nsp", other, rng) == pytest.approx(0.5, abs=0.01)
    assert label_share("none", other, rng, 100) == 0


def test_label_1_is_swapped(rng):
    chunk = tuple(make([[2, 2], [3], [1, 1]]))
    for _ in range(50):
        (pair,) = PAIR_TASKS["sop"](chunk, context(), rng)
        a, b = (pair.b, pair.a) if pair.label else (pair.a, pair.b)
        assert pieces(a) + pieces(b) == pieces(chunk)


def test_label_1_of_nsp_is_another_document_and_without_one_nothing_is_called_random(rng):
    chunk = tuple(make([[2, 2], [3], [1, 1]]))
    other = make([[2, 2], [1]], 10_000)
    for _ in range(50):
        for pair in PAIR_TASKS["nsp"](chunk, context(30, other), rng):
            assert (min(pieces(pair.b)) >= 10_000) == (pair.label == 1)
            assert max(pieces(pair.a)) < 10_000
    assert label_share("nsp", None, rng, 200) == 0


def test_the_length_does_not_give_the_label_of_nsp_away(rng):
    """B of a random pair has as many pieces as the text that it stands in for."""
    chunk = tuple(make([[2, 2], [3], [1, 1]]))
    other = make([[1] * 10] * 5, 10_000)
    lengths = Counter()
    for _ in range(300):
        for pair in PAIR_TASKS["nsp"](chunk, context(30, other), rng):
            lengths[pair.label, len(pieces(pair.a)) + len(pieces(pair.b))] += 1
    assert set(lengths) == {(0, 9), (1, 9)}


def test_one_sentence_is_split_after_a_clause_mark(rng):
    sentence = Sentence((1, 2, COMMA, 3, 4), tuple(Span(i, i + 1) for i in range(5)))
    a, b, where = split((sentence,), context(), rng)
    assert pieces(a) == [1, 2, COMMA]
    assert pieces(b) == [3, 4]
    assert where == "clause"


def test_one_sentence_without_clauses_is_split_between_words(rng):
    sentence = Sentence((1, 2, 3, 4), (Span(0, 2), Span(2, 4)))
    a, b, where = split((sentence,), context(), rng)
    assert (pieces(a), pieces(b), where) == ([1, 2], [3, 4], "word")
    # a word of two pieces
    assert split((sentence.part(0, 1),), context(), rng)[2] == "piece"
    assert split((make([[1]])[0],), context(), rng) is None


def test_a_chunk_may_be_split_in_the_middle(rng):
    middle = context()._replace(split="middle")
    chunk = tuple(make([[2], [5], [3], [1]]))  # ends at 2, 7, 10, 11 pieces
    sentence = Sentence(tuple(range(20, 30)), tuple(Span(i, i + 2) for i in range(0, 10, 2)))
    for _ in range(20):
        a, _, where = split(chunk, middle, rng)
        assert (len(pieces(a)), where) == (7, "sentence")
        a, b, _ = split((sentence,), middle, rng)
        assert {len(pieces(a)), len(pieces(b))} == {4, 6}


@pytest.mark.parametrize("swap_prob", [0.0, 0.25, 1.0])
def test_the_probability_of_a_swap(swap_prob, rng):
    chunk = tuple(make([[2, 2], [3], [1, 1]]))
    changed = context()._replace(swap_prob=swap_prob)
    labels = [PAIR_TASKS["sop"](chunk, changed, rng)[0].label for _ in range(4000)]
    assert sum(labels) / 4000 == pytest.approx(swap_prob, abs=0.03)


def test_a_sentence_longer_than_a_sequence_is_taken_apart_after_clauses():
    sizes = [2] * 30
    (sentence,) = make([sizes])
    marks = {12, 30, 44, 50}  # pieces after which a clause ends: words are of two pieces
    with_marks = list(sentence.pieces)
    for mark in marks:
        with_marks[mark - 1] = COMMA
    sentence = sentence._replace(pieces=tuple(with_marks))
    chunks = cut([sentence], 20, 0.0, {COMMA}, random.Random(1))
    assert [p for chunk in chunks for p in pieces(chunk)] == with_marks
    parts = [len(part.pieces) for chunk in chunks for part in chunk]
    assert all(part <= 20 for part in parts)
    # a chunk that holds a clause's end knows it as the end of a part
    starts = {sum(parts[:i]) for i in range(len(parts))}
    assert {12, 30} <= starts
    # without marks, or with room for it, the sentence stays whole
    assert cut([sentence], 60, 0.0, {COMMA}, random.Random(1)) == [(sentence,)]


@given(st.lists(st.integers(1, 2), min_size=2, max_size=7), st.integers())
def test_short_chunks_can_all_be_paired(sizes, seed):
    """However short the sequences are drawn, no piece is left over alone."""
    (sentence,) = make([sizes])
    for chunk in cut([sentence], 5, 1.0, {COMMA}, random.Random(seed)):
        assert split(chunk, context(5), random.Random(seed)) is not None
