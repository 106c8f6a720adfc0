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
from data_gen.synonyms.lexicon import CandidateColumns, Candidates
from data_gen.synonyms.likeness import ALIKE
from data_gen.synonyms.table import SourceTable, Table
from data_gen.tokenization.tokenizer import Tokenizer


class Found(NamedTuple):
    """What the table knows of a word."""

    candidates: Candidates
    source: str  # whose they are; "" where there is none


# Why a word has no similar word.
REASONS = (
    "not in the table",
    "no neighbour in the table",
    "not similar enough",
    "other number of pieces",
)

_NOTHING = Found((), "")


class _Usable(NamedTuple):
    """Those neighbours of a layer that the settings take as candidates."""

    neighbours: Array  # int32
    similarities: Array  # float32
    starts: Array  # int64 [W + 1]
    refused: Array  # bool [W]: "strict" and the nearest of another number of pieces


class CandidateLookup:
    """The lookup that corruption uses: pieces of a word -> its candidates."""

    def __init__(self, table: Table, tokenizer: Tokenizer, config: SynonymsConfig) -> None:
        self.layers = table.layers
        self._names = [*table.layers, ""]  # so that number -1 is none
        self._tokenizer = tokenizer
        self._min_similarity = config.min_similarity
        self._usable = {
            source: _usable(layer, config, tokenizer) for source, layer in table.layers.items()
        }
        self._convert: Optional[Tuple[Callable[[str], str], Callable[[str], str]]] = None
        if config.traditional:
            self._convert = converter("t2s"), converter("s2t")

    def __call__(self, word: Pieces) -> Candidates:
        """The similar words of one word with their similarities, the most similar first."""
        return self._of_one(word).candidates

    def source(self, word: Pieces) -> str:
        """Where they come from."""
        return self._of_one(word).source

    def _of_one(self, word: Pieces) -> Found:
        sources, places = self._found(_key(word))
        source = self._names[sources[0]]
        if source:
            return Found(self._of(source, int(places[0])), source)
        return self._simplified(word)

    def candidates(self, keys: Array, words: WordList) -> Iterator[CandidateColumns]:
        """The similar words of the words that have any, in portions, one for each source. `keys`
        are `distinct.word_keys` of the words.
        """
        found, places = self._found(keys)
        for i, (source, usable) in enumerate(self._usable.items()):
            own = np.flatnonzero(found == i)
            starts, stops = (usable.starts[places[own] + j] for j in (0, 1))
            candidates = ranges(starts, stops)
            near = usable.neighbours[candidates]
            bounds = self.layers[source].starts
            pieces = self.layers[source].pieces[ranges(bounds[near], bounds[near + 1])]
            yield CandidateColumns(own, stops - starts, pieces, usable.similarities[candidates])
        rest, simplified = self._simplified_words(found, words)
        yield _columns(rest, [one.candidates for one in simplified])

    def sources(self, keys: Array, words: WordList) -> List[str]:
        """The name of the source of each word's candidates, "toolkit" or "corpus" say; "" where
        there is none.
        """
        found, _ = self._found(keys)
        names = [self._names[i] for i in found.tolist()]
        rest, simplified = self._simplified_words(found, words)
        for i, one in zip(rest.tolist(), simplified):
            names[i] = one.source
        return names

    def reasons(self, keys: Array) -> List[str]:
        """Why words have no similar word."""
        reasons = np.zeros(len(keys), np.int64)
        for layer in self.layers.values():
            numbers = layer.numbers(keys)
            there = np.flatnonzero(numbers >= 0)
            starts, stops = (layer.neighbour_starts[numbers[there] + i] for i in (0, 1))
            some = starts < stops
            found = 1 + some.astype(np.int64)
            # The most similar comes first.
            found[some] += layer.similarities[starts[some]] >= self._min_similarity
            reasons[there] = np.maximum(reasons[there], found)
        return [REASONS[i] for i in reasons.tolist()]

    def of_source(self, source: str, word: Pieces) -> Candidates:
        """The candidates that one source has for a word."""
        number = self.layers[source].number(word)
        return self._of(source, number) if number >= 0 else ()

    def _of(self, source: str, number: int) -> Candidates:
        layer, usable = self.layers[source], self._usable[source]
        start, stop = usable.starts[number : number + 2].tolist()
        words = map(layer.word, usable.neighbours[start:stop].tolist())
        return list(zip(words, usable.similarities[start:stop].tolist()))

    def _found(self, keys: Array) -> Tuple[Array, Array]:
        """The number of the first source that has candidates for each word as it is spelt, -1 for
        none, and the word's number there.
        """
        found = np.full(len(keys), -1)
        places = np.zeros(len(keys), np.int64)
        decided = np.zeros(len(keys), bool)
        for i, (source, usable) in enumerate(self._usable.items()):
            numbers = self.layers[source].numbers(keys)
            there = np.flatnonzero((numbers >= 0) & ~decided)
            numbers = numbers[there]
            has = usable.starts[numbers] < usable.starts[numbers + 1]
            found[there[has]], places[there] = i, numbers
            decided[there] = has | usable.refused[numbers]
        return found, places

    def _simplified_words(self, found: Array, words: WordList) -> Tuple[Array, List[Found]]:
        """The traditional ones among the words that were not found as they are spelt, and the
        candidates of each.
        """
        rest = np.flatnonzero(found < 0) if self._convert else np.zeros(0, np.int64)
        if not self._convert or not len(rest):
            return rest, []
        texts = [self._tokenizer.join(words.word(i)) for i in rest.tolist()]
        # One text of all is many times as fast as a text each.
        simplified = self._convert[0]("\n".join(texts)).split("\n")
        rest = rest[[one != text for one, text in zip(simplified, texts)]]
        return rest, [self._simplified(words.word(i)) for i in rest.tolist()]

    def _simplified(self, word: Pieces) -> Found:
        return self._look_up_simplified(word, *self._convert) if self._convert else _NOTHING

    def _look_up_simplified(
        self, word: Pieces, simplify: Callable[[str], str], restore: Callable[[str], str]
    ) -> Found:
        """The candidates of a traditional word: those of the simplified one, converted back, where
        the number of pieces agrees.
        """
        text = self._tokenizer.join(word)
        simplified = simplify(text)
        if simplified == text:
            return _NOTHING
        ((pieces, _),) = self._tokenizer.encode([simplified])
        found, places = self._found(_key(tuple(pieces)))
        source = self._names[found[0]]
        if not source:
            return _NOTHING
        simple = self._of(source, int(places[0]))
        texts = [restore(self._tokenizer.join(candidate)) for candidate, _ in simple]
        encoded = [tuple(pieces) for pieces, _ in self._tokenizer.encode(texts)]
        candidates: Dict[Pieces, float] = {}
        for other, (_, similarity) in zip(encoded, simple):
            if len(other) == len(word) and other != word and self._tokenizer.unk not in other:
                candidates.setdefault(other, similarity)
        if not candidates:
            return _NOTHING
        return Found(list(candidates.items()), f"{source}, simplified")


def _key(word: Pieces) -> Array:
    """The key of one word, uint64 [1]."""
    return word_keys(np.array(word), np.array([0, len(word)]))


def _usable(layer: SourceTable, config: SynonymsConfig, tokenizer: Tokenizer) -> _Usable:
    """Apply the settings to all words at once: similar enough, of as many pieces, and like the word
    where any neighbour is.
    """
    sizes = np.diff(layer.starts)
    owner = np.repeat(np.arange(len(sizes)), np.diff(layer.neighbour_starts))
    keep = layer.similarities >= config.min_similarity
    other_size = sizes[layer.neighbours] != sizes[owner]
    refused = np.zeros(len(sizes), bool)
    if config.other_lengths == "strict":
        near = np.flatnonzero(keep)
        nearest = near[np.unique(owner[near], return_index=True)[1]]
        refused[owner[nearest]] = other_size[nearest]
    keep &= ~other_size & ~refused[owner]
    for name in config.alike:
        classes = _classes(layer, name, tokenizer)
        alike = keep & (classes[layer.neighbours] == classes[owner]) & (classes[owner] >= 0)
        any_alike = np.bincount(owner[alike], minlength=len(sizes)) > 0
        keep &= alike | ~any_alike[owner]
    kept = np.bincount(owner[keep], minlength=len(sizes))
    return _Usable(layer.neighbours[keep], layer.similarities[keep], offsets_of(kept), refused)


def _classes(layer: SourceTable, name: str, tokenizer: Tokenizer) -> Array:
    """The class of each word as a number, int64 [W]; -1 where it is not known."""
    if name == "script":  # in the table: finding it takes seconds
        return layer.scripts.astype(np.int64)
    texts = (tokenizer.join(layer.word(number)) for number in range(len(layer.keys)))
    numbers: Dict[Optional[str], int] = {None: -1}
    found = (numbers.setdefault(ALIKE[name](text), len(numbers)) for text in texts)
    return np.fromiter(found, np.int64, len(layer.keys))


def _columns(numbers: Array, candidates: Sequence[Candidates]) -> CandidateColumns:
    """Candidates of the words of these numbers as columns; words without any are left out."""
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
        """No word has a similar one."""
        return iter(())

    def sources(self, keys: Array, words: WordList) -> List[str]:
        """So there is no source either."""
        return [""] * len(keys)

    def reasons(self, keys: Array) -> List[str]:
        """Why words have no similar word."""
        return ["no table"] * len(keys)
