"""Instances -> examples: brings where (selectors) and what (replacement) together, and counts what
was done.
"""

from typing import Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from data_gen.core.columns import (
    Array,
    Examples,
    Instances,
    TokenizedBlock,
    offsets_of,
    ranges,
)
from data_gen.core.counting import DECILES, LENGTH_BINS, LONG_WORD, Counts, numbers_of
from data_gen.core.random_draws import uniform
from data_gen.masking.config import MaskingConfig
from data_gen.masking.corruption import CORRUPTIONS, KINDS
from data_gen.masking.layout import Layout, lay_out, words_to_mask
from data_gen.masking.placement import MaskBudget
from data_gen.masking.replacement import CorruptionRules, Replacer
from data_gen.masking.selectors import SELECTORS, Selection, Selector
from data_gen.masking.word_facts import WordFacts, WordFactsBuilder, piecewise
from data_gen.synonyms.lexicon import CandidateCache
from data_gen.tokenization.tokenizer import Tokenizer

# Pieces of a block's instances that are masked at once: bounds the memory. It decides no byte.
_GROUP_PIECES = 1 << 19

_ROOM_DRAW = 2  # of an instance; placing has the first two


class MaskLimits(NamedTuple):
    """The sizes of a masked sequence, by google-research/bert's names."""

    max_seq_length: int
    max_predictions_per_seq: int
    masked_lm_prob: float


class Masked(NamedTuple):
    """The masked pieces of several instances. Columns of M rows."""

    instance: Array
    position: Array
    piece: Array  # the new one, or -1 where the old one is kept
    kind: Array

    def sorted(self) -> "Masked":
        """Put them in the order of the sequences."""
        order = np.lexsort((self.position, self.instance))
        return Masked(*(column[order] for column in self))


class GroupResult(NamedTuple):
    """The masked pieces of a group of instances, and what was counted."""

    masked: Masked
    counts: Counts


class Masker:
    """Masks the instances of a block as one configuration says."""

    def __init__(
        self,
        config: MaskingConfig,
        limits: MaskLimits,
        tokenizer: Tokenizer,
        candidates: CandidateCache,
    ) -> None:
        self._config, self._limits, self._tokenizer = config, limits, tokenizer
        self._selector = SELECTORS[config.selector]
        self._rules = CorruptionRules(
            shares=CORRUPTIONS[config.corruption],
            unit=config.corruption_unit,
            mask=tokenizer.mask,
            random_pieces=np.array(tokenizer.reachable_ids),
            candidates=candidates,
            cap=config.fallback_cap,
        )
        self._facts = WordFactsBuilder(config, tokenizer, self._rules)

    def __call__(self, text: TokenizedBlock, instances: Instances) -> Tuple[Examples, Counts]:
        """Mask the instances of a text. Every example predicts something: an instance of [UNK]
        alone gives none.
        """
        self._rules.candidates.trim()
        words = self._facts(piecewise(text) if self._selector.by_piece else text)
        counts = self._facts.count(words)
        groups = []
        for start, stop in _groups(instances):
            examples, of_group = self._mask_group(words, instances.where(slice(start, stop)))
            groups.append(examples._replace(instances=start + examples.instances))
            counts.update(of_group)
        return _joined(groups), counts

    def _mask_group(self, words: WordFacts, instances: Instances) -> Tuple[Examples, Counts]:
        layout = self._lay_out(words, instances)
        unknown = layout.instances[np.flatnonzero(words.unknown[layout.words])]
        all_unknown = np.bincount(unknown, minlength=len(instances.keys)) == layout.counts
        if all_unknown.any():
            kept = np.flatnonzero(~all_unknown)
            examples, counts = self._mask_group(words, instances.where(kept))
            counts["instances_of_unknown_pieces"] += len(instances.keys) - len(kept)
            return examples._replace(instances=kept[examples.instances]), counts
        budget = self._budget(layout, instances)
        may_be = words.reasons == 0
        masked, counts = self._mask(words, layout, instances, self._selector, budget, may_be)
        is_unmasked = np.ones(len(instances.keys), bool)
        is_unmasked[masked.instance] = False
        unmasked = np.flatnonzero(is_unmasked)
        counts["forced"] += len(unmasked)
        forced = self._mask_at_least_one(words, instances, unmasked)
        for result in forced:
            counts.update(result.counts)
        if forced:
            every = (masked, *(result.masked for result in forced))
            masked = Masked(*map(np.concatenate, zip(*every))).sorted()
        longest, reasons = self._limits.max_seq_length, self._facts.reasons
        by_piece = self._selector.by_piece
        counts.update(_count_instances(words, layout, longest, reasons, by_piece))
        counts.update(count_masked(masked, layout))
        return _examples(layout, masked, instances.labels), counts

    def _lay_out(self, words: WordFacts, instances: Instances) -> Layout:
        return lay_out(words.text, instances, self._tokenizer.cls, self._tokenizer.sep)

    def _budget(self, layout: Layout, instances: Instances) -> MaskBudget:
        config, share = self._config, self._limits.masked_lm_prob
        # Pieces to be masked, as far as that is known beforehand. The fraction of a fallback is
        # rounded up or down at random: short sequences are held to their share, not to less.
        expected = np.minimum(share * layout.lengths, self._limits.max_predictions_per_seq)
        fallbacks = config.max_fallback * expected + uniform(instances.keys, _ROOM_DRAW)
        return MaskBudget(
            budget=share * (layout.counts if config.budget_unit == "word" else layout.lengths),
            most=self._limits.max_predictions_per_seq,
            ngram_weights=config.ngram_weights,
            fallbacks=fallbacks.astype(np.int64),
            scarce=np.zeros(len(instances.keys), bool),
            budget_unit=config.budget_unit,
            over_budget=config.over_budget,
            past_the_cap=config.past_the_cap,
        )

    def _mask(
        self,
        words: WordFacts,
        layout: Layout,
        instances: Instances,
        selector: Selector,
        budget: MaskBudget,
        may_be: Array,
    ) -> GroupResult:
        """Select n-grams of words that may be masked, and replace them."""
        by_sentence = self._config.ngram_within == "sentence"
        maskable, chosen = words_to_mask(words.text, layout, may_be, by_sentence)
        numbers = layout.words[chosen]
        replacer = Replacer(self._rules, maskable.sizes, words.similar[numbers])
        scarce = replacer.expected_share(maskable.instances) > self._config.max_fallback
        # Where the average is within the cap nothing is refused: two pieces of a short sequence
        # would keep a word of five that has no similar one from being masked.
        fallbacks = np.where(scarce, budget.fallbacks, layout.lengths)
        budget = budget._replace(scarce=scarce, fallbacks=fallbacks)
        selection = selector.select(maskable, budget, instances.keys, replacer.cap_cost)
        replaced = replacer.replace(
            selection.ngrams, selection.past_the_cap, words.random, words.text
        )
        word = chosen[replaced.word]
        masked = Masked(
            layout.instances[word],
            layout.positions[word] + replaced.place,
            replaced.piece,
            replaced.kind,
        )
        counts = _count_ngrams(words.text, selection, maskable.sizes, numbers)
        counts.update(_by_kind("drawn", replaced.drawn))
        past = selection.ngrams.where(selection.past_the_cap)
        counts["kept_past_the_cap"] += int(replacer.cap_cost(past).fallback.sum())
        return GroupResult(masked, counts)

    def _mask_at_least_one(
        self, words: WordFacts, instances: Instances, unmasked: Array
    ) -> List[GroupResult]:
        """Mask one word in each of the instances `unmasked`, where nothing may be masked, whatever
        its class and over the cap on fallbacks; or a piece, where every word is longer than all
        predictions. The kinds are those that were refused: they come from the same seeds.
        """
        results = []
        while len(unmasked):
            some = instances.where(unmasked)
            layout = self._lay_out(words, some)
            budget = MaskBudget(
                budget=np.ones(len(unmasked)),
                most=self._limits.max_predictions_per_seq,
                ngram_weights=(1.0,),
                fallbacks=layout.lengths,
                scarce=np.zeros(len(unmasked), bool),
            )
            masked, counts = self._mask(
                words, layout, some, SELECTORS["word"], budget, ~words.unknown
            )
            found = masked._replace(instance=unmasked[masked.instance])
            results.append(GroupResult(found, counts))
            unmasked = np.delete(unmasked, masked.instance)
            words = self._facts(piecewise(words.text)) if len(unmasked) else words
        return results


def _groups(instances: Instances) -> Iterator[Tuple[int, int]]:
    """Cut instances into ranges of some `_GROUP_PIECES` pieces."""
    pieces = np.diff(instances.a).ravel() + np.diff(instances.b).ravel()
    group = (np.cumsum(pieces) - pieces) // _GROUP_PIECES
    starts = np.flatnonzero(np.diff(group, prepend=-1)).tolist()
    return zip(starts, [*starts[1:], len(group)])


def _count_instances(
    words: WordFacts,
    layout: Layout,
    max_seq_length: int,
    reasons: Sequence[str],
    by_piece: bool,
) -> Counts:
    """Count the instances and the words in them.

    reasons: the names of the numbers in `words.reasons`
    """
    lengths = layout.lengths
    counts = Counts(
        instances=len(lengths),
        sequence_pieces=int(lengths.sum()),
        instance_words=len(layout.words),
    )
    counts.update(numbers_of("length_bin", (lengths - 1) * LENGTH_BINS // max_seq_length))
    if not by_piece:
        sizes = words.text.sizes[layout.words]
        counts.update(numbers_of("words_of_size", np.minimum(sizes, LONG_WORD)))
    for number, reason in enumerate(reasons, 1):
        counts[f"never_masked/{reason}"] += int((words.reasons[layout.words] == number).sum())
    counts.update(_count_maskable(lengths, layout.a_stops))
    return counts


def _count_maskable(lengths: Array, a_stops: Array) -> Counts:
    """Count the pieces in each tenth of the sequences, but for [CLS] and both [SEP]."""
    counts = Counts()
    for special in (0 * lengths, a_stops - 1, lengths - 1):
        counts.update(numbers_of("maskable_in_decile", special * DECILES // lengths, -1))
    for decile in range(DECILES):
        stops = -(-(decile + 1) * lengths // DECILES)
        pieces = int((stops - -(-decile * lengths // DECILES)).sum())
        counts[f"maskable_in_decile/{decile}"] += pieces
    return counts


def _count_ngrams(
    text: TokenizedBlock, selection: Selection, sizes: Array, numbers: Array
) -> Counts:
    ngrams = selection.ngrams
    stops = ngrams.start + ngrams.length
    masked = ranges(ngrams.start, stops)
    sentence = np.repeat(np.arange(len(text.sentences) - 1), np.diff(text.sentences))
    first, last = sentence[numbers[ngrams.start]], sentence[numbers[stops - 1]]
    counts = Counts(
        shortened_ngrams=selection.shortened,
        refused_ngrams=selection.refused,
        ngrams_across_sentences=int((first != last).sum()),
    )
    counts.update(numbers_of("ngrams", ngrams.length))
    counts.update(numbers_of("masked_of_size", np.minimum(sizes[masked], LONG_WORD)))
    return counts


def _by_kind(group: str, numbers: Array) -> Counts:
    """Name how many there are of each kind."""
    return Counts({f"{group}/{kind}": n for kind, n in zip(KINDS, numbers.tolist()) if n})


def count_masked(masked: Masked, layout: Layout) -> Counts:
    """Count masked pieces by kind and place, and those that stay the same: kept ones, and those
    that a replacement has in common with the word.
    """
    old = layout.pieces[layout.rows[masked.instance] + masked.position]
    same = masked.kind[(masked.piece < 0) | (masked.piece == old)]
    counts = Counts(masked_pieces=len(masked.kind))
    counts.update(_by_kind("pieces", np.bincount(masked.kind, minlength=len(KINDS))))
    counts.update(_by_kind("unchanged", np.bincount(same, minlength=len(KINDS))))
    deciles = masked.position * DECILES // layout.lengths[masked.instance]
    counts.update(numbers_of("masked_in_decile", deciles))
    return counts


def _examples(layout: Layout, masked: Masked, labels: Array) -> Examples:
    """Make the replacements, sorted as they are."""
    at = layout.rows[masked.instance] + masked.position
    corrupted = layout.pieces.copy()
    corrupted[at] = np.where(masked.piece < 0, corrupted[at], masked.piece)
    return Examples(
        instances=np.arange(len(labels)),
        pieces=corrupted,
        rows=layout.rows,
        a_stops=layout.a_stops,
        labels=labels,
        masked_positions=masked.position,
        masked_labels=layout.pieces[at],
        masked_rows=offsets_of(np.bincount(masked.instance, minlength=len(labels))),
    )


def _joined(groups: Sequence[Examples]) -> Examples:
    """Join the examples of all groups. There may be no group."""
    none = np.zeros(0, np.int64)
    columns = dict(zip(Examples._fields, zip(*groups)))
    joined = {name: np.concatenate(columns.get(name, [none])) for name in Examples._fields}
    for name in ("rows", "masked_rows"):
        joined[name] = offsets_of(np.concatenate([none, *map(np.diff, columns.get(name, []))]))
    return Examples(**joined)
