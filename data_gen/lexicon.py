"""The different words of a text by number, and the similar words of each as arrays.

A word is known by a 64-bit hash of its pieces, so that the words of a block become numbers without
a Python object each. Two of n different words of the same number of pieces share a hash with a
probability of n * n / 2**65: 3 in 100 million for a million of them.
"""

import re
from array import array
from itertools import accumulate
from typing import Callable, Dict, List, NamedTuple, Protocol, Sequence, Tuple

import numpy as np

from data_gen.draws import draw
from data_gen.pieces import Tokenizer
from data_gen.stats import MISSING_OF_A_BLOCK, Counts
from data_gen.types import Array, Pieces, Text, view

# Similar words with their similarity, the most similar first.
Candidates = Sequence[Tuple[Pieces, float]]


class Similar(Protocol):
    """The lookup of similar words, of several at once; `keys` are the words' `word_keys`."""

    def candidates(self, keys: Array, words: Sequence[Pieces]) -> Sequence[Candidates]:
        """The similar words of each word, of the same number of pieces; empty where there is
        none.
        """

    def sources(self, keys: Array, words: Sequence[Pieces]) -> Sequence[str]:
        """Where the similar words of each word come from, e.g. "toolkit"; "" where it has none."""

    def reasons(self, keys: Array, words: Sequence[Pieces]) -> Sequence[str]:
        """Why words have no similar word, e.g. "not in the table"."""


_CHINESE = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_FROM = "similar_from/"
_UNKNOWN = "without_similar/holds [UNK], never masked"
_MOST_KNOWN = 1 << 18  # words; more would take more than 100 MB

# Similarities of the candidates of a word, descending -> their weights in the choice.
Weigh = Callable[[Sequence[float]], Sequence[float]]


class Distinct(NamedTuple):
    """The different words of a text, V of W, in an order that depends on nothing but them."""

    keys: List[int]
    examples: Array  # int64 [V]: a word of the text that each is
    counts: Array  # int64 [V]: how often it stands there
    numbers: Array  # int64 [W]: which of them each word is


def distinct_words(text: Text) -> Distinct:
    """Find the different words of a text."""
    every = word_keys(text.pieces, text.words)
    keys, numbers, counts = np.unique(every, return_inverse=True, return_counts=True)
    examples = np.empty(len(keys), np.int64)
    examples[numbers] = np.arange(len(every))
    return Distinct(keys.tolist(), examples, counts, numbers)


def word_keys(pieces: Array, starts: Array) -> Array:
    """The hash of each word, uint64 [W].

    pieces: int [P]
    starts: int64 [W + 1]: the piece that each word starts at, and P; none is empty
    """
    sizes = np.diff(starts)
    place = np.arange(len(pieces)) - np.repeat(starts[:-1], sizes)
    # A sum of products with random numbers, one for each place.
    factors = draw(np.zeros(1, np.uint64), np.arange(sizes.max(initial=0)))
    mixed = (pieces + 1).astype(np.uint64) * factors[place]
    return draw(np.add.reduceat(mixed, starts[:-1]) if len(sizes) else mixed, sizes)


class _Known(NamedTuple):
    """What is known of a word."""

    group: str  # the counter of its source, or of the reason why it has no similar word
    characters: int  # 0 of a word that holds [UNK]: it is never masked
    chinese: bool  # whether there are Chinese ones among them


class SimilarLexicon:
    """The similar words of all words met so far, looked up once for each."""

    def __init__(self, similar: Similar, tokenizer: Tokenizer, weigh: Weigh) -> None:
        self._similar = similar
        self._tokenizer = tokenizer
        self._weigh = weigh
        self._clear()

    def _clear(self) -> None:
        self._numbers: Dict[int, int] = {}
        self._keys = array("Q")
        self._words: List[Pieces] = []
        # Of each word: whether it has candidates, and what is counted of it.
        self._has_similar = array("b")
        self._groups: Dict[str, int] = {}
        self._group = array("i")
        self._characters = array("i")
        self._chinese = array("b")
        # Of those words that were chosen for ever: the candidates as columns. The weights of the
        # word in slot i are cumulated from i to i + 1, so that one search finds a choice.
        self._slots = array("q")  # of each word, -1 before
        self._weights = array("d")
        self._weight_starts = array("q")
        self._pieces = array("i")
        self._starts = array("q")

    def numbers(self, text: Text, words: Distinct) -> Array:
        """The number of each different word of a text, int64 [V]."""
        if len(self._numbers) > _MOST_KNOWN:
            self._clear()
        numbers = list(map(self._numbers.get, words.keys))
        new = [i for i, number in enumerate(numbers) if number is None]
        pieces = [text.word(example) for example in words.examples[new].tolist()]
        keys = [words.keys[i] for i in new]
        for i, key, word, group in zip(new, keys, pieces, self._found_in(keys, pieces)):
            numbers[i] = self._numbers[key] = len(self._numbers)
            self._keys.append(key)
            self._add(word, group)
        return np.array(numbers, np.int64)

    def _found_in(self, keys: Sequence[int], words: Sequence[Pieces]) -> List[str]:
        """The counter of the source of each word, or of the reason why it has none."""
        sources = self._similar.sources(np.array(keys, np.uint64), words)
        lacking = [i for i, source in enumerate(sources) if not source]
        reasons = self._similar.reasons(
            np.array([keys[i] for i in lacking], np.uint64), [words[i] for i in lacking]
        )
        groups = [f"{_FROM}{source}" for source in sources]
        for i, reason in zip(lacking, reasons):
            groups[i] = f"without_similar/{reason}"
        return groups

    def _add(self, word: Pieces, group: str) -> None:
        unknown = self._tokenizer.unk in word
        known = _Known(_UNKNOWN, 0, False) if unknown else self._describe(word, group)
        self._words.append(word)
        self._has_similar.append(known.group.startswith(_FROM))
        self._group.append(self._groups.setdefault(known.group, len(self._groups)))
        self._characters.append(known.characters)
        self._chinese.append(known.chinese)
        self._slots.append(-1)

    def _describe(self, word: Pieces, group: str) -> _Known:
        text = self._tokenizer.text(word)
        return _Known(group, len(text), bool(_CHINESE.search(text)))

    def known(self, numbers: Array) -> Array:
        """Whether each word has a similar word."""
        return view(self._has_similar)[numbers] != 0

    def count(self, text: Text, words: Distinct, numbers: Array, counts: Counts) -> None:
        """Count which words of a text have similar ones: by source and reason, of all words, of
        those that hold Chinese characters, by characters, and the most frequent without.
        """
        times, covered = words.counts, self.known(numbers)
        characters = view(self._characters)[numbers] * times
        chinese = (view(self._chinese)[numbers] != 0) * times
        groups = np.bincount(view(self._group)[numbers], times, len(self._groups))
        for group, number in self._groups.items():
            if groups[number]:
                counts[group] += int(groups[number])
        counts["characters_of_words"] += int(characters.sum())
        counts["characters_with_similar"] += int(characters[covered].sum())
        counts["chinese_words"] += int(chinese.sum())
        counts["chinese_words_with_similar"] += int(chinese[covered].sum())
        lacking = np.flatnonzero(~covered & (characters > 0))
        most = lacking[np.argsort(-times[lacking], kind="stable")[:MISSING_OF_A_BLOCK]]
        for example, count in zip(words.examples[most].tolist(), times[most].tolist()):
            counts[f"missing/{self._tokenizer.text(text.word(example))}"] += count

    def choose(self, numbers: Array, shares: Array, sizes: Array, places: Array) -> Array:
        """Choose a candidate of each word by a share in `[0, 1)`, a multiple of 2**-24 so that it
        can be added to a slot; of a word of so many pieces the piece at this place is returned.
        """
        self._spread(np.unique(numbers[view(self._slots)[numbers] < 0]).tolist())
        slots = view(self._slots)[numbers]
        chosen = np.searchsorted(view(self._weights), slots + shares, side="right")
        chosen -= view(self._weight_starts)[slots]
        return view(self._pieces)[view(self._starts)[slots] + chosen * sizes + places]

    def _spread(self, numbers: Sequence[int]) -> None:
        """Put the candidates of words into columns."""
        keys = np.array([self._keys[number] for number in numbers], np.uint64)
        words = [self._words[number] for number in numbers]
        for number, candidates in zip(numbers, self._similar.candidates(keys, words)):
            slot = self._slots[number] = len(self._starts)
            self._starts.append(len(self._pieces))
            self._weight_starts.append(len(self._weights))
            for pieces, _ in candidates:
                self._pieces.extend(pieces)
            weights = list(accumulate(self._weigh([similarity for _, similarity in candidates])))
            self._weights.extend([slot + weight / weights[-1] for weight in weights])
