"""A cache of the similar words of all words met so far, as arrays."""

from array import array
from typing import Callable, Dict, Iterable, List, NamedTuple, Protocol, Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array, Pieces, TokenizedBlock, WordList, as_array
from data_gen.core.compiled import compiled
from data_gen.core.counting import MISSING_OF_A_BLOCK, Counts
from data_gen.core.word_keys import WordIndex, word_keys
from data_gen.tokenization.tokenizer import Tokenizer

# Similar words with their similarity, the most similar first.
Candidates = Sequence[Tuple[Pieces, float]]


class CandidateColumns(NamedTuple):
    """The candidates of N words, one after another; each is of as many pieces as its word."""

    words: Array  # int64 [N]: the number of each word among those that were asked for
    counts: Array  # int64 [N]: how many candidates it has
    pieces: Array  # int32: of all candidates
    similarities: Array  # float32: of all candidates, of each word the most similar first


class Labels(NamedTuple):
    """One of a few names for each of N words."""

    names: Sequence[str]
    numbers: Array  # int64 [N]: the number of its name

    def each(self) -> List[str]:
        """Return the name of each word."""
        return [self.names[number] for number in self.numbers.tolist()]


class CandidateSource(Protocol):
    """A lookup of the similar words of several words; `keys` are their `word_keys`."""

    def candidates(self, keys: Array, words: WordList) -> Iterable[CandidateColumns]:
        """Yield the similar words of the words that have any, in portions."""

    def sources(self, keys: Array, words: WordList) -> Labels:
        """Return the source of each word's similar words, e.g. "toolkit"; number 0 where it has
        none.
        """

    def reasons(self, keys: Array) -> Labels:
        """Return the reasons why words have no similar word, e.g. "not in the table"."""


_FROM, _WITHOUT = "similar_from", "without_similar"  # groups of counters
_UNKNOWN = "holds [UNK], never masked"
_SHARE = 2.0**-24  # what shares for a choice are multiples of

# Similarities of the candidates of words, a row each, descending -> their weights in the choice.
Weigh = Callable[[Array], Array]


class CandidateCache:
    """A cache of the candidates of all words met so far, looked up once for each."""

    def __init__(
        self,
        similar: CandidateSource,
        tokenizer: Tokenizer,
        weigh: Weigh,
        most_words: int = 1 << 18,  # more would take more than 100 MB
    ) -> None:
        self._most_words = most_words
        self._similar = similar
        self._tokenizer = tokenizer
        self._weigh = weigh
        self._piece_characters = np.array([*map(len, tokenizer.spelt)])
        self._clear()

    def _clear(self) -> None:
        self._numbers = WordIndex()
        self._keys = array("Q")
        self._words, self._word_starts = array("i"), array("q", [0])
        # Of each word: whether it has candidates, and what is counted of it.
        self._has_similar = array("b")
        self._counter_numbers: Dict[str, int] = {}  # of a source, or of a reason for none
        self._counter = array("i")
        self._characters = array("i")  # 0 of a word that holds [UNK]: it is never masked
        self._chinese = array("b")  # whether there are Chinese ones among them
        # Candidates of the words replaced so far, in columns. The weights of the
        # word in slot i are cumulated from i to i + 1, so that one search finds a choice.
        self._slots = array("q")  # of each word, -1 before
        self._weights = array("d")
        self._weight_starts = array("q")
        self._pieces = array("i")
        self._starts = array("q")

    def trim(self) -> None:
        """Forget all words if there are too many; then numbers given before no longer hold."""
        if len(self._numbers) > self._most_words:
            self._clear()

    def numbers(self, text: TokenizedBlock) -> Array:
        """Return the number of each word of a text, int64 [W]; they hold until `trim`."""
        keys = word_keys(text.pieces, text.words)
        numbers, new = self._numbers(keys)
        if len(new):
            self._add(keys[new], text.some_words(new))
        return numbers

    def _add(self, keys: Array, words: WordList) -> None:
        starts = words.starts[:-1]
        unknown = np.logical_or.reduceat(words.pieces == self._tokenizer.unk, starts)
        characters = np.add.reduceat(self._piece_characters[words.pieces], starts)
        chinese = np.logical_or.reduceat(self._tokenizer.chinese_pieces[words.pieces], starts)
        sources = self._similar.sources(keys, words)
        counters = self._counters(_FROM, sources.names)[sources.numbers]
        lacking = np.flatnonzero(sources.numbers == 0)
        reasons = self._similar.reasons(keys[lacking])
        counters[lacking] = self._counters(_WITHOUT, reasons.names)[reasons.numbers]
        counters[unknown] = self._counters(_WITHOUT, [_UNKNOWN])
        _extend(self._keys, keys)
        _extend(self._word_starts, words.starts[1:] + len(self._words))
        _extend(self._words, words.pieces)
        _extend(self._has_similar, (sources.numbers > 0) & ~unknown)
        _extend(self._counter, counters)
        _extend(self._characters, np.where(unknown, 0, characters))
        _extend(self._chinese, chinese & ~unknown)
        _extend(self._slots, np.full(len(keys), -1))

    def _counters(self, group: str, names: Sequence[str]) -> Array:
        """Return the numbers of the counters of a group by these names."""
        known = self._counter_numbers
        return np.array([known.setdefault(f"{group}/{name}", len(known)) for name in names])

    def has_candidates(self, numbers: Array) -> Array:
        """Return of each word if it has a similar word, bool."""
        return as_array(self._has_similar)[numbers] != 0

    def count(self, numbers: Array) -> Counts:
        """Count which words of a text have similar ones: by source and reason, of all words, of
        those that hold Chinese characters, by characters, and the most frequent without.
        """
        every = np.bincount(numbers)
        words = np.flatnonzero(every)
        times, covered = every[words], self.has_candidates(words)
        characters = as_array(self._characters)[words] * times
        chinese = (as_array(self._chinese)[words] != 0) * times
        of_counters = np.bincount(as_array(self._counter)[words], times, len(self._counter_numbers))
        counts = Counts(
            characters_of_words=int(characters.sum()),
            characters_with_similar=int(characters[covered].sum()),
            chinese_words=int(chinese.sum()),
            chinese_words_with_similar=int(chinese[covered].sum()),
        )
        every_counter = zip(self._counter_numbers, of_counters.tolist())
        counts.update({name: int(number) for name, number in every_counter if number})
        lacking = np.flatnonzero(~covered & (characters > 0))
        # Which of equally frequent ones must not depend on the order in which they were met.
        order = np.lexsort((as_array(self._keys)[words[lacking]], -times[lacking]))
        most = lacking[order[:MISSING_OF_A_BLOCK]]
        every_word = self._columns()
        for number, count in zip(words[most].tolist(), times[most].tolist()):
            counts[f"missing/{self._tokenizer.join(every_word.word(number))}"] += count
        return counts

    def _columns(self) -> WordList:
        """Return the words, by their numbers."""
        return WordList(as_array(self._words), as_array(self._word_starts))

    @property
    def pieces(self) -> Array:
        """The pieces of the candidates of all words replaced so far, int32."""
        return as_array(self._pieces)

    def pick(self, numbers: Array, shares: Array, sizes: Array) -> Array:
        """Choose a candidate of each word, of so many pieces, by a share in `[0, 1)`, a multiple of
        2**-24 so that it can be added to a slot. Returns where it starts in `pieces`.
        """
        wanted = np.zeros(len(self._slots), bool)  # np.unique would import numpy.ma: .01 s
        wanted[numbers] = True
        self._spread(np.flatnonzero(wanted & (as_array(self._slots) < 0)))
        slots, weights = as_array(self._slots), as_array(self._weights)
        weight_starts, starts = as_array(self._weight_starts), as_array(self._starts)
        found: Array = np.empty(len(numbers), np.int64)
        asked = numbers, shares, sizes, len(numbers)
        candidates = slots, weights, weight_starts, starts
        if compiled("pick_candidates", *asked, *candidates, found) is None:
            slots = slots[numbers]
            chosen = np.searchsorted(weights, slots + shares, side="right") - weight_starts[slots]
            found = starts[slots] + chosen * sizes
        return found

    def _spread(self, numbers: Array) -> None:
        """Put the candidates of words into columns."""
        words = self._columns().some(numbers)
        size = np.diff(words.starts)
        for found in self._similar.candidates(as_array(self._keys)[numbers], words):
            slots = len(self._starts) + np.arange(len(found.words))
            as_array(self._slots)[numbers[found.words]] = slots
            sizes = size[found.words] * found.counts
            _extend(self._starts, len(self._pieces) + np.cumsum(sizes) - sizes)
            weight_starts = len(self._weights) + np.cumsum(found.counts) - found.counts
            _extend(self._weight_starts, weight_starts)
            _extend(self._pieces, found.pieces)
            _extend(self._weights, _cumulated(self._weigh, found, slots))


def _extend(column: array, values: Array) -> None:  # type: ignore[type-arg] # as as_array
    column.frombytes(values.astype(column.typecode).tobytes())


def _cumulated(weigh: Weigh, found: CandidateColumns, slots: Array) -> Array:
    """Return the weights of the candidates, those of each word cumulated to 1 from its slot on."""
    # A row for each word, so that what a word's weights add up to does not depend on the others.
    there = np.arange(found.counts.max(initial=0)) < found.counts[:, None]
    similarities = np.zeros(there.shape)
    similarities[there] = found.similarities
    cumulated = np.cumsum(weigh(similarities) * there, axis=1)
    # Rounded up to what a share may be, which changes no choice: so no slot rounds it otherwise.
    shares = np.ceil(cumulated / cumulated[:, -1:] / _SHARE) * _SHARE
    return (slots[:, None] + shares)[there]


CANDIDATE_CHOICES: Dict[str, Weigh] = {
    "first": lambda similarities: (np.arange(similarities.shape[1]) == 0) * 1.0,
    "uniform": np.ones_like,
    "weighted": lambda similarities: np.maximum(similarities, 1e-6),
}
