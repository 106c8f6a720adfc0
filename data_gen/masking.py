"""WHERE to mask: `SELECTORS` choose whole n-grams of many instances at once; what is put there is
corruption's business.

One sampler serves most of them: draw a length n from the nominal shares, place an n-gram of n words
at random without overlap, and go on until the budget of pieces is reached. The n-gram that crosses
the budget is kept, whatever its size: by Wald's identity that keeps the shares of n exact, and long
words as likely as short ones. The usual shuffle-and-reject realises 49.5/28.0/15.7/6.5 where
40/30/20/10 was meant (length 128), because what would cross is refused.

The paper says "a percentage of 40%, 30%, 20%, 10% for word-level unigram to 4-gram" (MacBERT, IV-A)
and the author that n-grams are taken in order (MacBERT#13); how that gives 15 % is unpublished, so
this sampler is our choice.

N instances, W words of all of them, T turns of an instance. All go on in step: in a round each
instance tries one place for one n-gram.
"""

from typing import Callable, Dict, List, NamedTuple, Protocol, Sequence

import numpy as np

from data_gen.draws import below, draw, uniform
from data_gen.types import Array, ranges

# Random placements before all are listed; at 15 % masked a try fails in about one case of three.
_TRIES = 24
_MOST_OWED = 6  # n-grams, of one instance
# What the seed of an instance is used for.
_PLAN, _PLACE = 0, 1

BUDGET_UNITS = ("piece", "word")
OVER_BUDGET = ("keep", "shorten")
NGRAM_WITHIN = ("segment", "sentence")


class Words(NamedTuple):
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
    """Says which n-grams may be masked, of several that lie in different instances."""

    def allows(self, ngrams: Ngrams) -> Array:
        """Whether each may be masked, bool [G]."""

    def take(self, ngrams: Ngrams) -> None:
        """Note that they are masked."""


class Policy(NamedTuple):
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


class Selection(NamedTuple):
    """What was chosen."""

    ngrams: Ngrams  # in the order of their words
    shortened: int  # words by which n-grams were made shorter than drawn
    owed: Sequence[int] = ()  # lengths that found no place


Select = Callable[[Words, Policy, Array, Judge], Selection]


def select_ngrams(words: Words, policy: Policy, seeds: Array, judge: Judge) -> Selection:
    """Choose n-grams of whole words, n by `policy.ngram_weights`.

    words:   of N instances
    seeds:   of the instances, uint64 [N]
    judge:   is asked last for each n-gram that would fit; a refused one is placed elsewhere. What
             finds no place here, as long ones may not where few words have a similar one, is owed
             to the next instances, so that the shares of n stay as they are.
    """
    placing = _Placing(words, policy, seeds, judge)
    keep = policy.over_budget == "keep"
    target = placing.limit if not keep else policy.budget - _mean_overshoot(placing)
    plan = _Plan(policy, seeds, placing, target)
    turn = np.zeros(len(seeds), np.int64)
    active = np.flatnonzero(placing.counts)
    lengths = plan.lengths[:, 0].copy()
    tries = np.zeros_like(turn)
    owed = plan.left
    owes = np.zeros_like(turn)
    shortened = 0
    while active.size:
        now = turn[active]
        ngrams = Ngrams(active, active, lengths[active], plan.seeds[active, now])
        placed = placing.place(ngrams)
        tries[active] += 1
        over = np.zeros(len(active), bool)
        for k in np.flatnonzero(~placed & (tries[active] == _TRIES)).tolist():
            i, length = int(active[k]), int(lengths[active[k]])
            drawn = int(plan.lengths[i, turn[i]])
            tries[i] = 0
            if placing.place_anywhere(ngrams.where([k])):
                placed[k] = True
            elif keep and drawn > 1 and owes[i] < _MOST_OWED:
                owed.append(drawn)
                owes[i] += 1
                turn[i] += 1
                lengths[i] = plan.lengths[i, turn[i]]
            elif length > 1:
                lengths[i] -= 1
            else:
                over[k] = True  # not even a single word can be placed any more
        done = active[placed]
        shortened += int((plan.lengths[done, turn[done]] - lengths[done]).sum())
        turn[done] += 1
        tries[done] = 0
        lengths[done] = plan.lengths[done, turn[done]]
        wanting = (turn[active] < plan.first[active]) | (placing.done[active] < target[active])
        active = active[~over & (wanting | (placing.done[active] == 0))]
    return Selection(placing.chosen(), shortened, owed)


class _Plan:
    """The n-grams that are to be placed in each instance, one a turn.

    Of those that the budget takes in almost any case the longest come first, while there is still
    room for them and for fallbacks. That their number is fixed before any is placed keeps Wald's
    identity.
    """

    def __init__(self, policy: Policy, seeds: Array, placing: "_Placing", target: Array) -> None:
        # Each takes a piece at least, or is owed.
        turns = policy.most + _MOST_OWED + 2
        self.seeds = draw(draw(seeds, _PLAN)[:, None], np.arange(turns))
        self.lengths = _lengths(self.seeds, policy.ngram_weights)
        sure = 0.7 * target * placing.counts / np.maximum(placing.total, 1)  # words
        # One debt an instance: the longest go to those that take most words.
        payers = np.argsort(-sure, kind="stable").tolist()
        paid: List[int] = []
        self.left: List[int] = []
        for length in sorted(policy.owed, reverse=True):
            fits = len(paid) < len(payers) and length <= sure[payers[len(paid)]]
            (paid if fits else self.left).append(length)
        payers = payers[: len(paid)]
        self.lengths[payers, 1:] = self.lengths[payers, :-1]
        self.lengths[payers, 0] = paid
        sure[payers] += _mean(policy.ngram_weights) - self.lengths[payers, 0]
        self.first = np.maximum(sure / _mean(policy.ngram_weights), 0).astype(np.int64)
        early = np.arange(turns) < self.first[:, None]
        order = np.argsort(np.where(early, -self.lengths, 0), axis=1, kind="stable")
        self.lengths = np.take_along_axis(self.lengths, order, axis=1)


def select_in_order(words: Words, policy: Policy, seeds: Array, judge: Judge) -> Selection:
    """Choose n-grams with a pointer that goes from word to word, as the author describes it:
    "N-grams are taken in order", past each of them the pointer goes on (MacBERT#13).

    Taken literally that masks every word; how it gives 15 % is unpublished. Here an n-gram starts
    at the pointer with the probability that makes what is left of the budget the average over what
    is left of the words. A length that does not fit or is refused waits for the next word. The
    masked share of one instance varies more than with the other selectors, and what `policy.most`
    cuts off is lost to the average.
    """
    placing = _Placing(words, policy, seeds, judge)
    mean = _mean(policy.ngram_weights)
    plan = draw(seeds, _PLAN)
    owed = list(policy.owed)
    word = words.instances[:-1].copy()
    waiting = np.zeros(len(seeds), np.int64)  # its length
    ngram_seeds = plan.copy()
    active = np.flatnonzero(placing.counts)
    while active.size:
        at = word[active]
        left = placing.passed[words.instances[active + 1]] - placing.passed[at]
        start = _start_probability(policy.budget[active] - placing.done[active], left, mean)
        # A word is passed once, so its number names the draw.
        offset = at - words.instances[active]
        begins = active[(waiting[active] == 0) & (uniform(plan[active], offset) < start)]
        ngram_seeds[begins] = draw(draw(seeds[begins], _PLACE), word[begins])
        waiting[begins] = _lengths(ngram_seeds[begins], policy.ngram_weights)
        for i in begins[: len(owed)].tolist():
            waiting[i] = owed.pop(0)
        trying = active[waiting[active] > 0]
        ngrams = Ngrams(trying, word[trying], waiting[trying], ngram_seeds[trying])
        placed = ngrams.where(placing.place_at(ngrams))
        word[active] += 1
        word[placed.instance] += placed.length - 1
        waiting[placed.instance] = 0
        active = active[word[active] < words.instances[active + 1]]
    for i in np.flatnonzero((placing.done == 0) & (placing.counts > 0)):
        placing.place_anywhere(Ngrams(np.array([i]), np.array([0]), np.array([1]), plan[[i]]))
    return Selection(placing.chosen(), 0, [*waiting[waiting > 0].tolist(), *owed])


def _start_probability(budget: Array, left: Array, mean: float) -> Array:
    """Of an n-gram of `mean` words at a word, so that `budget` of what is `left` gets masked; at
    most as if half of it were to be, which keeps the end of a sequence as readable as the rest.
    """
    share = np.minimum(np.maximum(budget, 0.0) / left, 0.5)
    return share / (mean * (1 - share) + share)


def select_words(words: Words, policy: Policy, seeds: Array, judge: Judge) -> Selection:
    """Choose single words (BERT-wwm)."""
    return select_ngrams(words, policy._replace(ngram_weights=(1.0,)), seeds, judge)


SELECTORS: Dict[str, Select] = {
    "piece": select_words,  # BERT: the masker gives it words of one piece each
    "word": select_words,
    "ngram": select_ngrams,
    "ngram_in_order": select_in_order,
}


def _lengths(seeds: Array, weights: Sequence[float]) -> Array:
    """Draw the length of each n-gram."""
    shares = np.cumsum(weights) / sum(weights)
    return 1 + np.searchsorted(shares[:-1], uniform(seeds, 0), side="right")


def _mean(weights: Sequence[float]) -> float:
    """The mean of n."""
    return sum(n * w for n, w in enumerate(weights, 1)) / sum(weights)


def _mean_overshoot(placing: "_Placing") -> Array:
    """By how much the n-gram that crosses the budget of each instance exceeds it, on average.

    The mean residual of a renewal process, (E[S^2] / E[S] + 1) / 2 for a budget of whole units,
    less the half that a fractional budget is rounded up by; S is the size of an n-gram.
    """
    weights = placing.policy.ngram_weights
    n1 = _mean(weights)
    n2 = sum(n * n * w for n, w in enumerate(weights, 1)) / sum(weights)
    count = np.maximum(placing.counts, 1)
    mean = np.maximum(placing.total, 1) / count
    variance = _sums(placing.units**2, placing.words.instances) / count - mean**2
    return (n1 * variance + n2 * mean**2) / (2 * n1 * mean)


def _sums(values: Array, bounds: Array) -> Array:
    """The sum of each range of neighbouring values."""
    return np.diff(np.concatenate([[0], np.cumsum(values)])[bounds])


class _Placing:
    """N-grams placed so far."""

    def __init__(self, words: Words, policy: Policy, seeds: Array, judge: Judge) -> None:
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
        self._seeds = draw(seeds, _PLACE)
        self._draws = 0
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
        i, seeds = ngrams.instance, self._seeds[ngrams.instance]
        word = self.words.instances[i] + below(seeds, self._draws, self.counts[i])
        start = word - below(seeds, self._draws + 1, ngrams.length)
        self._draws += 2
        start = np.minimum(start, self.words.run_last[word] - ngrams.length)
        return self.place_at(ngrams._replace(start=np.maximum(start, self.words.run_first[word])))

    def place_at(self, ngrams: Ngrams) -> Array:
        """Put n-grams, of different instances, where they say. Returns which fitted."""
        fits = self._fits(ngrams)
        fits[fits] = self._judge.allows(ngrams.where(fits))
        self._take(ngrams.where(fits))
        return fits

    def place_anywhere(self, ngram: Ngrams) -> bool:
        """Put one n-gram at a random start of all where it fits; False where there is none."""
        (i,) = ngram.instance
        starts = np.arange(*self.words.instances[i : i + 2])
        every = Ngrams(*(np.repeat(column, len(starts)) for column in ngram))
        every = every._replace(start=starts)
        every = every.where(self._fits(every))
        every = every.where(self._judge.allows(every))
        if not len(every.start):
            return False
        self._take(every.where(below(self._seeds[[i]], self._draws, len(every.start))))
        self._draws += 1
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
        self._judge.take(ngrams)
        self._chosen.append(ngrams)
