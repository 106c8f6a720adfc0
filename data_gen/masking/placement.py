"""What masking is made of: the words of many instances, n-grams of them, and the places that are
still free.

N instances, W words of all of them, G n-grams.
"""

from typing import List, NamedTuple, Protocol, Sequence

import numpy as np

from data_gen.core.columns import Array, ranges
from data_gen.core.random_draws import draw, uniform

# What the seed of an instance is used for: to draw lengths, and places.
PLAN_DRAW, PLACE_DRAW = 0, 1

_DRAWS_AHEAD = 32  # made at once: a call for each would cost more than the numbers


class MaskableWords(NamedTuple):
    """The words that may be masked, of all instances one after another."""

    instances: Array  # int64 [N + 1]: the word that each instance starts at, and W
    sizes: Array  # int64 [W], in pieces
    # Of each word the run of neighbours that it belongs to, [first, last); no n-gram crosses from
    # one into another. Usually the words of A and those of B. int64 [W]
    run_first: Array
    run_last: Array


class Ngrams(NamedTuple):
    """N-grams of neighbouring words that are masked together, int64 [G] each, `seed` uint64."""

    instance: Array
    start: Array  # number of the first word
    length: Array  # words
    seed: Array  # of what is drawn for an n-gram, wherever it is placed

    def where(self, mask: Array) -> "Ngrams":
        """Those that a mask or their numbers choose."""
        return Ngrams(*(column[mask] for column in self))


class Judge(Protocol):
    """Says which n-grams may be masked."""

    def allows(self, ngrams: Ngrams) -> Array:
        """Whether each may be masked, bool [G]."""

    def take(self, ngrams: Ngrams) -> Array:
        """Whether each may be masked; it is noted that those are. They lie in different
        instances.
        """


class MaskBudget(NamedTuple):
    """How much to mask."""

    budget: Array  # float64 [N]: pieces (or words) to mask, as an average over instances
    most: int  # never more pieces than this in an instance
    ngram_weights: Sequence[float]  # shares of n = 1, 2, ...
    # What the budget counts. The paper says "15% input words" in IV-A and pieces, k = N x 15 %, in
    # IV-C; asked in MacBERT#5 and not answered.
    budget_unit: str = "piece"
    # What becomes of the n-gram that would exceed the budget: kept, or shortened until it fits as
    # google-research/albert does, which shifts the shares of n towards 1.
    over_budget: str = "keep"
    # Lengths that found no place in the instances before these.
    owed: Sequence[int] = ()


class NgramPlacement:
    """N-grams placed so far."""

    def __init__(
        self, words: MaskableWords, policy: MaskBudget, seeds: Array, judge: Judge
    ) -> None:
        self.words = words
        self.policy = policy
        # Of each word its size in the unit of the budget; of each instance the words and the sum.
        self.units = np.ones_like(words.sizes) if policy.budget_unit == "word" else words.sizes
        self.counts = np.diff(words.instances)
        self.passed = np.concatenate([[0], np.cumsum(self.units)])
        self.total = np.diff(self.passed[words.instances])
        self.done = np.zeros(len(seeds), np.int64)  # masked so far, in the unit of the budget
        # What `done` may not exceed, where n-grams are shortened to fit the budget.
        self.limit = np.maximum(1, policy.budget.astype(np.int64))
        if policy.over_budget == "keep":
            self.limit = np.maximum(self.total, 1)
        self._judge = judge
        self._seeds = draw(seeds, PLACE_DRAW)
        self._draws = 0
        self._ahead = np.zeros((len(seeds), 0))  # the draws before this one, a row for each seed
        self._pieces = np.concatenate([[0], np.cumsum(words.sizes)])
        self._room = np.full(len(seeds), policy.most)  # pieces
        self._longest = len(policy.ngram_weights)
        # The length of the longest n-gram that may start at each word.
        rest = words.run_last - np.arange(len(words.sizes))
        self._free = np.minimum(rest, self._longest)
        self._chosen: List[Ngrams] = []

    def chosen(self) -> Ngrams:
        """All that were placed, in the order of their words."""
        none = np.zeros(0, np.int64)
        empty = Ngrams(none, none, none, none.astype(np.uint64))
        ngrams = Ngrams(*(np.concatenate(columns) for columns in zip(empty, *self._chosen)))
        return ngrams.where(np.argsort(ngrams.start))

    def place(self, ngrams: Ngrams) -> Array:
        """Try one random start for each n-gram, of different instances. Returns which fitted.

        The start makes words about equally likely to be covered: a word is drawn, then its place in
        the n-gram; an n-gram that would reach out of its run is pushed back inside. The first and
        the last word of a run are still masked three quarters as often as others, since fewer
        n-grams can hold them; with the start itself drawn it would be half as often.
        """
        i = ngrams.instance
        word = self.words.instances[i] + self._below(i, self.counts[i])
        start = word - self._below(i, ngrams.length)
        start = np.minimum(start, self.words.run_last[word] - ngrams.length)
        return self.place_at(ngrams._replace(start=np.maximum(start, self.words.run_first[word])))

    def place_at(self, ngrams: Ngrams) -> Array:
        """Put n-grams, of different instances, where they say. Returns which fitted."""
        fits = self._fits(ngrams)
        fits[fits] = self._judge.take(ngrams.where(fits))
        self._take(ngrams.where(fits))
        return fits

    def _below(self, instances: Array, limits: Array) -> Array:
        """The next draw of the seeds of some instances, an int64 in `[0, limit)`."""
        column = self._draws % _DRAWS_AHEAD
        if column == 0:
            numbers = np.arange(self._draws, self._draws + _DRAWS_AHEAD)
            self._ahead = uniform(self._seeds[:, None], numbers)
        self._draws += 1
        return (self._ahead[instances, column] * limits).astype(np.int64)

    def place_exhaustively(self, ngram: Ngrams) -> bool:
        """Put one n-gram at a random start of all where it fits; False where there is none."""
        (i,) = ngram.instance
        starts = np.arange(*self.words.instances[i : i + 2])
        every = Ngrams(*(np.repeat(column, len(starts)) for column in ngram))
        every = every._replace(start=starts)
        every = every.where(self._fits(every))
        every = every.where(self._judge.allows(every))
        if not len(every.start):
            return False
        chosen = every.where(self._below(ngram.instance, np.array([len(every.start)])))
        self._judge.take(chosen)
        self._take(chosen)
        return True

    def _fits(self, ngrams: Ngrams) -> Array:
        stop = np.minimum(ngrams.start + ngrams.length, len(self.words.sizes))
        pieces = self._pieces[stop] - self._pieces[ngrams.start]
        amount = self.passed[stop] - self.passed[ngrams.start]
        i = ngrams.instance
        free = self._free[ngrams.start] >= ngrams.length
        return free & (pieces <= self._room[i]) & (amount <= self.limit[i] - self.done[i])

    def _take(self, ngrams: Ngrams) -> None:
        i, start, stop = ngrams.instance, ngrams.start, ngrams.start + ngrams.length
        self._free[ranges(start, stop)] = 0
        for back in range(1, self._longest):  # what starts before it may only reach up to it
            near = np.maximum(start - back, 0)
            self._free[near] = np.minimum(self._free[near], back)
        self._room[i] -= self._pieces[stop] - self._pieces[start]
        self.done[i] += self.passed[stop] - self.passed[start]
        self._chosen.append(ngrams)
