"""WHAT to put in place of masked words: `CORRUPTIONS` are the four of the MacBERT paper, VII-B.

For MLM as correction ("similar") each word of an n-gram is replaced on its own by a similar word of
the same number of pieces (paper, IV-A and Table II). A word without one becomes random, which "is
restricted to no more than 10% of all tokens to be masked": past that, the n-gram is refused and the
selector looks for another place.
"""

import random
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.types import Ngram, Replacement, Span

Pieces = Tuple[int, ...]
# Similar words with their similarity, the most similar first.
Candidates = Sequence[Tuple[Pieces, float]]
Similar = Callable[[Pieces], Candidates]  # empty where there is none


class Shares(NamedTuple):
    """How often a masked word (or piece) becomes [MASK], a similar word, a random one, or stays."""

    mask: float = 0.0
    similar: float = 0.0
    random: float = 0.0
    keep: float = 0.1


CORRUPTIONS: Dict[str, Shares] = {
    "partial_mask": Shares(mask=0.8, random=0.1),  # BERT's own 80/10/10
    "all_mask": Shares(mask=0.9),
    "random": Shares(random=0.9),
    "similar": Shares(similar=0.8, random=0.1),  # MacBERT
}

CORRUPTION_UNITS = ("word", "piece")


def _first(candidates: Candidates, rng: random.Random) -> Pieces:
    return candidates[0][0]


def _uniform(candidates: Candidates, rng: random.Random) -> Pieces:
    return candidates[rng.randrange(len(candidates))][0]


def _weighted(candidates: Candidates, rng: random.Random) -> Pieces:
    weights = [max(similarity, 1e-6) for _, similarity in candidates]
    return rng.choices(candidates, weights=weights)[0][0]


CANDIDATE_CHOICES: Dict[str, Callable[[Candidates, random.Random], Pieces]] = {
    "first": _first,
    "uniform": _uniform,
    "weighted": _weighted,
}


class Corruptor(NamedTuple):
    """What stays the same for all instances of a build."""

    shares: Shares
    unit: str  # "word" or "piece": what one draw of the kind is for
    mask: int  # id of [MASK]
    random_pieces: Sequence[int]  # ids that may stand in for others
    similar: Similar
    choose: Callable[[Candidates, random.Random], Pieces]
    max_fallback: float  # share of the masked pieces

    def begin(
        self, pieces: Pieces, budget: float, rng: random.Random, capped: bool = True
    ) -> "Draft":
        """Start on one instance, of which about `budget` pieces will be masked.

        The fraction of a fallback is rounded up or down at random: short sequences are held to
        their share, not to less. Without `capped` any word may become random.
        """
        most = int(self.max_fallback * budget + rng.random()) if capped else len(pieces)
        return Draft(self, pieces, most, rng)

    def draw_kind(self, rng: random.Random) -> str:
        """One of "mask", "similar", "random", "keep", by their shares."""
        x = rng.random()
        for kind, share in zip(Shares._fields, self.shares):
            x -= share
            if x < 0:
                return kind
        return "keep"


class Draft:
    """The replacements in one instance while its n-grams are being chosen."""

    def __init__(
        self, corruptor: Corruptor, pieces: Pieces, max_fallback: int, rng: random.Random
    ) -> None:
        self.replacements: List[Replacement] = []
        self.refused = 0  # n-grams that the cap on fallbacks turned away
        self._corruptor = corruptor
        self._pieces = pieces
        self._fallback_room = max_fallback
        self._rng = rng
        self._kinds: List[str] = []

    def accept(self, ngram: Ngram) -> bool:
        """Replace the words of `ngram`, or refuse it where too many would be random for want of a
        similar word.

        Kinds are drawn before the place is known and kept until a place is accepted, so that a
        refusal does not shift their shares.
        """
        spans = _units(ngram, self._corruptor.unit)
        while len(self._kinds) < len(spans):
            self._kinds.append(self._corruptor.draw_kind(self._rng))
        kinds = [self._resolve(span, kind) for span, kind in zip(spans, self._kinds)]
        fallback = sum(span.size for span, kind in zip(spans, kinds) if kind == "fallback")
        if fallback > self._fallback_room:
            self.refused += 1
            return False
        self._fallback_room -= fallback
        self.replacements += [
            Replacement(span, kind, self._pieces_for(span, kind))
            for span, kind in zip(spans, kinds)
        ]
        self._kinds = []
        return True

    def _resolve(self, span: Span, kind: str) -> str:
        if kind == "similar" and not self._similar(span):
            return "fallback"
        return kind

    def _similar(self, span: Span) -> Candidates:
        return self._corruptor.similar(self._pieces[span.start : span.stop])

    def _pieces_for(self, span: Span, kind: str) -> Optional[Pieces]:
        corruptor, rng = self._corruptor, self._rng
        if kind == "keep":
            return None
        if kind == "mask":
            return (corruptor.mask,) * span.size
        if kind == "similar":
            return corruptor.choose(self._similar(span), rng)
        pool = corruptor.random_pieces
        return tuple(pool[rng.randrange(len(pool))] for _ in range(span.size))


def _units(ngram: Ngram, unit: str) -> List[Span]:
    if unit == "word":
        return list(ngram)
    return [span for word in ngram for span in word.singles()]


def apply(pieces: Pieces, replacements: Sequence[Replacement]) -> List[int]:
    """The pieces with every replacement made."""
    corrupted = list(pieces)
    for span, _, new in replacements:
        if new is not None:
            corrupted[span.start : span.stop] = new
    return corrupted
