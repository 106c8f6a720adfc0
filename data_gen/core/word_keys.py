"""The different words of texts, by hash and by number.

A word is known by a 64-bit hash of its pieces, so that the words of a block become numbers without
a Python object each. Two of n different words of the same number of pieces share a hash with a
probability of n * n / 2**65: 3 in 100 million for a million of them.
"""

from typing import Dict, NamedTuple, Tuple

import numpy as np

from data_gen.core.columns import Array, TokenizedBlock
from data_gen.core.compiled import compiled
from data_gen.core.random_draws import draw

SLOT_BITS = 17


def word_keys(pieces: Array, starts: Array) -> Array:
    """Return the hash of each word, uint64 [W].

    pieces: int [P]
    starts: int64 [W + 1]: the piece that each word starts at, and P; none is empty
    """
    keys: Array = np.empty(len(starts) - 1, np.uint64)
    if compiled("hash_words", pieces, starts, len(keys), keys) is not None:
        return keys
    sizes = np.diff(starts)
    # A sum of products with random numbers, one for each place.
    factors = draw(np.zeros(1, np.uint64), np.arange(sizes.max(initial=0)))
    values = pieces.astype(np.uint64) + np.uint64(1)
    mixed = values[starts[:-1]] * factors[:1]
    if len(factors) > 1:  # of all words at once, since nearly half have a second piece
        mixed += values[np.minimum(starts[:-1] + 1, len(values) - 1)] * (factors[1] * (sizes > 1))
    words = np.flatnonzero(sizes > 2)
    for place in range(2, len(factors)):
        mixed[words] += values[starts[words] + place] * factors[place]
        words = words[sizes[words] > place + 1]
    return draw(mixed, sizes)


def distinct_words(text: TokenizedBlock) -> Array:
    """Return a word of the text for each different one, int64 [V], in an order that depends on
    nothing but what words there are.
    """
    examples: Array = np.unique(word_keys(text.pieces, text.words), return_index=True)[1]
    return examples


class Numbered(NamedTuple):
    """The numbers of words, W of them, of which N had not been met before."""

    numbers: Array  # int64 [W]
    new: Array  # int64 [N]: one of the words for each new number, in their order


class WordIndex:
    """Numbers different words in the order in which they are met."""

    def __init__(self) -> None:
        self._numbers: Dict[int, int] = {}
        # Of most words found by a few bits of their hash; who comes first keeps the slot
        # (compiled.c also tries the next ones).
        self._keys = np.zeros(1 << SLOT_BITS, np.uint64)
        self._slots = np.full(1 << SLOT_BITS, -1, np.int32)

    def __len__(self) -> int:
        return len(self._numbers)

    def __call__(self, keys: Array) -> Numbered:
        """Number words by their hashes, uint64 [W]."""
        numbers, missed = self._look_up(keys)
        rest, first, inverse = np.unique(keys[missed], return_index=True, return_inverse=True)
        found = np.array([self._numbers.get(key, -1) for key in rest.tolist()], np.int64)
        new = np.flatnonzero(found < 0)
        found[new] = np.arange(len(self._numbers), len(self._numbers) + len(new))
        self._numbers.update(zip(rest[new].tolist(), found[new].tolist()))
        numbers[missed] = found[inverse]
        self._keep(rest[new], found[new])
        return Numbered(numbers, missed[first[new]])

    def _look_up(self, keys: Array) -> Tuple[Array, Array]:
        """Return the numbers of words that have a slot, -1 of the others; and which these are."""
        numbers, missed = np.empty((2, len(keys)), np.int64)
        count = compiled(
            "find_words", keys, len(keys), self._keys, self._slots, SLOT_BITS, numbers, missed
        )
        if count is not None:
            return numbers, missed[:count]
        slots = _slots_of(keys)
        numbers = self._slots[slots].astype(np.int64)
        numbers[self._keys[slots] != keys] = -1
        return numbers, np.flatnonzero(numbers < 0)

    def _keep(self, keys: Array, numbers: Array) -> None:
        """Give new words a slot each, where one is free."""
        slots = SLOT_BITS, self._keys, self._slots
        if compiled("keep_words", keys, numbers, len(keys), *slots) is None:
            own = _slots_of(keys)
            free = self._slots[own] < 0
            self._keys[own[free]], self._slots[own[free]] = keys[free], numbers[free]


def _slots_of(keys: Array) -> Array:
    return (keys >> np.uint64(64 - SLOT_BITS)).view(np.int64)  # numpy would copy unsigned indices
