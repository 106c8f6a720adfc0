"""Vectors of words by the words around them, beside sums taken one by one."""

from itertools import chain

import numpy as np
import pytest

from data_gen.core.columns import TokenizedBlock, WordList, offsets_of
from data_gen.core.word_keys import word_keys
from data_gen.synonyms import context_vectors
from data_gen.synonyms.context_vectors import (
    CountedWords,
    KnownVectors,
    WordCounts,
    WordVectors,
    candidates,
    words_of,
)
from tests.data_gen.helpers import show

UNK = 9


def block(sentences):
    """Sentences of words, tuples of pieces."""
    words = [word for sentence in sentences for word in sentence]
    pieces = np.array([piece for word in words for piece in word], np.int32)
    return TokenizedBlock(
        pieces,
        offsets_of([len(word) for word in words]),
        offsets_of([len(sentence) for sentence in sentences]),
        np.array([0, len(sentences)]),
    )


def counted(words, counts):
    column = WordList(
        np.array([piece for word in words for piece in word], np.int32),
        offsets_of([len(word) for word in words]),
    )
    return CountedWords(
        word_keys(column.pieces, column.starts), column, np.array(counts), sum(counts)
    )


def words_in(words):
    return [words.word(i) for i in range(len(words.starts) - 1)]


SENTENCES = [
    [(1,), (2, 3), (4,), (1,), (2, 3)],
    [(4,)],
    [(2, 3), (UNK,), (4,), (5, UNK), (1,), (6,)],
]


def test_words_are_listed_once():
    first, second, third = ([sentence] for sentence in SENTENCES)
    found = words_of([block(first), block(second), block(third)])
    different = words_in(found.different)
    assert len(set(different)) == len(different) == 6
    assert found.sentences.tolist() == [0, 5, 6, 12]
    assert [different[number] for number in found.numbers] == [*chain(*SENTENCES)]


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_words_are_counted_over_the_parts(cut, monkeypatch):
    counts = WordCounts()
    for part in filter(None, (SENTENCES[:cut], SENTENCES[cut:])):
        counts.add(words_of([block(part)]))
    words = counts.frequent(2, UNK)
    times = dict(zip(words_in(words.words), words.counts.tolist()))
    assert times == {(1,): 3, (2, 3): 3, (4,): 3}
    assert set(words_in(counts.frequent(1, UNK).words)) == {(1,), (2, 3), (4,), (6,)}
    assert counts.frequent(1, UNK).counts.tolist() == [3, 3, 3, 1]
    monkeypatch.setattr(context_vectors, "MOST_WORDS", 2)
    assert len(counts.frequent(1, UNK).keys) == 2
    assert counts.holds_any(np.arange(10) == 6)
    assert not counts.holds_any(np.arange(10) == 7)


def test_a_text_without_words_has_none():
    assert len(WordCounts().frequent(1, UNK).keys) == 0
    assert not WordCounts().holds_any(np.ones(10, bool))
    assert context_vectors.context_vectors(counted([], []), [], 1, show).shape == (0, 400)


def by_hand(sentences, words, known_by):
    """The four sums of each word, one pair of words after another; each of length 1."""
    sums = np.zeros((len(words), 4, known_by.shape[1]))
    far = {2: 1, 3: 0.75, 4: 0.5, 5: 0.25}
    for sentence in sentences:
        for i, word in enumerate(sentence):
            for j, other in enumerate(sentence):
                if i == j or word not in words or other not in words:
                    continue
                weights, place = ({1: 1}, 0) if abs(i - j) == 1 else (far, 2)
                weight = weights.get(abs(i - j), 0)
                own = words.index(word), place + (j < i)
                sums[own] += weight * known_by[words.index(other)]
    lengths = np.linalg.norm(sums, axis=2, keepdims=True)
    return (sums / np.maximum(lengths, 1e-12)).reshape(len(words), -1)


@pytest.fixture
def random_text():
    rng = np.random.RandomState(1)
    words = [(i,) for i in range(1, 30)] + [(i, i + 1) for i in range(1, 30)]
    sentences = [
        [words[i] for i in (rng.rand(rng.randint(1, 12)) ** 2 * len(words)).astype(int)]
        for _ in range(400)
    ]
    counts = WordCounts()
    counts.add(words_of([block(sentences)]))
    return sentences, counts.frequent(2, UNK)


def test_sums_are_those_of_pairs_taken_one_by_one(random_text, monkeypatch):
    sentences, words = random_text
    monkeypatch.setattr(context_vectors, "_even_out", lambda vectors: None)
    rows = np.array([3, 0])
    known = KnownVectors(rows, np.array([[1, 2, 2], [0, 0, 5]], np.float32))
    found = context_vectors.context_vectors(words, [words_of([block(sentences)])], 1, show, known)
    known_by = np.sign(context_vectors._known_by(words, 1, None))  # of 100 numbers
    assert known_by.shape == (len(words.keys), 100)
    known_by = context_vectors._known_by(words, 1, known)
    assert known_by.shape == (len(words.keys), 3)
    expected = by_hand(sentences, words_in(words.words), known_by.astype(np.float64))
    assert np.allclose(found, expected, atol=1e-5)


def test_words_are_known_by_vectors_less_their_mean(random_text):
    _, words = random_text
    known = KnownVectors(np.array([2]), np.array([[0, 30, 40]], np.float32))
    vectors = context_vectors._known_by(words, 1, known)
    assert np.allclose(words.counts @ vectors, 0, atol=1e-3)
    added = vectors - vectors[2] + np.array([0, 0.6, 0.8])
    assert np.allclose(np.linalg.norm(added, axis=1), 1, atol=1e-5)
    others = np.delete(added, 2, axis=0)
    assert np.allclose(np.abs(others), 3**-0.5, atol=1e-5)  # random signs
    assert 0.3 < (others > 0).mean() < 0.7
    other_seed = context_vectors._known_by(words, 2, known)
    assert not np.allclose(vectors, other_seed)


def test_the_vectors_depend_on_no_parts(random_text, monkeypatch):
    sentences, words = random_text
    whole = context_vectors.context_vectors(words, [words_of([block(sentences)])], 1, show)
    parts = [words_of([block([sentence])]) for sentence in sentences]
    assert np.array_equal(context_vectors.context_vectors(words, parts, 1, show), whole)
    monkeypatch.setattr(context_vectors, "_AT_ONCE", 500)
    chunks = context_vectors.context_vectors(words, parts, 1, show)
    again = context_vectors.context_vectors(words, [words_of([block(sentences)])], 1, show)
    assert np.array_equal(chunks, again)
    # only pairs across the cuts are lost
    near, whole_near = (np.corrcoef(vectors) for vectors in (chunks, whole))
    assert np.abs(near - whole_near).mean() < 0.05


def test_spreads_come_nearer_to_each_other():
    rng = np.random.RandomState(1)
    turned, _ = np.linalg.qr(rng.randn(5, 5))
    vectors = ((rng.randn(40_000, 5) * [9, 3, 1, 0.3, 0]) @ turned).astype(np.float32)
    before = vectors.copy()
    context_vectors._even_out(vectors)
    spreads = np.sort(np.linalg.svd(vectors / 200, compute_uv=False))[::-1]
    was = np.sort(np.linalg.svd(before / 200, compute_uv=False))[::-1]
    assert np.allclose(spreads[:4], was[:4] ** 0.35, rtol=1e-2)
    assert spreads[4] < 1e-2  # a direction without any stays so


def test_candidates_are_frequent_or_among_the_first_of_their_size():
    words = [(i,) for i in range(5)] + [(i, i) for i in range(3)]
    counts = np.array([90, 80, 70, 3, 2, 9, 8, 7])
    pool = candidates(WordVectors(words, np.zeros((8, 2)), counts), min_count=20, always=2)
    assert pool.tolist() == [True, True, True, False, False, True, True, False]
