"""Word vectors of one's own text: a word is known by the words around it.

Every word has a vector to be known by in the places of others: that of the toolkit if it has one,
else random signs. Of each word the vectors of the words around it are added up, in four sums: those
right before it, right after it, and two to five places before and after. Words that stand in the
same places have like sums. One pass over the text does it, and every run gives the same.

Random vectors: random indexing (Kanerva, Kristofersson and Holst, 2000; Sahlgren, 2005). Sums of
learned vectors for words that lack one: Khodak and others, 2018 (arXiv:1805.05388). Measured beside
word2vec: docs/guide/similar-words.md.
"""

from array import array
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array, Pieces, TokenizedBlock, WordList, as_array, offsets_of
from data_gen.core.progress import Progress
from data_gen.core.random_draws import draw
from data_gen.core.word_keys import WordIndex, word_keys
from data_gen.shared.extras import import_extra
from data_gen.synonyms.neighbours import unit_rows

# Bumped with every change of the method or of the constants below: part of a table's provenance.
METHOD = 3
RANDOM_SIZE = 100  # numbers of a word's vector where there are none of the toolkit; its own size
# Of the words at each distance, how much they count: the further, the less.
_NEAR = {1: 1.0}
_FAR = {2: 1.0, 3: 0.75, 4: 0.5, 5: 0.25}
# What is left of the differences in spread between the directions of the vectors: to this power.
_SPREAD = 0.35
MOST_WORDS = 300_000  # the most frequent ones: half a gigabyte of memory
_AT_ONCE = 1 << 20  # words of the text whose neighbours are added up at once
_ROWS = 1 << 14  # vectors that are worked on at once


class TextWords(NamedTuple):
    """The words of a text: N of them, V different ones, in S sentences."""

    different: WordList
    numbers: Array  # int32 [N]: which of the different ones
    sentences: Array  # int64 [S + 1]: the word that each sentence starts at, and N


class CountedWords(NamedTuple):
    """W different words, the most frequent first."""

    keys: Array  # uint64 [W]: their `word_keys`
    words: WordList
    counts: Array  # int64 [W]: how often each stands in the text
    total: int  # words of the text, these and all others


class WordVectors(NamedTuple):
    """W words with their vectors of D numbers, the most frequent first."""

    words: List[Pieces]  # pieces, none of them [UNK]
    matrix: Array  # float32 [W, D]
    counts: Array  # int64 [W]: how often each stands in the text
    chinese: bool = True  # if any word of the text, however rare, holds a Chinese character


class KnownVectors(NamedTuple):
    """Vectors of D numbers that some words have already."""

    rows: Array  # int64 [N]: which of the words
    vectors: Array  # float32 [N, D]


def words_of(blocks: Sequence[TokenizedBlock]) -> TextWords:
    """List the different words of blocks of text."""
    pieces = np.concatenate([block.pieces for block in blocks])
    words = WordList(pieces, offsets_of(np.concatenate([block.sizes for block in blocks])))
    lengths = np.concatenate([np.diff(block.sentences) for block in blocks])
    keys = word_keys(words.pieces, words.starts)
    _, first, numbers = np.unique(keys, return_index=True, return_inverse=True)
    return TextWords(words.some(first), numbers.astype(np.int32), offsets_of(lengths))


class WordCounts:
    """The words of a text that is counted part by part."""

    def __init__(self) -> None:
        self._index = WordIndex()
        self._keys = array("Q")
        self._pieces, self._sizes = array("i"), array("i")
        self._counts = np.zeros(0, np.int64)

    def add(self, part: TextWords) -> None:
        """Count the words of a part."""
        words = part.different
        keys = word_keys(words.pieces, words.starts)
        numbers, new = self._index(keys)
        new_words = words.some(new)
        self._keys.frombytes(keys[new].tobytes())
        self._pieces.frombytes(new_words.pieces.astype(np.int32).tobytes())
        self._sizes.frombytes(np.diff(new_words.starts).astype(np.int32).tobytes())
        self._counts = np.append(self._counts, np.zeros(len(new), np.int64))
        self._counts[numbers] += np.bincount(part.numbers, minlength=len(keys))

    def holds_any(self, pieces: Array) -> bool:
        """Tell if any word holds one of some pieces, bool [vocabulary]."""
        return bool(pieces[as_array(self._pieces)].any())

    def frequent(self, min_count: int, unknown: int) -> CountedWords:
        """Return the words that stand there at least `min_count` times, at most MOST_WORDS, without
        those that hold the piece `unknown`: it is nothing to predict, and no word's replacement.
        """
        words = WordList(as_array(self._pieces), offsets_of(as_array(self._sizes)))
        keys = as_array(self._keys)
        takes = self._counts >= min_count
        if len(takes):
            takes &= ~np.logical_or.reduceat(words.pieces == unknown, words.starts[:-1])
        rows = np.flatnonzero(takes)
        rows = rows[np.lexsort((keys[rows], -self._counts[rows]))][:MOST_WORDS]
        total = int(self._counts.sum())
        return CountedWords(keys[rows], words.some(rows), self._counts[rows], total)


def context_vectors(
    words: CountedWords,
    parts: Iterable[TextWords],
    seed: int,
    show: Progress,
    known: Optional[KnownVectors] = None,
) -> Array:
    """Return the vectors of W words, float32 [W, 4 D], from a text, part by part.

    `known`: what some words are known by in the places of others, and D; all others by random
    signs, which `seed` decides.
    """
    known_by = _known_by(words, seed, known)
    total, size = known_by.shape
    sums = np.zeros((total, 4, size), np.float32)
    chunks = _chunks(words.keys, parts)
    for rows, sentences in show("contexts", words.total // _AT_ONCE + 1, chunks):
        for place, distances in enumerate((_NEAR, _FAR)):
            follows = _follows(rows, sentences, distances, total)
            sums[:, 2 * place] += follows @ known_by
            sums[:, 2 * place + 1] += follows.T @ known_by
    each = sums.reshape(total * 4, size)
    unit_rows(each, out=each)
    vectors = sums.reshape(total, 4 * size)
    _even_out(vectors)
    return vectors


def _known_by(words: CountedWords, seed: int, known: Optional[KnownVectors]) -> Array:
    """Return what each word is known by, float32 [W, D]: a vector of length 1 less the mean of the
    text, so that sums show in what the words around a word differ from those around all.
    """
    size = known.vectors.shape[1] if known else RANDOM_SIZE
    vectors = np.empty((len(words.keys), size), np.float32)
    mean = np.zeros(size)
    for start in range(0, len(vectors), _ROWS):
        block = slice(start, start + _ROWS)
        bits = draw(words.keys[block, None] ^ np.uint64(seed), np.arange(size)) >> np.uint64(63)
        vectors[block] = (2.0 * bits - 1) / size**0.5
    if known:
        vectors[known.rows] = unit_rows(known.vectors)
    for start in range(0, len(vectors), _ROWS):
        block = slice(start, start + _ROWS)
        mean += words.counts[block] @ vectors[block].astype(np.float64)
    vectors -= (mean / max(words.counts.sum(), 1)).astype(np.float32)
    return vectors


def _chunks(keys: Array, parts: Iterable[TextWords]) -> Iterator[Tuple[Array, Array]]:
    """Cut a text into chunks of _AT_ONCE words, whatever its parts: the row of each word among the
    words with these keys, int64, -1 for others, and the number of its sentence.
    """
    order = np.argsort(keys)
    ordered = keys[order]
    rows, sentences = np.zeros(0, np.int64), np.zeros(0, np.int64)
    first = 0
    for part in parts:
        own = word_keys(part.different.pieces, part.different.starts)
        found = np.full(len(own), -1)
        if len(keys):
            place = np.minimum(np.searchsorted(ordered, own), len(keys) - 1)
            found = np.where(ordered[place] == own, order[place], -1)
        lengths = np.diff(part.sentences)
        rows = np.append(rows, found[part.numbers])
        sentences = np.append(sentences, np.repeat(np.arange(first, first + len(lengths)), lengths))
        first += len(lengths)
        while len(rows) >= _AT_ONCE:
            yield rows[:_AT_ONCE], sentences[:_AT_ONCE]
            rows, sentences = rows[_AT_ONCE:], sentences[_AT_ONCE:]
    yield rows, sentences


def _follows(rows: Array, sentences: Array, distances: Dict[int, float], total: int) -> Any:
    """Return how much each word of a text is followed by each other, sparse [W, W]."""
    sparse = import_extra("scipy.sparse", "data", "word vectors of the text's own words")
    befores, afters, weights = [], [], []
    for distance, weight in distances.items():
        before, after = rows[:-distance], rows[distance:]
        pairs = sentences[distance:] == sentences[:-distance]
        pairs &= (before >= 0) & (after >= 0)
        befores.append(before[pairs])
        afters.append(after[pairs])
        weights.append(np.full(len(befores[-1]), weight, np.float32))
    places = np.concatenate(befores), np.concatenate(afters)
    return sparse.csr_matrix((np.concatenate(weights), places), shape=(total, total))


def _even_out(vectors: Array) -> None:
    """Bring the spreads of vectors along their principal directions nearer to each other, in place:
    a few directions, the kinds of words, would hide all others.
    """
    total, size = vectors.shape
    if not total:
        return
    products = np.zeros((size, size))
    blocks = [slice(start, start + _ROWS) for start in range(0, total, _ROWS)]
    for block in blocks:
        products += vectors[block].T @ vectors[block]
    variances, directions = np.linalg.eigh(products / total)
    variances = np.maximum(variances, max(variances[-1], 1e-12) * 1e-6)
    turned = (directions * variances ** ((_SPREAD - 1) / 2)).astype(np.float32)
    for block in blocks:
        vectors[block] = vectors[block] @ turned


def candidates(vectors: WordVectors, min_count: int, always: int = 1000) -> Array:
    """Tell which words may replace others, bool [W]: those that stand in the text at least
    `min_count` times, because a vector learned from few places is near to anything; and of every
    size the `always` most frequent, however rare, because a small text has few others.
    """
    sizes = np.array([len(word) for word in vectors.words])
    pool = vectors.counts >= min_count
    for size in np.unique(sizes):
        pool[np.flatnonzero(sizes == size)[:always]] = True
    return pool
