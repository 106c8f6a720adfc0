"""Word -> similar words of the same number of pieces, looked up in a table: no search happens while
masking.

A word takes its candidates from the first layer of the table that has any: the toolkit's vectors,
as in the paper (IV-A, Table II), then those of one's own text.
"""

from itertools import chain
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array, Pieces, WordList, offsets_of, ranges
from data_gen.core.script_conversion import converter
from data_gen.core.word_keys import word_keys
from data_gen.synonyms.config import SynonymsConfig
from data_gen.synonyms.lexicon import CandidateColumns, Candidates, Labels
from data_gen.synonyms.likeness import ALIKE
from data_gen.synonyms.table import SourceTable, Table
from data_gen.tokenization.tokenizer import Tokenizer


class Found(NamedTuple):
    """The similar words of a word with their similarities, the most similar first."""

    candidates: Candidates
    source: str  # "" where there is none


# The reasons why a word has no similar word.
REASONS = (
    "not in the table",
    "no neighbour in the table",
    "not similar enough",
    "other number of pieces",
)

_NOTHING = Found((), "")
_SIMPLIFIED = "{}, simplified"  # the source of a traditional word's candidates


class _Usable(NamedTuple):
    """The neighbours of some words of a layer, N of them, that the settings take as candidates."""

    neighbours: Array  # int32
    similarities: Array  # float32
    counts: Array  # int64 [N]
    refused: Array  # bool [N]: "strict" and the nearest of another number of pieces


class CandidateLookup:
    """The lookup that corruption uses: pieces of words -> their candidates."""

    def __init__(self, table: Table, tokenizer: Tokenizer, config: SynonymsConfig) -> None:
        self.layers = table.layers
        self._tokenizer = tokenizer
        self._config = config
        # Of each layer the classes of its words, in which candidates should be alike.
        self._classes = {
            source: [_classes(layer, name, tokenizer) for name in config.alike]
            for source, layer in table.layers.items()
        }
        # None: traditional words are not looked up in their simplified form.
        self._simplify = converter("t2s") if config.traditional else None
        # Of each piece if it may hold a traditional character.
        self._beyond_ascii = np.array([not piece.isascii() for piece in tokenizer.pieces])

    def of_word(self, word: Pieces) -> Found:
        """Look one word up."""
        words = WordList(np.array(word), np.array([0, len(word)]))
        keys = word_keys(*words)
        (source,) = self.sources(keys, words).each()
        for found in self.candidates(keys, words):
            if len(found.words):
                pieces = map(tuple, found.pieces.reshape(-1, len(word)).tolist())
                return Found(list(zip(pieces, found.similarities.tolist())), source)
        return _NOTHING

    def candidates(self, keys: Array, words: WordList) -> Iterator[CandidateColumns]:
        """Yield the similar words of the words that have any, in portions, one for each source.
        `keys` are the `word_keys` of the words.
        """
        found = np.zeros(len(keys), bool)
        for source, own, usable in self._by_source(keys):
            found[own] = True
            layer = self.layers[source]
            starts, stops = (layer.starts[usable.neighbours + j] for j in (0, 1))
            pieces = layer.pieces[ranges(starts, stops)]
            yield CandidateColumns(own, usable.counts, pieces, usable.similarities)
        rest, simplified = self._simplified_words(found, words)
        yield _columns(rest, [one.candidates for one in simplified])

    def sources(self, keys: Array, words: WordList) -> Labels:
        """Return the source of each word's candidates, "toolkit" or "corpus" say; number 0, ""
        where there is none.
        """
        names = ["", *self.layers, *map(_SIMPLIFIED.format, self.layers)]
        numbers = np.zeros(len(keys), np.int64)
        for source, own, _ in self._by_source(keys):
            numbers[own] = names.index(source)
        rest, simplified = self._simplified_words(numbers > 0, words)
        numbers[rest] = [names.index(one.source) for one in simplified]
        return Labels(names, numbers)

    def reasons(self, keys: Array) -> Labels:
        """Return the reason why each word has no similar word, one of `REASONS`."""
        reasons = np.zeros(len(keys), np.int64)
        for layer in self.layers.values():
            numbers = layer.numbers(keys)
            there = np.flatnonzero(numbers >= 0)
            starts, stops = (layer.neighbour_starts[numbers[there] + i] for i in (0, 1))
            some = starts < stops
            found = 1 + some.astype(np.int64)
            # The most similar comes first.
            found[some] += layer.similarities[starts[some]] >= self._config.min_similarity
            reasons[there] = np.maximum(reasons[there], found)
        return Labels(REASONS, reasons)

    def of_source(self, source: str, word: Pieces) -> Candidates:
        """Return the candidates that one source has for a word."""
        number = self.layers[source].number(word)
        if number < 0:
            return ()
        (some,) = self._listed(source, self._usable(source, np.array([number])))
        return some

    def _listed(self, source: str, usable: _Usable) -> List[Candidates]:
        """List the candidates of each word that a source has some for."""
        words = [self.layers[source].word(number) for number in usable.neighbours.tolist()]
        every = [*zip(words, usable.similarities.tolist())]
        bounds = offsets_of(usable.counts).tolist()
        return [every[start:stop] for start, stop in zip(bounds, bounds[1:])]

    def _usable(self, source: str, numbers: Array) -> _Usable:
        """Find the candidates that one source has for some words, by their numbers there."""
        return _usable(self.layers[source], numbers, self._classes[source], self._config)

    def _by_source(self, keys: Array) -> Iterator[Tuple[str, Array, _Usable]]:
        """Yield each source with the words that take their candidates from it as they are spelt,
        int [N], and these: a word takes those of the first source that has any.
        """
        decided = np.zeros(len(keys), bool)
        for source, layer in self.layers.items():
            numbers = layer.numbers(keys)
            there = np.flatnonzero((numbers >= 0) & ~decided)
            usable = self._usable(source, numbers[there])
            has = usable.counts > 0
            decided[there] = has | usable.refused
            own = usable._replace(counts=usable.counts[has], refused=usable.refused[has])
            yield source, there[has], own

    def _simplified_words(self, found: Array, words: WordList) -> Tuple[Array, List[Found]]:
        """Find the traditional words among those that were not found as they are spelt, and the
        candidates of each: those of the simplified word, converted back, where the number of pieces
        agrees.
        """
        if not self._simplify or not len(found):
            return np.zeros(0, np.int64), []
        beyond = np.logical_or.reduceat(self._beyond_ascii[words.pieces], words.starts[:-1])
        rest = np.flatnonzero(~found & beyond)
        texts = [self._tokenizer.join(words.word(i)) for i in rest.tolist()]
        simplified = _of_many(self._simplify)(texts)
        rest = rest[[one != text for one, text in zip(simplified, texts)]]
        changed = [one for one, text in zip(simplified, texts) if one != text]
        if not changed:
            return rest, []
        restore = _of_many(converter("s2t"))  # a dictionary of .06 s
        sources, simple = self._of_texts(changed)
        spelt = [self._tokenizer.join(other) for some in simple for other, _ in some]
        restored = iter(self._tokenizer.encode(restore(spelt)))
        results = []
        for i, source, some in zip(rest.tolist(), sources, simple):
            word = words.word(i)
            candidates: Dict[Pieces, float] = {}
            for (_, similarity), (pieces, _) in zip(some, restored):
                other = tuple(pieces)
                if len(other) == len(word) and other != word and self._tokenizer.unk not in other:
                    candidates.setdefault(other, similarity)
            results.append(
                Found(list(candidates.items()), _SIMPLIFIED.format(source))
                if candidates
                else _NOTHING
            )
        return rest, results

    def _of_texts(self, texts: Sequence[str]) -> Tuple[List[str], List[Candidates]]:
        """Return the source of each text, a word, and its candidates as it is spelt."""
        encoded = [pieces for pieces, _ in self._tokenizer.encode(texts)]
        keys = word_keys(
            np.array([*chain.from_iterable(encoded)], np.int64), offsets_of([*map(len, encoded)])
        )
        names = [""] * len(keys)
        candidates: List[Candidates] = [()] * len(keys)
        for source, own, usable in self._by_source(keys):
            for i, some in zip(own.tolist(), self._listed(source, usable)):
                names[i], candidates[i] = source, some
        return names, candidates


def _of_many(convert: Callable[[str], str]) -> Callable[[Sequence[str]], List[str]]:
    """Convert many texts as one, which is many times as fast as a text each."""
    return lambda texts: convert("\n".join(texts)).split("\n") if texts else []


def _usable(
    layer: SourceTable, numbers: Array, classes: Sequence[Array], config: SynonymsConfig
) -> _Usable:
    """Apply the settings to words, by their numbers in the layer, int64 [N]: a candidate is similar
    enough, of as many pieces, and like the word in each of the `classes` where any neighbour is; if
    asked for, without a piece of it where any neighbour is.
    """
    starts, stops = (layer.neighbour_starts[numbers + j] for j in (0, 1))
    counts = stops - starts
    rows = ranges(starts, stops)
    neighbours, similarities = layer.neighbours[rows], layer.similarities[rows]
    owner = np.repeat(np.arange(len(numbers)), counts)
    words = numbers[owner]
    keep = similarities >= config.min_similarity
    other_size = _sizes(layer, neighbours) != _sizes(layer, words)
    refused = np.zeros(len(numbers), bool)
    if config.other_lengths == "strict":
        near = np.flatnonzero(keep)
        nearest = near[np.unique(owner[near], return_index=True)[1]]
        refused[owner[nearest]] = other_size[nearest]
        keep &= ~refused[owner]
    keep &= ~other_size
    for own in classes:
        alike = (own[neighbours] == own[words]) & (own[words] >= 0)
        keep = _preferred(keep, alike, owner)
    if config.avoid_shared_pieces:
        keep = _preferred(keep, ~_shares_a_piece(layer, words, neighbours, keep), owner)
    kept = np.bincount(owner[keep], minlength=len(numbers))
    return _Usable(neighbours[keep], similarities[keep], kept, refused)


def _sizes(layer: SourceTable, numbers: Array) -> Array:
    """Return the number of pieces of each word."""
    return layer.starts[numbers + 1] - layer.starts[numbers]


def _preferred(keep: Array, wanted: Array, owner: Array) -> Array:
    """Return the neighbours to keep that are wanted, and all of a word that has none such."""
    best = keep & wanted
    has_best = np.bincount(owner[best], minlength=int(owner.max(initial=0)) + 1) > 0
    return best | (keep & ~has_best[owner])


def _shares_a_piece(layer: SourceTable, words: Array, neighbours: Array, keep: Array) -> Array:
    """Tell of each neighbour to keep, of as many pieces as its word, if any piece of it is that of
    the word at the same place.
    """
    sizes = _sizes(layer, words)
    shares = np.zeros(len(keep), bool)
    rows = np.flatnonzero(keep)
    for place in range(int(sizes.max(initial=0))):
        rows = rows[sizes[rows] > place]
        old = layer.pieces[layer.starts[words[rows]] + place]
        new = layer.pieces[layer.starts[neighbours[rows]] + place]
        shares[rows[old == new]] = True
    return shares


def _classes(layer: SourceTable, name: str, tokenizer: Tokenizer) -> Array:
    """Return the class of each word as a number, int [W]; -1 where it is not known."""
    if name == "script":  # in the table: finding it takes seconds
        return layer.scripts
    texts = (tokenizer.join(layer.word(number)) for number in range(len(layer.keys)))
    numbers: Dict[Optional[str], int] = {None: -1}
    found = (numbers.setdefault(ALIKE[name](text), len(numbers)) for text in texts)
    return np.fromiter(found, np.int64, len(layer.keys))


def _columns(numbers: Array, candidates: Sequence[Candidates]) -> CandidateColumns:
    """Put candidates of the words of these numbers into columns; words without any are left out."""
    counts = np.array([len(some) for some in candidates], np.int64)
    every = [*chain.from_iterable(candidates)]
    return CandidateColumns(
        numbers[counts > 0],
        counts[counts > 0],
        np.array([*chain.from_iterable(pieces for pieces, _ in every)], np.int32),
        np.array([similarity for _, similarity in every], np.float32),
    )


class NoSimilarWords:
    """The lookup of builds that replace nothing by similar words."""

    def candidates(self, keys: Array, words: WordList) -> Iterator[CandidateColumns]:
        """Yield nothing: no word has a similar one."""
        return iter(())

    def sources(self, keys: Array, words: WordList) -> Labels:
        """Return "" for each word."""
        return Labels([""], np.zeros(len(keys), np.int64))

    def reasons(self, keys: Array) -> Labels:
        """Return the same reason for each word."""
        return Labels(["no table"], np.zeros(len(keys), np.int64))
