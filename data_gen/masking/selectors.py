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

from typing import Callable, Dict, NamedTuple, Sequence

import numpy as np

from data_gen.core.columns import Array, sums_between
from data_gen.core.random_draws import chosen_share, draw, uniform
from data_gen.masking.placement import (
    PLACE_DRAW,
    PLAN_DRAW,
    CapCostOf,
    MaskableWords,
    MaskBudget,
    NgramPlacement,
    Ngrams,
)

# Random placements before all are listed; at 15 % masked a try fails in about one case of three.
_TRIES = 24
# Of these, those that spare the cap on fallbacks. With none, four-grams are 8.8 % instead of 10 %
# where 41 % of the words have a similar one; with all 24, words without one are masked still less.
_SAVING_TRIES = 8
# The part of the budget that is planned beforehand. At 1.0 more than 15 % are masked (15.4 %); at
# 0.5 long n-grams come too late where few words have a similar one (8.7 % instead of 10 % of four).
_SURE = 0.7

BUDGET_UNITS = ("piece", "word")
OVER_BUDGET = ("keep", "shorten")
NGRAM_WITHIN = ("segment", "sentence")


class Selection(NamedTuple):
    """The n-grams to mask."""

    ngrams: Ngrams  # in the order of their words
    past_the_cap: Array  # bool [G]: if words of it that have no similar one are kept
    shortened: int  # words by which n-grams were made shorter than drawn
    refused: int  # n-grams that the cap on fallbacks turned away from a place


# (words of N instances, how much, the instances' seeds uint64 [N], cost of n-grams) -> n-grams
Select = Callable[[MaskableWords, MaskBudget, Array, CapCostOf], Selection]


class Selector(NamedTuple):
    """One way to choose n-grams."""

    select: Select
    by_piece: bool = False  # it is given words of one piece each
    single: bool = False  # its n-grams are single words, whatever their weights


def select_ngrams(
    words: MaskableWords, budget: MaskBudget, seeds: Array, cap_cost: CapCostOf
) -> Selection:
    """Choose n-grams of whole words, n by `budget.ngram_weights`.

    An n-gram that finds no free place within the cap on fallbacks, as a long one may not where few
    words have a similar one, loses its last word and tries again.
    """
    placement = NgramPlacement(words, budget, seeds, cap_cost)
    target = placement.limit
    if budget.over_budget == "keep":
        target = budget.budget - _mean_overshoot(placement)
    plan = _plan(placement, seeds, target)
    turn = np.zeros(len(seeds), np.int64)
    tries = np.zeros_like(turn)
    lengths = plan.lengths[:, 0].copy()
    shortened = 0
    active = np.flatnonzero(placement.counts)
    while active.size:
        now = turn[active]
        ngrams = Ngrams(active, active, lengths[active], plan.seeds[active, now])
        # Planned n-grams come while there is choice: they leave the room for fallbacks to the rest.
        planned = now < plan.first[active]
        saves = budget.scarce[active] & planned & (tries[active] < _SAVING_TRIES)
        placed = placement.place(ngrams, saves)
        tries[active] += 1
        last_try = ~placed & (tries[active] == _TRIES)
        for k in np.flatnonzero(last_try).tolist():
            placed[k] = placement.place_exhaustively(ngrams.where([k]))
        done = active[placed]
        shortened += int((plan.lengths[done, turn[done]] - lengths[done]).sum())
        turn[done] += 1
        lengths[done] = plan.lengths[done, turn[done]]
        tries[done] = 0
        stuck = active[last_try & ~placed]
        lengths[stuck] -= 1  # 0: not even a single word can be placed any more
        tries[stuck] = 0
        wanting = (turn[active] < plan.first[active]) | (placement.done[active] < target[active])
        active = active[(lengths[active] > 0) & (wanting | (placement.done[active] == 0))]
    return Selection(*placement.chosen(), shortened, placement.refused())


class _Plan(NamedTuple):
    """The n-grams that are to be placed in each instance, one a turn."""

    lengths: Array  # int64 [N, T]
    seeds: Array  # uint64 [N, T]
    first: Array  # int64 [N]: how many are placed in any case


def _plan(placement: NgramPlacement, seeds: Array, target: Array) -> _Plan:
    """Plan the n-grams of each instance.

    Of those that the budget takes in almost any case the longest come first, while there is still
    room for them and for fallbacks. That their number is fixed before any is placed keeps Wald's
    identity.
    """
    weights = placement.budget.ngram_weights
    turns = placement.budget.most + 2  # each takes a piece at least
    turn_seeds = draw(draw(seeds, PLAN_DRAW)[:, None], np.arange(turns))
    lengths = _lengths(turn_seeds, weights)
    words = _SURE * target * placement.counts / np.maximum(placement.total, 1)
    first = np.maximum(words / _mean(weights), 0).astype(np.int64)
    sure = lengths[:, : first.max(initial=0)]
    is_early = np.arange(sure.shape[1]) < first[:, None]
    order = np.argsort(np.where(is_early, -sure, 0), axis=1, kind="stable")
    sure[:] = np.take_along_axis(sure, order, axis=1)
    return _Plan(lengths, turn_seeds, first)


def select_in_order(
    words: MaskableWords, budget: MaskBudget, seeds: Array, cap_cost: CapCostOf
) -> Selection:
    """Choose n-grams with a pointer that goes from word to word, as the author describes it:
    "N-grams are taken in order", past each of them the pointer goes on (MacBERT#13).

    Taken literally that masks every word; how it gives 15 % is unpublished. Here an n-gram starts
    at the pointer with the probability that makes what is left of the budget the average over what
    is left of the words. A length that does not fit or is refused waits for the next word. The
    masked share of one instance varies more than with the other selectors, and what `budget.most`
    cuts off is lost to the average.
    """
    placement = NgramPlacement(words, budget, seeds, cap_cost)
    mean = _mean(budget.ngram_weights)
    plan = draw(seeds, PLAN_DRAW)
    word = words.instances[:-1].copy()
    waiting = np.zeros(len(seeds), np.int64)  # its length
    ngram_seeds = plan.copy()
    active = np.flatnonzero(placement.counts)
    while active.size:
        at = word[active]
        left = placement.passed[words.instances[active + 1]] - placement.passed[at]
        start = _start_probability(budget.budget[active] - placement.done[active], left, mean)
        # A word is passed once, so its number names the draw.
        offset = at - words.instances[active]
        begins = active[(waiting[active] == 0) & (uniform(plan[active], offset) < start)]
        ngram_seeds[begins] = draw(
            draw(seeds[begins], PLACE_DRAW), word[begins] - words.instances[begins]
        )
        waiting[begins] = _lengths(ngram_seeds[begins], budget.ngram_weights)
        trying = active[waiting[active] > 0]
        ngrams = Ngrams(trying, word[trying], waiting[trying], ngram_seeds[trying])
        placed = ngrams.where(placement.place_at(ngrams))
        word[active] += 1
        word[placed.instance] += placed.length - 1
        waiting[placed.instance] = 0
        active = active[word[active] < words.instances[active + 1]]
    for i in np.flatnonzero((placement.done == 0) & (placement.counts > 0)):
        one = Ngrams(np.array([i]), np.array([0]), np.array([1]), plan[[i]])
        placement.place_exhaustively(one)
    return Selection(*placement.chosen(), 0, placement.refused())


def _start_probability(budget: Array, left: Array, mean: float) -> Array:
    """Return the probability of an n-gram of `mean` words at a word, so that `budget` of what is
    `left` gets masked; at most as if half of it were to be, which keeps the end of a sequence as
    readable as the rest.
    """
    share = np.minimum(np.maximum(budget, 0.0) / left, 0.5)
    return share / (mean * (1 - share) + share)


def select_words(
    words: MaskableWords, budget: MaskBudget, seeds: Array, cap_cost: CapCostOf
) -> Selection:
    """Choose single words (BERT-wwm)."""
    return select_ngrams(words, budget._replace(ngram_weights=(1.0,)), seeds, cap_cost)


SELECTORS: Dict[str, Selector] = {
    "piece": Selector(select_words, by_piece=True, single=True),  # BERT
    "word": Selector(select_words, single=True),
    "ngram": Selector(select_ngrams),
    "ngram_in_order": Selector(select_in_order),
}


def _lengths(seeds: Array, weights: Sequence[float]) -> Array:
    """Draw the length of each n-gram."""
    return 1 + chosen_share(seeds, 0, [weight / sum(weights) for weight in weights])


def _mean(weights: Sequence[float]) -> float:
    """Return the mean of n."""
    return sum(n * w for n, w in enumerate(weights, 1)) / sum(weights)


def _mean_overshoot(placement: NgramPlacement) -> Array:
    """Return by how much the n-gram that crosses the budget of each instance exceeds it on average.

    The mean residual of a renewal process, (E[S^2] / E[S] + 1) / 2 for a budget of whole units,
    less the half that a fractional budget is rounded up by; S is the size of an n-gram.
    """
    weights = placement.budget.ngram_weights
    n1 = _mean(weights)
    n2 = sum(n * n * w for n, w in enumerate(weights, 1)) / sum(weights)
    count = np.maximum(placement.counts, 1)
    mean = np.maximum(placement.total, 1) / count
    squares = sums_between(placement.units * placement.units, placement.words.instances)
    variance = squares / count - mean**2
    return (n1 * variance + n2 * mean**2) / (2 * n1 * mean)
