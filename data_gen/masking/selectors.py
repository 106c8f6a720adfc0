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

from typing import Callable, Dict, List, NamedTuple, Sequence

import numpy as np

from data_gen.core.columns import Array
from data_gen.core.random_draws import draw, uniform
from data_gen.masking.placement import (
    PLACE_DRAW,
    PLAN_DRAW,
    Judge,
    MaskableWords,
    MaskBudget,
    NgramPlacement,
    Ngrams,
)

# Random placements before all are listed; at 15 % masked a try fails in about one case of three.
_TRIES = 24
_MOST_OWED = 6  # n-grams, of one instance

BUDGET_UNITS = ("piece", "word")
OVER_BUDGET = ("keep", "shorten")
NGRAM_WITHIN = ("segment", "sentence")


class Selection(NamedTuple):
    """What was chosen."""

    ngrams: Ngrams  # in the order of their words
    shortened: int  # words by which n-grams were made shorter than drawn
    owed: Sequence[int] = ()  # lengths that found no place


Select = Callable[[MaskableWords, MaskBudget, Array, Judge], Selection]


def select_ngrams(
    words: MaskableWords, policy: MaskBudget, seeds: Array, judge: Judge
) -> Selection:
    """Choose n-grams of whole words, n by `policy.ngram_weights`.

    words:   of N instances
    seeds:   of the instances, uint64 [N]
    judge:   is asked last for each n-gram that would fit; a refused one is placed elsewhere. What
             finds no place here, as long ones may not where few words have a similar one, is owed
             to the next instances, so that the shares of n stay as they are.
    """
    placing = NgramPlacement(words, policy, seeds, judge)
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
            if placing.place_exhaustively(ngrams.where([k])):
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

    def __init__(
        self, policy: MaskBudget, seeds: Array, placing: NgramPlacement, target: Array
    ) -> None:
        # Each takes a piece at least, or is owed.
        turns = policy.most + _MOST_OWED + 2
        self.seeds = draw(draw(seeds, PLAN_DRAW)[:, None], np.arange(turns))
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


def select_in_order(
    words: MaskableWords, policy: MaskBudget, seeds: Array, judge: Judge
) -> Selection:
    """Choose n-grams with a pointer that goes from word to word, as the author describes it:
    "N-grams are taken in order", past each of them the pointer goes on (MacBERT#13).

    Taken literally that masks every word; how it gives 15 % is unpublished. Here an n-gram starts
    at the pointer with the probability that makes what is left of the budget the average over what
    is left of the words. A length that does not fit or is refused waits for the next word. The
    masked share of one instance varies more than with the other selectors, and what `policy.most`
    cuts off is lost to the average.
    """
    placing = NgramPlacement(words, policy, seeds, judge)
    mean = _mean(policy.ngram_weights)
    plan = draw(seeds, PLAN_DRAW)
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
        ngram_seeds[begins] = draw(draw(seeds[begins], PLACE_DRAW), word[begins])
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
        placing.place_exhaustively(Ngrams(np.array([i]), np.array([0]), np.array([1]), plan[[i]]))
    return Selection(placing.chosen(), 0, [*waiting[waiting > 0].tolist(), *owed])


def _start_probability(budget: Array, left: Array, mean: float) -> Array:
    """Of an n-gram of `mean` words at a word, so that `budget` of what is `left` gets masked; at
    most as if half of it were to be, which keeps the end of a sequence as readable as the rest.
    """
    share = np.minimum(np.maximum(budget, 0.0) / left, 0.5)
    return share / (mean * (1 - share) + share)


def select_words(words: MaskableWords, policy: MaskBudget, seeds: Array, judge: Judge) -> Selection:
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


def _mean_overshoot(placing: NgramPlacement) -> Array:
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
