"""The words of many instances, n-grams of them, and the places that are still free.

N instances, W words of all of them, G n-grams.
"""

from typing import Callable, List, NamedTuple, Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array, offsets_of, ranges
from data_gen.core.random_draws import below, draw, uniform

# The draws of an instance's seed: one for the lengths of n-grams, one for their places.
PLAN_DRAW, PLACE_DRAW = 0, 1
_LAST_PLACE_DRAW = 1  # of an n-gram's seed; draw 0 is its length

_DRAWS_AHEAD = 32  # made at once: a call for each would cost more than the numbers


class MaskableWords(NamedTuple):
    """The words that may be masked, of all instances one after another."""

    instances: Array  # int64 [N + 1]: the word that each instance starts at, and W
    sizes: Array  # int64 [W], in pieces
    # Of each word its stretch of neighbours, [first, last); no n-gram crosses from one stretch into
    # another. Usually the words of A and those of B. int64 [W]
    run_first: Array
    run_last: Array


class Ngrams(NamedTuple):
    """N-grams of neighbouring words that are masked together, int64 [G] each, `seed` uint64."""

    instance: Array
    start: Array  # number of the first word
    length: Array  # words
    seed: Array  # of all that is drawn for an n-gram, wherever it is placed

    def where(self, mask: Array) -> "Ngrams":
        """Select those that a mask or their numbers choose."""
        return Ngrams(*(column[mask] for column in self))


class CapCost(NamedTuple):
    """Pieces of n-grams that concern the cap on fallbacks, int64 [G] each."""

    fallback: Array  # that would become random for want of a similar word
    counted: Array  # that the cap counts: these, or all random ones

    def where(self, mask: Array) -> "CapCost":
        """Select those of the n-grams that a mask chooses."""
        return CapCost(self.fallback[mask], self.counted[mask])


# The one question that placing asks about replacements. Pure: a function of the n-grams alone.
CapCostOf = Callable[[Ngrams], CapCost]


class MaskBudget(NamedTuple):
    """The amount to mask in each instance."""

    budget: Array  # float64 [N]: pieces (or words) to mask, as an average over instances
    most: int  # never more pieces than this in an instance
    ngram_weights: Sequence[float]  # shares of n = 1, 2, ...
    fallbacks: Array  # int64 [N]: pieces that the cap on fallbacks admits
    scarce: Array  # bool [N]: if more words lack a similar one than the cap admits
    # The unit of the budget. The paper says "15% input words" in IV-A and pieces, k = N x 15 %, in
    # IV-C; asked in MacBERT#5 and not answered.
    budget_unit: str = "piece"
    # The n-gram that would exceed the budget is kept, or shortened until it fits as
    # google-research/albert does, which shifts the shares of n towards 1.
    over_budget: str = "keep"
    past_the_cap: str = "elsewhere"  # another place is masked, or the word is kept


class NgramPlacement:
    """N-grams placed so far."""

    def __init__(
        self, words: MaskableWords, budget: MaskBudget, seeds: Array, cap_cost: CapCostOf
    ) -> None:
        self.words = words
        self.budget = budget
        # Of each word its size in the unit of the budget; of each instance the words and the sum.
        self.units = np.ones_like(words.sizes) if budget.budget_unit == "word" else words.sizes
        self.counts = np.diff(words.instances)
        self.passed = offsets_of(self.units)
        self.total = np.diff(self.passed[words.instances])
        self.done = np.zeros(len(seeds), np.int64)  # masked so far, in the unit of the budget
        # The most that `done` may be, where n-grams are shortened to fit the budget.
        self.limit = np.maximum(1, budget.budget.astype(np.int64))
        if budget.over_budget == "keep":
            self.limit = np.maximum(self.total, 1)
        self._cap_cost = cap_cost
        self._seeds = draw(seeds, PLACE_DRAW)
        self._draws = 0
        self._ahead = np.zeros((len(seeds), 0))  # the draws before this one, a row for each seed
        self._pieces = self.passed if self.units is words.sizes else offsets_of(words.sizes)
        self._room = np.full(len(seeds), budget.most)  # pieces
        self._fallbacks = budget.fallbacks.copy()  # that are still admitted
        longest = len(budget.ngram_weights)
        self._backs = np.arange(longest - 1, 0, -1)
        # The length of the longest n-gram that may start at each word.
        rest = words.run_last - np.arange(len(words.sizes))
        self._free = np.minimum(rest, longest)
        self._chosen: List[Ngrams] = []
        self._past_the_cap: List[Array] = []
        self._refused: List[Array] = []  # seeds

    def chosen(self) -> Tuple[Ngrams, Array]:
        """Return all that were placed, in the order of their words; and of each, bool [G], if it
        was placed past the cap, so that it keeps the words without a similar one.
        """
        none = np.zeros(0, np.int64)
        empty = Ngrams(none, none, none, none.astype(np.uint64))
        ngrams = Ngrams(*(np.concatenate(columns) for columns in zip(empty, *self._chosen)))
        past = np.concatenate([np.zeros(0, bool), *self._past_the_cap])
        order = np.argsort(ngrams.start)
        return ngrams.where(order), past[order]

    def refused(self) -> int:
        """Return the number of n-grams that the cap turned away from at least one place."""
        return len({seed for seeds in self._refused for seed in seeds.tolist()})

    def place(self, ngrams: Ngrams, saves: Array) -> Array:
        """Try one random start for each n-gram, of different instances. Returns which fitted; of
        some, bool [G], only a place where no word becomes a fallback fits.

        The start makes words about equally likely to be covered: a word is drawn, then its place in
        the n-gram; an n-gram that would reach out of its stretch is pushed back inside. The first
        and the last word of a stretch are still masked three quarters as often as others, since
        fewer n-grams can hold them; with the start itself drawn it would be half as often.
        """
        i = ngrams.instance
        word = self.words.instances[i] + self._below(i, self.counts[i])
        start = word - self._below(i, ngrams.length)
        start = np.minimum(start, self.words.run_last[word] - ngrams.length)
        ngrams = ngrams._replace(start=np.maximum(start, self.words.run_first[word]))
        fits = self._fits(ngrams)
        found = ngrams.where(fits)
        cost = self._cap_cost(found)
        spares = ~saves[fits] | (cost.fallback == 0)
        if not spares.all():
            fits[fits] = spares
            found, cost = found.where(spares), cost.where(spares)
        fits[fits] = self._take(found, cost)
        return fits

    def place_at(self, ngrams: Ngrams) -> Array:
        """Put n-grams, of different instances, where they say. Returns which fitted."""
        fits = self._fits(ngrams)
        found = ngrams.where(fits)
        fits[fits] = self._take(found, self._cap_cost(found))
        return fits

    def place_exhaustively(self, ngram: Ngrams) -> bool:
        """Put one n-gram at a random start of all where it fits; False where there is none."""
        (i,) = ngram.instance
        starts = np.arange(*self.words.instances[i : i + 2])
        every = Ngrams(*(np.repeat(column, len(starts)) for column in ngram))
        every = every._replace(start=starts)
        every = every.where(self._fits(every))
        if self.budget.past_the_cap == "elsewhere":
            every = every.where(~self._past(every, self._cap_cost(every)))
        if not len(every.start):
            return False
        # Not the instance's next draw: those are numbered alike for all that go on in step.
        chosen = every.where(below(ngram.seed, _LAST_PLACE_DRAW, len(every.start)))
        return bool(self._take(chosen, self._cap_cost(chosen)).all())

    def _below(self, instances: Array, limits: Array) -> Array:
        """Return the next draw of the seeds of some instances, an int64 in `[0, limit)`."""
        column = self._draws % _DRAWS_AHEAD
        if column == 0:
            numbers = np.arange(self._draws, self._draws + _DRAWS_AHEAD)
            self._ahead = uniform(self._seeds[:, None], numbers)
        self._draws += 1
        return (self._ahead[instances, column] * limits).astype(np.int64)

    def _fits(self, ngrams: Ngrams) -> Array:
        stop = np.minimum(ngrams.start + ngrams.length, len(self.words.sizes))
        pieces = self._pieces[stop] - self._pieces[ngrams.start]
        amount = self.passed[stop] - self.passed[ngrams.start]
        i = ngrams.instance
        free = self._free[ngrams.start] >= ngrams.length
        return free & (pieces <= self._room[i]) & (amount <= self.limit[i] - self.done[i])

    def _past(self, ngrams: Ngrams, cost: CapCost) -> Array:
        return (cost.fallback > 0) & (cost.counted > self._fallbacks[ngrams.instance])

    def _take(self, ngrams: Ngrams, cost: CapCost) -> Array:
        """Mask n-grams that fit, of different instances, but for those that the cap refuses.
        Returns which.
        """
        past = self._past(ngrams, cost)
        counted = cost.counted
        taken = np.ones(len(past), bool)
        if past.any():
            if self.budget.past_the_cap == "elsewhere":
                self._refused.append(ngrams.seed[past])
                taken = ~past
                ngrams, counted, past = ngrams.where(taken), counted[taken], past[taken]
            else:
                counted = np.where(past, counted - cost.fallback, counted)
        i, start, stop = ngrams.instance, ngrams.start, ngrams.start + ngrams.length
        self._free[ranges(start, stop)] = 0
        # N-grams from before may only reach up to it. Of a word that comes twice, as the first of a
        # stretch may, the last value stays, which is the least.
        near = np.maximum(start[:, None] - self._backs, self.words.run_first[start][:, None])
        self._free[near] = np.minimum(self._free[near], self._backs)
        self._room[i] -= self._pieces[stop] - self._pieces[start]
        self._fallbacks[i] -= counted
        self.done[i] += self.passed[stop] - self.passed[start]
        self._chosen.append(ngrams)
        self._past_the_cap.append(past)
        return taken
