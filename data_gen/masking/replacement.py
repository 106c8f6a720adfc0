"""WHAT, applied: draw for each masked word what stands in its place.

All that is drawn for an n-gram comes from its own seed, so it is the same wherever the n-gram is
placed: a refused place shifts no shares.
"""

from typing import NamedTuple, Optional

import numpy as np

from data_gen.core.columns import (
    Array,
    TokenizedBlock,
    offsets_of,
    ordinals,
    ranges,
    sums_between,
)
from data_gen.core.random_draws import below, chosen_share, draw
from data_gen.masking.corruption import (
    FALLBACK,
    KEEP,
    KINDS,
    MASK,
    RANDOM,
    SIMILAR,
    CorruptionShares,
)
from data_gen.masking.placement import CapCost, Ngrams
from data_gen.synonyms.lexicon import CandidateCache

# Draws of an n-gram; draw 0 is its length. One of each sort for each of its units or pieces.
_CANDIDATE_DRAWS, _PIECE_DRAWS, _WORD_DRAWS, _KIND_DRAWS = (n << 16 for n in (1, 2, 3, 4))


class RandomWords(NamedTuple):
    """The different words of a text by their number of pieces."""

    starts: Array  # int64: the piece that each starts at, those of one size side by side
    first: Array  # int64: words of fewer pieces than 0, 1, ... and more than any has

    def count(self, sizes: Array) -> Array:
        """Return how many words there are of each size."""
        size = np.minimum(sizes, len(self.first) - 2)
        return self.first[size + 1] - self.first[size]


class CorruptionRules(NamedTuple):
    """The rules of replacing that are the same for all instances."""

    shares: CorruptionShares
    unit: str  # one kind is drawn for an n-gram, a word or a piece
    mask: int  # id of [MASK]
    random_pieces: Array  # ids that may stand in for others
    candidates: CandidateCache
    # The cap limits fallbacks alone, or together with the words that were drawn to be random. The
    # paper's "such replacements" may be read either way.
    cap: str = "fallback"


class Units(NamedTuple):
    """The words of n-grams, or their pieces, that one kind is drawn for. Columns of U rows."""

    ngram: Array  # int64: number of the n-gram
    ordinal: Array  # int64: number of the unit in it
    word: Array  # int64
    size: Array  # int64: pieces
    kind: Array  # int64: number in KINDS


class Replaced(NamedTuple):
    """The replacements of the masked pieces, in the order of the text. Columns of M rows."""

    word: Array  # int64
    place: Array  # int64: of the piece in its word
    kind: Array  # int64: number in KINDS
    piece: Array  # int32: the new one, or -1 where the old one is kept
    drawn: Array  # int64, of as many rows as there are units: kinds before any became a fallback


class Replacer:
    """Replaces the words of several instances. Pure: all comes from the n-grams' seeds."""

    def __init__(self, rules: CorruptionRules, sizes: Array, similar: Array) -> None:
        """Take the words that may be masked.

        sizes:   pieces of each word, int64 [W]
        similar: number of each word in the cache of candidates, int64 [W]
        """
        self._rules = rules
        self._sizes = sizes
        self._similar = similar
        self._has = np.ones(len(sizes), bool)
        if rules.shares.needs_similar_words:
            self._has = rules.candidates.has_candidates(similar)
        self._lacking = offsets_of(~self._has)

    def cap_cost(self, ngrams: Ngrams) -> CapCost:
        """Return the pieces of each n-gram that would become fallbacks, and those that the cap
        counts.
        """
        count = len(ngrams.start)
        all_random = self._rules.cap == "all_random"
        lacking = self._lacking[ngrams.start + ngrams.length] > self._lacking[ngrams.start]
        if not lacking.any() and not all_random:
            none = np.zeros(count, np.int64)
            return CapCost(none, none)
        some = np.arange(count) if all_random else np.flatnonzero(lacking)
        units = self._units(ngrams.where(some))
        in_need = (units.kind == SIMILAR) & ~self._has[units.word]
        owner = some[units.ngram]
        fallback = np.bincount(owner, units.size * in_need, count).astype(np.int64)
        if not all_random:
            return CapCost(fallback, fallback)
        is_random = units.kind == RANDOM
        random = np.bincount(owner, units.size * is_random, count).astype(np.int64)
        return CapCost(fallback, fallback + random)

    def expected_share(self, instances: Array) -> Array:
        """Return the share of the pieces of each instance, float64 [N], that the cap would count if
        all were masked. `instances` are the words that each starts at, and W, int64 [N + 1].
        """
        pieces = sums_between(self._sizes, instances)
        lacking = np.flatnonzero(~self._has)  # few, mostly
        fallbacks = sums_between(self._sizes[lacking], np.searchsorted(lacking, instances))
        fallback = self._rules.shares.similar * fallbacks / np.maximum(pieces, 1)
        return fallback + (self._rules.shares.random if self._rules.cap == "all_random" else 0)

    def _units(self, ngrams: Ngrams) -> Units:
        """Return the units of n-grams and the kinds drawn for them."""
        rules = self._rules
        word = ranges(ngrams.start, ngrams.start + ngrams.length)
        ngram = np.repeat(np.arange(len(ngrams.start)), ngrams.length)
        size = self._sizes[word]
        if rules.unit == "piece":
            word, ngram = np.repeat(word, size), np.repeat(ngram, size)
            size = np.ones_like(word)
        ordinal = _ordinals(ngram)
        number = _KIND_DRAWS + (0 if rules.unit == "ngram" else ordinal)
        kind = chosen_share(ngrams.seed[ngram], number, rules.shares)
        if rules.unit == "word" and rules.shares.needs_similar_words:
            _swap_kinds_within_ngrams(kind, ngram, self._has[word])
        return Units(ngram, ordinal, word, size, kind)

    def replace(
        self,
        ngrams: Ngrams,
        past_the_cap: Array,
        words: Optional[RandomWords],
        text: TokenizedBlock,
    ) -> Replaced:
        """Replace the words of n-grams.

        past_the_cap: of each n-gram if its words without a similar one are kept, bool [G]
        words:        of `text`; random words, where there are any of the size, come from these
                      before random pieces
        """
        units = self._units(ngrams)
        lacks = (units.kind == SIMILAR) & ~self._has[units.word]
        kind = np.where(lacks, np.where(past_the_cap[units.ngram], KEEP, FALLBACK), units.kind)
        unit = np.repeat(np.arange(len(kind)), units.size)
        new = np.full(len(unit), -1, np.int64)
        kinds, word = kind[unit], units.word[unit]
        place = _ordinals(word)
        new[kinds == MASK] = self._rules.mask
        anew = np.flatnonzero((kinds == RANDOM) | (kinds == FALLBACK))
        of = units.ngram[unit[anew]]
        first = offsets_of(np.bincount(units.ngram, units.size, len(ngrams.start)))[of]
        pool = self._rules.random_pieces
        new[anew] = pool[below(ngrams.seed[of], _PIECE_DRAWS + anew - first, len(pool))]
        if words:
            count = words.count(units.size)
            anew = anew[count[unit[anew]] > 0]
            rows = unit[anew]
            seed, number = ngrams.seed[units.ngram[rows]], _WORD_DRAWS + units.ordinal[rows]
            chosen = words.first[units.size[rows]] + below(seed, number, count[rows])
            new[anew] = text.pieces[words.starts[chosen] + ordinals(units.size)[anew]]
        alike = np.flatnonzero(kind == SIMILAR)
        if len(alike):
            start = np.zeros(len(kind), np.int64)
            start[alike] = self._pick(units.word[alike], ngrams.where(units.ngram[alike]))
            like = np.flatnonzero(kinds == SIMILAR)
            new[like] = self._rules.candidates.pieces[start[unit[like]] + place[like]]
        return Replaced(word, place, kinds, new, np.bincount(units.kind, minlength=len(KINDS)))

    def _pick(self, word: Array, ngrams: Ngrams) -> Array:
        """Choose a similar word of each of some words, each of an n-gram. Returns where it starts
        in `candidates.pieces`.
        """
        bits = draw(ngrams.seed, _CANDIDATE_DRAWS + word - ngrams.start)
        share = (bits >> np.uint64(40)) * 2.0**-24
        return self._rules.candidates.pick(self._similar[word], share, self._sizes[word])


def _ordinals(groups: Array) -> Array:
    """Return the number of each row within its group; rows of a group are neighbours."""
    rows = np.arange(len(groups))
    first = np.ones(len(groups), bool)
    first[1:] = groups[1:] != groups[:-1]
    return rows - np.maximum.accumulate(rows * first)


def _swap_kinds_within_ngrams(kind: Array, ngram: Array, has: Array) -> None:
    """Let a word that would need a similar word and has none change places with one of its n-gram
    that has but needs none: fewer n-grams are refused.
    """
    wanting = np.flatnonzero((kind == SIMILAR) & ~has)
    spare = np.flatnonzero((kind != SIMILAR) & has)
    if not len(wanting) or not len(spare):
        return
    # The first of one sort with the first of the other, the second with the second, ...
    most = len(kind)
    _, i, j = np.intersect1d(
        ngram[wanting] * most + _ordinals(ngram[wanting]),
        ngram[spare] * most + _ordinals(ngram[spare]),
        assume_unique=True,
        return_indices=True,
    )
    kind[wanting[i]], kind[spare[j]] = kind[spare[j]], kind[wanting[i]]
