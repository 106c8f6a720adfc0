"""WHERE to mask: `SELECTORS` choose whole n-grams of an instance; what is put there is corruption's
business.

One sampler serves all of them: draw a length n from the nominal shares, place an n-gram of n words
at random without overlap, and go on until the budget of pieces is reached. The n-gram that crosses
the budget is kept, whatever its size: by Wald's identity that keeps the shares of n exact, and long
words as likely as short ones. The usual shuffle-and-reject realises 49.5/28.0/15.7/6.5 where
40/30/20/10 was meant (length 128), because what would cross is refused.

The paper says "a percentage of 40%, 30%, 20%, 10% for word-level unigram to 4-gram" (MacBERT, IV-A)
and the author that n-grams are taken in order (MacBERT#13); how that gives 15 % is unpublished, so
this sampler is our choice.
"""

import random
from itertools import accumulate
from typing import Callable, Dict, List, NamedTuple, Sequence, Tuple

from data_gen.types import Ngram, Span

# Runs of neighbouring words; no n-gram crosses from one into another. Usually the words of A and
# those of B.
Segments = Sequence[Sequence[Span]]
Accept = Callable[[Ngram], bool]

# Random placements before all are listed; at 15 % masked a try fails in about one case of three.
_TRIES = 24
_MOST_OWED = 6  # lengths, of one instance

BUDGET_UNITS = ("piece", "word")
OVER_BUDGET = ("keep", "shorten")
NGRAM_WITHIN = ("segment", "sentence")


class Policy(NamedTuple):
    """How much to mask in one instance."""

    budget: float  # pieces (or words) to mask, as an average over instances
    most: int  # never more pieces than this
    ngram_weights: Sequence[float]  # shares of n = 1, 2, ...
    # What the budget counts. The paper says "15% input words" in IV-A and pieces, k = N x 15 %, in
    # IV-C; asked in MacBERT#5 and not answered.
    budget_unit: str = "piece"
    # What becomes of the n-gram that would exceed the budget: kept, or shortened until it fits as
    # google-research/albert does, which shifts the shares of n towards 1.
    over_budget: str = "keep"
    # Lengths that found no place in the instances before this one.
    owed: Sequence[int] = ()


class Selection(NamedTuple):
    """What was chosen in one instance."""

    ngrams: List[Ngram]  # in the order of their positions
    shortened: int  # words by which n-grams were made shorter than drawn
    owed: Sequence[int] = ()  # lengths that found no place


Select = Callable[[Segments, Policy, random.Random, Accept], Selection]


def select_ngrams(
    segments: Segments, policy: Policy, rng: random.Random, accept: Accept
) -> Selection:
    """Choose n-grams of whole words, n by `policy.ngram_weights`.

    `accept` is asked last for each n-gram that would fit; a refused one is placed elsewhere. A
    length that finds no place here, as long ones may not where few words have a similar one, is
    owed to the next instance, so that the shares of n stay as they are.
    """
    placing = _Placing(segments, policy, rng, accept)
    weights = policy.ngram_weights
    if placing.limit is None:
        target = policy.budget - _mean_overshoot(placing.unit_sizes, weights)
    else:
        target = placing.limit
    draw = _Lengths(weights, rng)
    first, owed = _first_lengths(policy.owed, draw, _words_needed(target, placing.unit_sizes))
    shortened = 0
    while first or not placing.chosen or placing.done < target:
        drawn = first.pop(0) if first else draw.one()
        waits = placing.limit is None and drawn > 1 and len(owed) < _MOST_OWED
        length = placing.place_longest(drawn, at_least=drawn if waits else 1)
        if length:
            shortened += drawn - length
        elif waits:
            owed.append(drawn)
        else:
            break  # not even a single word can be placed any more
    return Selection(sorted(placing.chosen), shortened, owed)


def select_in_order(
    segments: Segments, policy: Policy, rng: random.Random, accept: Accept
) -> Selection:
    """Choose n-grams with a pointer that goes from word to word, as the author describes it:
    "N-grams are taken in order", past each of them the pointer goes on (MacBERT#13).

    Taken literally that masks every word; how it gives 15 % is unpublished. Here an n-gram starts
    at the pointer with the probability that makes what is left of the budget the average over what
    is left of the words. A length that does not fit or is refused waits for the next word. The
    masked share of one instance varies more than with the other selectors, and what `policy.most`
    cuts off is lost to the average.
    """
    placing = _Placing(segments, policy, rng, accept)
    draw = _Lengths(policy.ngram_weights, rng)
    left = sum(placing.unit_sizes)
    owed = list(policy.owed)
    waiting: List[int] = []
    word = 0
    while word < len(placing.words):
        if not waiting and rng.random() < _start_probability(
            policy.budget - placing.done, left, draw.mean
        ):
            waiting.append(owed.pop(0) if owed else draw.one())
        length = waiting[0] if waiting and placing.place_at(waiting[0], word) else 0
        if length:
            waiting.pop()
        passed = max(length, 1)
        left -= sum(placing.unit_sizes[word : word + passed])
        word += passed
    if not placing.chosen:
        placing.place(1)
    return Selection(placing.chosen, 0, [*waiting, *owed])


def _start_probability(budget: float, left: int, mean: float) -> float:
    """Of an n-gram of `mean` words at a word, so that `budget` of what is `left` gets masked; at
    most as if half of it were to be, which keeps the end of a sequence as readable as the rest.
    """
    share = min(max(budget, 0.0) / left, 0.5)
    return share / (mean * (1 - share) + share)


def select_words(
    segments: Segments, policy: Policy, rng: random.Random, accept: Accept
) -> Selection:
    """Choose single whole words (BERT-wwm)."""
    return select_ngrams(segments, policy._replace(ngram_weights=(1.0,)), rng, accept)


def select_pieces(
    segments: Segments, policy: Policy, rng: random.Random, accept: Accept
) -> Selection:
    """Choose single pieces, whatever the words (BERT)."""
    pieces = [[span for word in words for span in word.singles()] for words in segments]
    return select_words(pieces, policy, rng, accept)


SELECTORS: Dict[str, Select] = {
    "piece": select_pieces,
    "word": select_words,
    "ngram": select_ngrams,
    "ngram_in_order": select_in_order,
}


class _Lengths:
    """Draws of n by their weights."""

    def __init__(self, weights: Sequence[float], rng: random.Random) -> None:
        self.mean = _mean(weights)
        self._cumulative = list(accumulate(weights))
        self._lengths = range(1, len(self._cumulative) + 1)
        self._rng = rng

    def one(self) -> int:
        return self._rng.choices(self._lengths, cum_weights=self._cumulative)[0]

    def many(self, count: int) -> List[int]:
        return self._rng.choices(self._lengths, cum_weights=self._cumulative, k=count)


def _mean(weights: Sequence[float]) -> float:
    """The mean of n."""
    return sum(n * w for n, w in enumerate(weights, 1)) / sum(weights)


def _words_needed(target: float, sizes: Sequence[int]) -> float:
    """How many words the budget takes in almost any case: 70 % of the expected number."""
    return 0.7 * target * len(sizes) / sum(sizes) if sizes else 0.0


def _first_lengths(
    owed: Sequence[int], draw: "_Lengths", words: float
) -> Tuple[List[int], List[int]]:
    """The lengths to place first, about `words` in all, the longest first; and what of the owed
    ones is too much.

    The longest come first while there is still room for them and for fallbacks. That their number
    is fixed before any is placed keeps Wald's identity.
    """
    first: List[int] = []
    left = list(owed)
    while left and sum(first) + left[0] <= words:
        first.append(left.pop(0))
    first += draw.many(int((words - sum(first)) / draw.mean))
    return sorted(first, reverse=True), left


def _mean_overshoot(sizes: Sequence[int], weights: Sequence[float]) -> float:
    """By how much the n-gram that crosses the budget exceeds it, on average.

    sizes:   of the words, in the units of the budget
    Returns  the mean residual of a renewal process, (E[S^2] / E[S] + 1) / 2 for a budget of whole
             units, less the half that a fractional budget is rounded up by; S is the size of an
             n-gram.
    """
    if not sizes:
        return 0.0
    n1 = _mean(weights)
    n2 = sum(n * n * w for n, w in enumerate(weights, 1)) / sum(weights)
    mean = sum(sizes) / len(sizes)
    variance = sum(size**2 for size in sizes) / len(sizes) - mean**2
    return (n1 * variance + n2 * mean**2) / (2 * n1 * mean)


class _Placing:
    """N-grams placed so far in one instance."""

    def __init__(
        self, segments: Segments, policy: Policy, rng: random.Random, accept: Accept
    ) -> None:
        self.chosen: List[Ngram] = []
        self.done = 0  # masked so far, in the unit of the budget
        self.words = [word for segment in segments for word in segment]
        self._by_words = policy.budget_unit == "word"
        # Of each word its size in the unit of the budget.
        self.unit_sizes = [1 if self._by_words else word.size for word in self.words]
        # Of each word the words of its segment, [first, last).
        self._bounds: List[Tuple[int, int]] = []
        for segment in segments:
            first = len(self._bounds)
            self._bounds += [(first, first + len(segment))] * len(segment)
        self._taken = [False] * len(self.words)
        self._room = policy.most  # pieces
        # What `done` may not exceed, where n-grams are shortened to fit the budget.
        self.limit = max(1, int(policy.budget)) if policy.over_budget == "shorten" else None
        self._rng = rng
        self._accept = accept

    def place(self, length: int) -> bool:
        """Put an n-gram of `length` words somewhere; False where nowhere is left for it."""
        if not self.words:
            return False
        for _ in range(_TRIES):
            if self.place_at(length, self._random_start(length)):
                return True
        starts = list(range(len(self.words) - length + 1))
        self._rng.shuffle(starts)
        return any(self.place_at(length, start) for start in starts)

    def place_longest(self, length: int, at_least: int) -> int:
        """Put an n-gram of `length` words somewhere, or a shorter one. Returns its length, 0 where
        none of `at_least` words fits.
        """
        while length >= at_least and not self.place(length):
            length -= 1
        return length if length >= at_least else 0

    def place_at(self, length: int, start: int) -> bool:
        """Put an n-gram of `length` words at word number `start`; False where it does not fit."""
        stop = start + length
        if self._bounds[start][1] < stop or any(self._taken[start:stop]):
            return False
        ngram = tuple(self.words[start:stop])
        size = ngram[-1].stop - ngram[0].start
        amount = length if self._by_words else size
        if self.limit is not None and self.done + amount > self.limit:
            return False
        if size > self._room or not self._accept(ngram):
            return False
        self._taken[start:stop] = [True] * length
        self._room -= size
        self.done += amount
        self.chosen.append(ngram)
        return True

    def _random_start(self, length: int) -> int:
        """A start that makes words about equally likely to be covered.

        A word is drawn, then its place in the n-gram; an n-gram that would reach out of the segment
        is pushed back inside. The first and the last word of a segment are still masked three
        quarters as often as others, since fewer n-grams can hold them; with the start itself drawn
        it would be half as often.
        """
        word = self._rng.randrange(len(self.words))
        first, last = self._bounds[word]
        return max(first, min(word - self._rng.randrange(length), last - length))
