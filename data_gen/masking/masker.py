"""Instances -> examples: brings where (masking) and what (corruption) together, and counts what was
done.
"""

from typing import List, NamedTuple, Sequence, Tuple

import numpy as np

from data_gen.config import DataConfig
from data_gen.core.columns import Array, Examples, Instances, TokenizedBlock, offsets_of, ranges
from data_gen.core.counting import DECILES, LENGTH_BINS, LONG_WORD, Counts, count_numbers
from data_gen.core.random_draws import draw, uniform
from data_gen.masking.corruption import CORRUPTIONS, KINDS
from data_gen.masking.layout import Layout, lay_out, words_to_mask
from data_gen.masking.placement import MaskBudget, Ngrams
from data_gen.masking.replacement import CorruptionRules, ReplacementPlan, Streams
from data_gen.masking.selectors import SELECTORS, Select
from data_gen.masking.word_facts import WordFacts, WordFactsBuilder, piecewise
from data_gen.synonyms.lexicon import CANDIDATE_CHOICES, CandidateCache, CandidateSource
from data_gen.tokenization.tokenizer import Tokenizer

# Instances of a block that are masked at once: what finds no place in one such group is handed on
# to the next.
_GROUP = 512

_ROOM_DRAW, _STREAM_DRAW = 2, 3  # of an instance; masking has the first two


class _Carry(NamedTuple):
    """What a group of instances leaves to the next: lengths of n-grams that found no place, and
    kinds that were drawn for them.
    """

    owed: Sequence[int]
    streams: Streams


_NOTHING = _Carry((), Streams(np.zeros(0, np.uint64), np.zeros(0, np.int64)))


class _Masked(NamedTuple):
    """The masked pieces of several instances. Columns of M rows."""

    instance: Array
    position: Array
    piece: Array  # the new one, or -1 where the old one is kept
    kind: Array

    def sorted(self) -> "_Masked":
        """In the order of the sequences. What was forced stands at the end."""
        order = np.lexsort((self.position, self.instance))
        return _Masked(*(column[order] for column in self))


class Masker:
    """Masks the instances of a block as one configuration says."""

    def __init__(self, config: DataConfig, tokenizer: Tokenizer, similar: CandidateSource) -> None:
        self._config = config
        self._tokenizer = tokenizer
        self._corruptor = CorruptionRules(
            shares=CORRUPTIONS[config.masking.corruption],
            unit=config.masking.corruption_unit,
            mask=tokenizer.mask,
            random_pieces=np.array(tokenizer.reachable_ids),
            lexicon=CandidateCache(similar, tokenizer, CANDIDATE_CHOICES[config.synonyms.choice]),
            max_fallback=config.masking.max_fallback,
            cap=config.masking.fallback_cap,
            past_the_cap=config.masking.past_the_cap,
        )
        self._know = WordFactsBuilder(config.masking, tokenizer, self._corruptor)

    def __call__(self, text: TokenizedBlock, instances: Instances, counts: Counts) -> Examples:
        """Mask the instances of a text. Every example predicts something: an instance of [UNK]
        alone gives none.
        """
        if self._config.masking.selector == "piece":
            text = piecewise(text)
        words = self._know(text, counts)
        groups = []
        carry = _NOTHING
        for start in range(0, len(instances.keys), _GROUP):
            group = instances.where(slice(start, start + _GROUP))
            examples, carry = self._mask_group(words, group, carry, counts)
            groups.append(examples._replace(instances=start + examples.instances))
        counts["ngrams_given_up"] += len(carry.owed)
        return _joined(groups)

    def _mask_group(
        self, words: WordFacts, instances: Instances, carry: _Carry, counts: Counts
    ) -> Tuple[Examples, _Carry]:
        config = self._config
        layout = self._lay_out(words, instances)
        every_word = np.bincount(layout.instances, minlength=len(instances.keys))
        by_words = config.masking.budget_unit == "word"
        policy = MaskBudget(
            budget=config.masked_lm_prob * (every_word if by_words else layout.lengths),
            most=config.max_predictions_per_seq,
            ngram_weights=config.masking.ngram_weights,
            budget_unit=config.masking.budget_unit,
            over_budget=config.masking.over_budget,
            owed=carry.owed,
        )
        # Pieces to be masked, as far as that is known beforehand. The fraction of a fallback is
        # rounded up or down at random: short sequences are held to their share, not to less.
        expected = np.minimum(config.masked_lm_prob * layout.lengths, policy.most)
        room = config.masking.max_fallback * expected + uniform(instances.keys, _ROOM_DRAW)
        streams, waiting = _adopt(draw(instances.keys, _STREAM_DRAW), carry.streams)
        masking = _Masking(self._corruptor, words, layout, room.astype(np.int64), streams)
        within = config.masking.ngram_within == "sentence"
        select = SELECTORS[config.masking.selector]
        may_be = words.reasons == 0
        masked, owed = masking(select, policy, instances.keys, may_be, within, counts)
        known = layout.instances[~words.unknown[layout.words]]
        hopeless = np.bincount(known, minlength=len(instances.keys)) == 0
        rest = np.setdiff1d(np.flatnonzero(~hopeless), masked.instance)
        more = self._force(words, instances, rest, masking.draft, counts)
        self._count(words, layout, hopeless, counts)
        if more:
            masked = _Masked(*map(np.concatenate, zip(masked, *more))).sorted()
        count_masked(counts, masked, layout)
        examples = _examples(layout, masked, instances.labels, np.flatnonzero(~hopeless))
        left = Streams(*map(np.concatenate, zip(masking.draft.unused(), waiting)))
        return examples, _Carry(owed, left)

    def _lay_out(self, words: WordFacts, instances: Instances) -> Layout:
        return lay_out(words.text, instances, self._tokenizer.cls, self._tokenizer.sep)

    def _force(
        self,
        words: WordFacts,
        instances: Instances,
        rest: Array,
        draft: ReplacementPlan,
        counts: Counts,
    ) -> List[_Masked]:
        """Mask one word in the instances `rest`, where nothing may be masked, whatever its class
        and over the cap on fallbacks; or a piece, where every word is longer than all predictions.
        The kinds are those that were refused.
        """
        most = self._config.max_predictions_per_seq
        counts["forced"] += len(rest)
        forced = []
        while len(rest):
            some = instances.where(rest)
            layout = self._lay_out(words, some)
            policy = MaskBudget(np.ones(len(rest)), most, (1.0,))
            masking = _Masking(self._corruptor, words, layout, layout.lengths, draft.streams(rest))
            select = SELECTORS["word"]
            found, _ = masking(select, policy, some.keys, ~words.unknown, False, counts)
            draft.go_on(rest, masking.draft)
            forced.append(found._replace(instance=rest[found.instance]))
            rest = np.delete(rest, found.instance)
            words = self._know(piecewise(words.text), Counts()) if len(rest) else words
        return forced

    def _count(self, words: WordFacts, layout: Layout, hopeless: Array, counts: Counts) -> None:
        """Count the instances and the words in them; those without an example only as such."""
        lengths = layout.lengths[~hopeless]
        kept = layout.words[~hopeless[layout.instances]]
        counts["instances_of_unknown_pieces"] += int(hopeless.sum())
        counts["instances"] += len(lengths)
        counts["sequence_pieces"] += int(lengths.sum())
        counts["instance_words"] += len(kept)
        longest = self._config.max_seq_length
        count_numbers(counts, "length_bin", (lengths - 1) * LENGTH_BINS // longest)
        if self._config.masking.selector != "piece":
            sizes = words.text.sizes[kept]
            count_numbers(counts, "words_of_size", np.minimum(sizes, LONG_WORD))
        for number, reason in enumerate(self._know.reasons, 1):
            counts[f"never_masked/{reason}"] += int((words.reasons[kept] == number).sum())
        a_stops = layout.a_stops[~hopeless]
        for special in (0 * lengths, a_stops - 1, lengths - 1):
            count_numbers(counts, "maskable_in_decile", special * DECILES // lengths, -1)
        for decile in range(DECILES):
            stops = -(-(decile + 1) * lengths // DECILES)
            pieces = int((stops - -(-decile * lengths // DECILES)).sum())
            counts[f"maskable_in_decile/{decile}"] += pieces


def _adopt(seeds: Array, left: Streams) -> Tuple[Streams, Streams]:
    """Streams of kinds for instances: those that others left, then new ones. Also what is left over
    of those that others left.
    """
    count = min(len(seeds), len(left.seeds))
    fresh = Streams(seeds[count:], np.zeros(len(seeds) - count, np.int64))
    adopted = Streams(*(np.concatenate([old[:count], new]) for old, new in zip(left, fresh)))
    return adopted, Streams(*(column[count:] for column in left))


class _Masking:
    """Masks instances that are laid out."""

    draft: ReplacementPlan

    def __init__(
        self,
        corruptor: CorruptionRules,
        words: WordFacts,
        layout: Layout,
        room: Array,
        streams: Streams,
    ) -> None:
        """Begin; `room` is how many pieces may be fallbacks in each instance."""
        self._corruptor = corruptor
        self._words = words
        self._layout = layout
        self._room = room
        self._streams = streams

    def __call__(
        self,
        select: Select,
        policy: MaskBudget,
        seeds: Array,
        may_be: Array,
        by_sentence: bool,
        counts: Counts,
    ) -> Tuple[_Masked, Sequence[int]]:
        """Select n-grams of words that may be masked, and replace them; also what is owed."""
        text, layout = self._words.text, self._layout
        words, chosen = words_to_mask(text, layout, may_be, by_sentence)
        numbers = layout.words[chosen]
        similar = self._words.similar[numbers]
        draft = ReplacementPlan(self._corruptor, words.sizes, similar, self._room, self._streams)
        self.draft = draft
        selection = select(words, policy, seeds, draft)
        replaced = draft.replace(selection.ngrams, self._words.random, text)
        counts["shortened_ngrams"] += selection.shortened
        counts["places_refused"] += draft.refused
        counts["kept_past_the_cap"] += draft.kept_past_the_cap
        for kind, drawn in zip(KINDS, replaced.drawn.tolist()):
            if drawn:
                counts[f"drawn/{kind}"] += drawn
        self._count_ngrams(selection.ngrams, words.sizes, numbers, counts)
        word = chosen[replaced.word]
        position = layout.positions[word] + replaced.place
        return (
            _Masked(layout.instances[word], position, replaced.piece, replaced.kind),
            selection.owed,
        )

    def _count_ngrams(self, ngrams: Ngrams, sizes: Array, numbers: Array, counts: Counts) -> None:
        count_numbers(counts, "ngrams", ngrams.length)
        stops = ngrams.start + ngrams.length
        masked = ranges(ngrams.start, stops)
        count_numbers(counts, "masked_of_size", np.minimum(sizes[masked], LONG_WORD))
        ends = np.stack([numbers[ngrams.start], numbers[stops - 1]])
        sentences = np.searchsorted(self._words.text.sentences, ends, side="right")
        counts["ngrams_across_sentences"] += int((sentences[0] != sentences[1]).sum())


def count_masked(counts: Counts, masked: _Masked, layout: Layout) -> None:
    """Count masked pieces by kind and place."""
    for kind, pieces in zip(KINDS, np.bincount(masked.kind, minlength=len(KINDS)).tolist()):
        if pieces:
            counts[f"pieces/{kind}"] += pieces
    counts["masked_pieces"] += len(masked.kind)
    deciles = masked.position * DECILES // layout.lengths[masked.instance]
    count_numbers(counts, "masked_in_decile", deciles)


def _examples(layout: Layout, masked: _Masked, labels: Array, kept: Array) -> Examples:
    """Make the replacements, sorted as they are, in the sequences `kept`; there are none in
    others.
    """
    at = layout.rows[masked.instance] + masked.position
    corrupted = layout.pieces.copy()
    corrupted[at] = np.where(masked.piece < 0, corrupted[at], masked.piece)
    return Examples(
        instances=kept,
        pieces=corrupted[ranges(layout.rows[kept], layout.rows[kept + 1])],
        rows=offsets_of(layout.lengths[kept]),
        a_stops=layout.a_stops[kept],
        labels=labels[kept],
        masked_positions=masked.position,
        masked_labels=layout.pieces[at],
        masked_rows=offsets_of(np.bincount(masked.instance, minlength=len(labels))[kept]),
    )


def _joined(groups: Sequence[Examples]) -> Examples:
    """The examples of all groups. There may be no group."""
    none = np.zeros(0, np.int64)
    columns = dict(zip(Examples._fields, zip(*groups)))
    joined = {name: np.concatenate(columns.get(name, [none])) for name in Examples._fields}
    for name in ("rows", "masked_rows"):
        joined[name] = offsets_of(np.concatenate([none, *map(np.diff, columns.get(name, []))]))
    return Examples(**joined)
