"""Random numbers made from the names of things: the same whatever process draws them, one after
another or for many seeds at once.

Number i of a seed is splitmix64's (Steele, Lea and Flood, 2014): a bijective mix of the seed plus i
times an odd constant. There is no state, so arrays of seeds draw as cheaply as one. (`vocab train`
shuffles with `random.Random` of a name instead: what it draws are no columns.)
"""

import hashlib
from typing import Any, Sequence, Union

import numpy as np

Array = Any  # numpy's own annotations differ between the versions supported

_STEP = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1


def seed_for(seed: int, *work: object) -> int:
    """Return the 64-bit seed of one named piece of work.

    >>> seed_for(1, "pair", "doc-7", 0) == seed_for(1, "pair", "doc-7", 0)
    True
    """
    text = "/".join(str(part) for part in (seed, *work))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def draw(seeds: Array, number: Union[int, Array]) -> Array:
    """Draw 64 random bits of each seed, uint64; `number` says which draw of it, one for all seeds
    or an array that fits theirs.
    """
    # Arrays wrap around; numpy's scalars would warn of it.
    z = seeds + (np.atleast_1d(number).astype(np.uint64) + np.uint64(1)) * np.uint64(_STEP)
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def uniform(seeds: Array, number: Union[int, Array]) -> Array:
    """Draw a float64 in `[0, 1)` of each seed."""
    return (draw(seeds, number) >> np.uint64(11)) * 2.0**-53


def below(seeds: Array, number: Union[int, Array], limit: Union[int, Array]) -> Array:
    """Draw an int64 in `[0, limit)` of each seed."""
    return (uniform(seeds, number) * limit).astype(np.int64)


def chosen_share(seeds: Array, number: Union[int, Array], shares: Sequence[float]) -> Array:
    """Draw one of a few shares, each as often as it is large, of each seed; int64. The last has
    what is left to 1.
    """
    drawn = uniform(seeds, number)
    chosen = np.zeros(drawn.shape, np.int64)
    for passed in np.cumsum(shares[:-1]):  # faster than a binary search
        chosen += drawn >= passed
    return chosen


class Draws:
    """The numbers of one seed, one after another."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def random(self) -> float:
        """Draw a float in `[0, 1)`."""
        self._state = z = (self._state + _STEP) & _WORD
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
        return ((z ^ (z >> 31)) >> 11) * 2.0**-53

    def randrange(self, limit: int) -> int:
        """Draw an integer in `[0, limit)`."""
        return int(self.random() * limit)
