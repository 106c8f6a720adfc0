"""WHAT, applied: draw for each masked word what stands in its place."""

from typing import NamedTuple, Optional, Tuple

import numpy as np

from data_gen.core.columns import Array, TokenizedBlock, ranges
from data_gen.core.random_draws import below, draw, uniform
from data_gen.masking.corruption import (
    FALLBACK,
    KEEP,
    KINDS,
    MASK,
    RANDOM,
    SIMILAR,
    CorruptionShares,
)
from data_gen.masking.placement import Ngrams
from data_gen.synonyms.lexicon import CandidateCache

# Draws of an n-gram; draw 0 is its length. One of each sort for each of its units or pieces.
_CANDIDATE_DRAWS, _PIECE_DRAWS, _WORD_DRAWS = 1 << 16, 2 << 16, 3 << 16


class RandomWords(NamedTuple):
    """The different words of a text by their number of pieces."""

    starts: Array  # int64: the piece that each starts at, those of one size side by side
    first: Array  # int64: words of fewer pieces than 0, 1, ... and more than any has

    def count(self, sizes: Array) -> Array:
        """How many words there are of each size."""
        size = np.minimum(sizes, len(self.first) - 2)
        return self.first[size + 1] - self.first[size]


class CorruptionRules(NamedTuple):
    """What stays the same for all instances."""

    shares: CorruptionShares
    unit: str  # what one draw of the kind is for: an n-gram, a word or a piece
    mask: int  # id of [MASK]
    random_pieces: Array  # ids that may stand in for others
    lexicon: CandidateCache
    max_fallback: float  # share of the masked pieces
    # What the share limits: fallbacks alone, or together with the words that were drawn to be
    # random. The paper's "such replacements" may be read either way.
    cap: str = "fallback"
    past_the_cap: str = "elsewhere"  # another place is masked, or the word is kept


class Streams(NamedTuple):
    """Where the kinds of several instances come from: unit after unit the next draw of a seed."""

    seeds: Array  # uint64 [N]
    next: Array  # int64 [N]


class Units(NamedTuple):
    """The words of n-grams, or their pieces: what kinds are drawn for. Columns of U rows."""

    ngram: Array  # int64: which n-gram
    ordinal: Array  # int64: which unit of it
    word: Array  # int64
    size: Array  # int64: pieces
    kind: Array  # int64: which of KINDS


class Replaced(NamedTuple):
    """What was put in place of the masked pieces, in the order of the text. Columns of M rows."""

    word: Array  # int64
    place: Array  # int64: of the piece in its word
    kind: Array  # int64: which of KINDS
    piece: Array  # int32: the new one, or -1 where the old one is kept
    drawn: Array  # int64, of as many rows as there are units: kinds before any became a fallback


class ReplacementPlan:
    """The replacements in several instances: a judge of n-grams while they are being chosen.

    The kinds of an instance are a stream of draws, used in their order by the n-grams that are
    taken, so that a refusal does not shift their shares. For the same reason what was drawn and not
    used is handed on: thrown away it would be missed, since it is similar more often.
    """

    def __init__(
        self,
        corruptor: CorruptionRules,
        sizes: Array,
        similar: Array,
        room: Array,
        streams: Streams,
    ) -> None:
        """Begin with nothing replaced.

        sizes:   pieces of each word, int64 [W]
        similar: number of each word in the lexicon, int64 [W]
        room:    pieces that may be fallbacks in each instance, int64 [N]
        streams: of the instances
        """
        self.refused = 0  # places that the cap on fallbacks turned away
        self.kept_past_the_cap = 0  # pieces
        self._corruptor = corruptor
        self._sizes = sizes
        self._passed = np.concatenate([[0], np.cumsum(sizes)])
        self._similar = similar
        self._room = room
        self._streams = Streams(streams.seeds, streams.next.copy())
        self._seen = streams.next.copy()  # draws that a refused n-gram had
        self._first_draw = np.zeros(len(sizes), np.int64)  # of the n-gram that starts at a word
        self._kept = np.zeros(len(sizes), bool)  # first words of n-grams past the cap
        self._has = np.ones(len(sizes), bool)
        if corruptor.shares.similar:
            self._has = corruptor.lexicon.has_candidates(similar)
        self._lacking = np.concatenate([[0], np.cumsum(~self._has)])

    def allows(self, ngrams: Ngrams) -> Array:
        """Whether each n-gram may be masked: not where too many of its words would be random for
        want of a similar word.
        """
        return self._allowed(ngrams, *self._costs(ngrams))

    def take(self, ngrams: Ngrams) -> Array:
        """Whether each n-gram, of different instances, may be masked; notes that those are."""
        fallback, counted = self._costs(ngrams)
        allowed = self._allowed(ngrams, fallback, counted)
        if not allowed.all():
            ngrams = ngrams.where(allowed)
            fallback, counted = fallback[allowed], counted[allowed]
        past = (fallback > 0) & (counted > self._room[ngrams.instance])
        if past.any():
            self._kept[ngrams.start[past]] = True
            self.kept_past_the_cap += int(fallback[past].sum())
            counted = np.where(past, counted - fallback, counted)
        self._room[ngrams.instance] -= counted
        self._first_draw[ngrams.start] = self._streams.next[ngrams.instance]
        self._streams.next[ngrams.instance] += self._draws(ngrams)
        return allowed

    def _allowed(self, ngrams: Ngrams, fallback: Array, counted: Array) -> Array:
        if self._corruptor.past_the_cap == "keep":
            return np.ones(len(fallback), bool)
        allowed = (fallback == 0) | (counted <= self._room[ngrams.instance])
        if not allowed.all():
            self.refused += int((~allowed).sum())
            refused = ngrams.where(~allowed)
            needed = self._streams.next[refused.instance] + self._draws(refused)
            np.maximum.at(self._seen, refused.instance, needed)
        return allowed

    def streams(self, instances: Array) -> Streams:
        """Where the kinds of some instances go on."""
        return Streams(*(column[instances] for column in self._streams))

    def go_on(self, instances: Array, other: "ReplacementPlan") -> None:
        """Note that another draft went on with the streams of some instances."""
        self._streams.next[instances] = other._streams.next

    def unused(self) -> Streams:
        """The streams with kinds that were drawn for what was refused, and not used."""
        return self.streams(np.flatnonzero(self._seen > self._streams.next))

    def _draws(self, ngrams: Ngrams) -> Array:
        """How many kinds each n-gram takes."""
        if self._corruptor.unit == "ngram":
            return np.ones_like(ngrams.length)
        if self._corruptor.unit == "word":
            return ngrams.length
        return self._passed[ngrams.start + ngrams.length] - self._passed[ngrams.start]

    def _costs(self, ngrams: Ngrams) -> Tuple[Array, Array]:
        """The pieces of each n-gram that would become fallbacks, and those that the cap counts."""
        count = len(ngrams.start)
        all_random = self._corruptor.cap == "all_random"
        lacking = self._lacking[ngrams.start + ngrams.length] > self._lacking[ngrams.start]
        if not lacking.any() and not all_random:
            return np.zeros(count, np.int64), np.zeros(count, np.int64)
        some = np.arange(count) if all_random else np.flatnonzero(lacking)
        some_ngrams = ngrams.where(some)
        units = self._units(some_ngrams, self._streams.next[some_ngrams.instance])
        in_need = (units.kind == SIMILAR) & ~self._has[units.word]
        owner = some[units.ngram]
        fallback = np.bincount(owner, units.size * in_need, count).astype(np.int64)
        if not all_random:
            return fallback, fallback
        is_random = units.kind == RANDOM
        random = np.bincount(owner, units.size * is_random, count).astype(np.int64)
        return fallback, fallback + random

    def _units(self, ngrams: Ngrams, first_draws: Array) -> Units:
        """The units of n-grams and the kinds drawn for them."""
        corruptor = self._corruptor
        word = ranges(ngrams.start, ngrams.start + ngrams.length)
        ngram = np.repeat(np.arange(len(ngrams.start)), ngrams.length)
        size = self._sizes[word]
        if corruptor.unit == "piece":
            word, ngram = np.repeat(word, size), np.repeat(ngram, size)
            size = np.ones_like(word)
        ordinal = _ordinals(ngram)
        number = first_draws[ngram] + (0 if corruptor.unit == "ngram" else ordinal)
        shares = np.cumsum(corruptor.shares[:KEEP])
        drawn = uniform(self._streams.seeds[ngrams.instance[ngram]], number)
        kind = np.searchsorted(shares, drawn, side="right")
        if corruptor.unit == "word" and corruptor.shares.similar:
            _swap_kinds_within_ngrams(kind, ngram, self._has[word])
        return Units(ngram, ordinal, word, size, kind)

    def replace(
        self, ngrams: Ngrams, words: Optional[RandomWords], text: TokenizedBlock
    ) -> Replaced:
        """Replace the n-grams that were chosen; random words, where there are any of the size, come
        from `words` of `text` before random pieces.
        """
        units = self._units(ngrams, self._first_draw[ngrams.start])
        lacks = (units.kind == SIMILAR) & ~self._has[units.word]
        instead = np.where(self._kept[ngrams.start][units.ngram], KEEP, FALLBACK)
        kind = np.where(lacks, instead, units.kind)
        unit = np.repeat(np.arange(len(kind)), units.size)
        seed = ngrams.seed[units.ngram[unit]]
        new = np.full(len(unit), -1, np.int64)
        kinds, word = kind[unit], units.word[unit]
        place = _ordinals(word)
        new[kinds == MASK] = self._corruptor.mask
        pool = self._corruptor.random_pieces
        anew = (kinds == RANDOM) | (kinds == FALLBACK)
        ordinal = _ordinals(units.ngram[unit])
        new[anew] = pool[below(seed[anew], _PIECE_DRAWS + ordinal[anew], len(pool))]
        if words:
            count = words.count(units.size)[unit]
            anew &= count > 0
            size, number = units.size[unit][anew], _WORD_DRAWS + units.ordinal[unit][anew]
            which = words.first[size] + below(seed[anew], number, count[anew])
            new[anew] = text.pieces[words.starts[which] + _ordinals(unit)[anew]]
        like = kinds == SIMILAR
        if like.any():
            nth = word[like] - ngrams.start[units.ngram[unit[like]]]
            share = (draw(seed[like], _CANDIDATE_DRAWS + nth) >> np.uint64(40)) * 2.0**-24
            similar, size = self._similar[word[like]], self._sizes[word[like]]
            new[like] = self._corruptor.lexicon.pick(similar, share, size, place[like])
        return Replaced(word, place, kinds, new, np.bincount(units.kind, minlength=len(KINDS)))


def _ordinals(groups: Array) -> Array:
    """The number of each row within its group; rows of a group are neighbours."""
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
