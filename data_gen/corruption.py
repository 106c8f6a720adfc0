"""WHAT to put in place of masked words: `CORRUPTIONS` are the four of the MacBERT paper, VII-B.

For MLM as correction ("similar") each word of an n-gram is replaced on its own by a similar word of
the same number of pieces (paper, IV-A and Table II). A word without one becomes random, which "is
restricted to no more than 10% of all tokens to be masked": past that, the n-gram is refused and the
selector looks for another place.
"""

import random
from typing import Callable, Dict, List, NamedTuple, Optional, Protocol, Sequence, Tuple

from data_gen.types import Ngram, Replacement, Span

Pieces = Tuple[int, ...]
# Similar words with their similarity, the most similar first.
Candidates = Sequence[Tuple[Pieces, float]]


class Similar(Protocol):
    """The lookup of similar words."""

    def __call__(self, word: Pieces) -> Candidates:
        """The similar words of a word of the same number of pieces; empty where there is none."""

    def source(self, word: Pieces) -> str:
        """Where its similar words come from, e.g. "toolkit"; "" where it has none."""

    def missing(self, word: Pieces) -> str:
        """Why a word has no similar word, e.g. "not in the table"."""


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

CORRUPTION_UNITS = ("ngram", "word", "piece")
RANDOM_UNITS = ("piece", "word")
FALLBACK_CAPS = ("fallback", "all_random")
PAST_THE_CAP = ("elsewhere", "keep")
# What to do with neighbours of another number of pieces: asked in MacBERT#12 and #19, unanswered;
# every replacement of the paper's Table II has as many pieces as the original.
OTHER_LENGTHS = ("skip", "strict")


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
    """What stays the same for all instances of a block of documents."""

    shares: Shares
    unit: str  # what one draw of the kind is for: an n-gram, a word or a piece
    mask: int  # id of [MASK]
    random_pieces: Sequence[int]  # ids that may stand in for others
    similar: Similar
    choose: Callable[[Candidates, random.Random], Pieces]
    max_fallback: float  # share of the masked pieces
    # What the share limits: fallbacks alone, or together with the words that were drawn to be
    # random. The paper's "such replacements" may be read either way.
    cap: str = "fallback"
    past_the_cap: str = "elsewhere"  # another place is masked, or the word is kept
    # Number of pieces -> words of so many; random words come from here before `random_pieces`.
    random_words: Optional[Dict[int, Sequence[Pieces]]] = None

    def begin(
        self,
        pieces: Pieces,
        budget: float,
        rng: random.Random,
        kinds: Sequence[str] = (),
        capped: bool = True,
    ) -> "Draft":
        """Start on one instance, of which about `budget` pieces will be masked; `kinds` are those
        that were drawn and not used in the instance before.

        The fraction of a fallback is rounded up or down at random: short sequences are held to
        their share, not to less. Without `capped` any word may become random.
        """
        most = int(self.max_fallback * budget + rng.random()) if capped else len(pieces)
        return Draft(self, pieces, most, kinds, rng)

    def draw_kind(self, rng: random.Random) -> str:
        """One of "mask", "similar", "random", "keep", by their shares."""
        x = rng.random()
        for kind, share in zip(Shares._fields, self.shares):
            x -= share
            if x < 0:
                return kind
        return "keep"


class _Unit(NamedTuple):
    """A word of an n-gram, or a piece of one, and what was drawn for it."""

    word: Span
    span: Span
    drawn: str


class Draft:
    """The replacements in one instance while its n-grams are being chosen."""

    def __init__(
        self,
        corruptor: Corruptor,
        pieces: Pieces,
        max_fallback: int,
        kinds: Sequence[str],
        rng: random.Random,
    ) -> None:
        self.replacements: List[Replacement] = []
        self.drawn: List[str] = []  # kinds, one a unit, before any became a fallback
        # Drawn and not used yet. Thrown away they would be missed: they are similar more often.
        self.kinds = list(kinds)
        self.refused = 0  # places that the cap on fallbacks turned away
        self.kept_past_the_cap = 0  # pieces
        self._corruptor = corruptor
        self._pieces = pieces
        self._room = max_fallback
        self._rng = rng

    def accept(self, ngram: Ngram) -> bool:
        """Replace the words of `ngram`, or refuse it where too many would be random for want of a
        similar word.

        Kinds are drawn before the place is known and kept until a place is accepted, so that a
        refusal does not shift their shares.
        """
        drawn = self._draw(ngram)
        units = self._units(ngram, drawn)
        lacking = [unit.drawn == "similar" and not self._similar(unit.word) for unit in units]
        fallback = sum(unit.span.size for unit, lacks in zip(units, lacking) if lacks)
        random_pieces = sum(unit.span.size for unit in units if unit.drawn == "random")
        counted = fallback + (random_pieces if self._corruptor.cap == "all_random" else 0)
        instead = "fallback"
        if fallback and counted > self._room:
            if self._corruptor.past_the_cap == "elsewhere":
                self.refused += 1
                return False
            instead = "keep"
            self.kept_past_the_cap += fallback
            counted -= fallback
        self._room -= counted
        kinds = [instead if lacks else unit.drawn for unit, lacks in zip(units, lacking)]
        self._replace(units, kinds)
        self.drawn += drawn
        self.kinds = self.kinds[len(drawn) :]
        return True

    def _draws(self, ngram: Ngram) -> int:
        """How many draws of the kind an n-gram takes."""
        unit = self._corruptor.unit
        return {"ngram": 1, "word": len(ngram), "piece": ngram[-1].stop - ngram[0].start}[unit]

    def _units(self, ngram: Ngram, drawn: Sequence[str]) -> List[_Unit]:
        if self._corruptor.unit == "piece":
            spans = [(word, span) for word in ngram for span in word.singles()]
        else:
            spans = [(word, word) for word in ngram]
        if self._corruptor.unit == "ngram":
            drawn = [drawn[0]] * len(ngram)
        return [_Unit(word, span, kind) for (word, span), kind in zip(spans, drawn)]

    def _draw(self, ngram: Ngram) -> List[str]:
        """The kinds drawn for an n-gram, in the order of its words.

        A word that would need a similar word and has none changes places with one that has but
        needs none: fewer n-grams are refused.
        """
        count = self._draws(ngram)
        while len(self.kinds) < count:
            self.kinds.append(self._corruptor.draw_kind(self._rng))
        kinds = self.kinds[:count]
        if self._corruptor.unit != "word" or not self._corruptor.shares.similar:
            return kinds
        has_similar = [bool(self._similar(word)) for word in ngram]
        pairs = list(zip(kinds, has_similar))
        wanting = [i for i, pair in enumerate(pairs) if pair == ("similar", False)]
        spare = [i for i, (kind, has) in enumerate(pairs) if kind != "similar" and has]
        for i, j in zip(wanting, spare):
            kinds[i], kinds[j] = kinds[j], kinds[i]
        return kinds

    def _similar(self, span: Span) -> Candidates:
        return self._corruptor.similar(self._pieces[span.start : span.stop])

    def _replace(self, units: Sequence[_Unit], kinds: Sequence[str]) -> None:
        chosen: Dict[Span, Pieces] = {}  # one similar word a word, also where pieces are the unit
        for (word, span, _), kind in zip(units, kinds):
            if kind == "similar":
                if word not in chosen:
                    chosen[word] = self._corruptor.choose(self._similar(word), self._rng)
                start, stop = span.start - word.start, span.stop - word.start
                new: Optional[Pieces] = chosen[word][start:stop]
            else:
                new = self._pieces_for(span, kind)
            self.replacements.append(Replacement(span, kind, new))

    def _pieces_for(self, span: Span, kind: str) -> Optional[Pieces]:
        corruptor, rng = self._corruptor, self._rng
        if kind == "keep":
            return None
        if kind == "mask":
            return (corruptor.mask,) * span.size
        words = (corruptor.random_words or {}).get(span.size)
        if words:
            return words[rng.randrange(len(words))]
        pool = corruptor.random_pieces
        return tuple(pool[rng.randrange(len(pool))] for _ in range(span.size))


def apply(pieces: Pieces, replacements: Sequence[Replacement]) -> List[int]:
    """The pieces with every replacement made."""
    corrupted = list(pieces)
    for span, _, new in replacements:
        if new is not None:
            corrupted[span.start : span.stop] = new
    return corrupted
