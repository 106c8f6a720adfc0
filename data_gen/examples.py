"""Instance -> example: brings where (masking) and what (corruption) together, and counts what was
done.
"""

import random
from typing import Dict, List, Optional, Sequence, Tuple

from data_gen.config import DataConfig
from data_gen.corruption import CANDIDATE_CHOICES, CORRUPTIONS, Corruptor, Draft, Similar, apply
from data_gen.masking import SELECTORS, Policy, Selection
from data_gen.pieces import Tokenizer
from data_gen.stats import DECILES, LENGTH_BINS, LONG_WORD, Counts
from data_gen.types import Example, Instance, Sentence, Span
from data_gen.wordclass import word_class

Pieces = Tuple[int, ...]


class Carry:
    """What the instances of a block leave to the next: lengths of n-grams and kinds of replacements
    that were drawn and found no place. Thrown away they would shift the shares of both.
    """

    def __init__(self) -> None:
        self.owed: Sequence[int] = ()
        self.kinds: Sequence[str] = ()


class Masker:
    """Masks instances as one configuration says."""

    def __init__(self, config: DataConfig, tokenizer: Tokenizer, similar: Similar) -> None:
        self._config = config
        self._tokenizer = tokenizer
        self._select = SELECTORS[config.masking.selector]
        self._classes: Dict[Pieces, str] = {}
        self._corruptor = Corruptor(
            shares=CORRUPTIONS[config.masking.corruption],
            unit=config.masking.corruption_unit,
            mask=tokenizer.mask,
            random_pieces=tokenizer.producible,
            similar=similar,
            choose=CANDIDATE_CHOICES[config.synonyms.choice],
            max_fallback=config.masking.max_fallback,
            cap=config.masking.fallback_cap,
            past_the_cap=config.masking.past_the_cap,
        )

    def begin_block(self, documents: Sequence[Sequence[Sentence]]) -> None:
        """Take random words from these documents where the settings ask for words."""
        if self._config.masking.random_unit == "word":
            self._corruptor = self._corruptor._replace(
                random_words=_words_by_size(documents, self._tokenizer.unk)
            )

    def __call__(
        self, instance: Instance, carry: Carry, rng: random.Random, counts: Counts
    ) -> Optional[Example]:
        """Mask one instance; every example predicts something, so one of [UNK] alone gives None."""
        config = self._config
        by_words = config.masking.budget_unit == "word"
        words = [word for sentence in instance.sentences for word in sentence]
        policy = Policy(
            budget=config.masked_lm_prob * len(words if by_words else instance.pieces),
            most=config.max_predictions_per_seq,
            ngram_weights=config.masking.ngram_weights,
            budget_unit=config.masking.budget_unit,
            over_budget=config.masking.over_budget,
            owed=carry.owed,
        )
        # Pieces to be masked, as far as that is known beforehand.
        expected = min(config.masked_lm_prob * len(instance.pieces), policy.most)
        draft = self._corruptor.begin(instance.pieces, expected, rng, carry.kinds)
        runs, skipped = self._runs(instance, config.masking.skip)
        selection = self._select(runs, policy, rng, draft.accept)
        carry.owed, carry.kinds = selection.owed, draft.kinds
        if not selection.ngrams:
            runs, _ = self._runs(instance, ())
            if not runs:
                counts["instances_of_unknown_pieces"] += 1
                return None
            counts["forced"] += 1
            selection, draft = self._forced(instance, runs, policy, rng)
        for reason in skipped:
            counts[f"never_masked/{reason}"] += 1
        positions = sorted(i for span, _, _ in draft.replacements for i in range(*span))
        self._count(instance, selection, draft, counts)
        return Example(
            pieces=tuple(apply(instance.pieces, draft.replacements)),
            a_stop=instance.a_stop,
            masked_positions=tuple(positions),
            masked_labels=tuple(instance.pieces[i] for i in positions),
            label=instance.label,
        )

    def _forced(
        self, instance: Instance, runs: List[List[Span]], policy: Policy, rng: random.Random
    ) -> Tuple[Selection, Draft]:
        """Where nothing may be masked: one word is, whatever its class and over the cap on
        fallbacks; a piece, where every word is longer than all predictions.
        """
        policy = Policy(budget=1.0, most=policy.most, ngram_weights=(1.0,))
        for selector in ("word", "piece"):
            draft = self._corruptor.begin(instance.pieces, 1.0, rng, capped=False)
            selection = SELECTORS[selector](runs, policy, rng, draft.accept)
            if selection.ngrams:
                break
        return selection, draft

    def _runs(self, instance: Instance, skip: Sequence[str]) -> Tuple[List[List[Span]], List[str]]:
        """The runs of words that n-grams are placed in: of a segment or of a sentence, without the
        words of the classes `skip` and without those that hold [UNK], which is nothing to predict.
        Also why each of the words left out is.
        """
        by_sentence = self._config.masking.ngram_within == "sentence"
        runs: List[List[Span]] = [[]]
        reasons = []
        in_b = False
        for words in instance.sentences:
            if by_sentence or (words[0].start >= instance.a_stop) != in_b:
                in_b = words[0].start >= instance.a_stop
                runs.append([])
            for word in words:
                reason = self._reason(instance.pieces[word.start : word.stop], skip)
                if reason:
                    reasons.append(reason)
                    runs.append([])
                else:
                    runs[-1].append(word)
        return [run for run in runs if run], reasons

    def _reason(self, pieces: Pieces, skip: Sequence[str]) -> Optional[str]:
        """Why a word is never masked; None for one that may be."""
        if self._tokenizer.unk in pieces:
            return "unknown"
        if not skip:
            return None
        known = self._classes.get(pieces)
        if known is None:
            known = self._classes[pieces] = word_class(self._tokenizer.text(pieces))
        return known if known in skip else None

    def _count(
        self, instance: Instance, selection: Selection, draft: Draft, counts: Counts
    ) -> None:
        length = len(instance.pieces)
        counts["instances"] += 1
        counts["label_1"] += instance.label
        counts["sequence_pieces"] += length
        counts["shortened_ngrams"] += selection.shortened
        counts["places_refused"] += draft.refused
        counts["kept_past_the_cap"] += draft.kept_past_the_cap
        counts[f"length_bin/{(length - 1) * LENGTH_BINS // self._config.max_seq_length}"] += 1
        words = [word for sentence in instance.sentences for word in sentence]
        counts["instance_words"] += len(words)
        if self._config.masking.selector != "piece":
            for word in words:
                counts[f"words_of_size/{min(word.size, LONG_WORD)}"] += 1
        ends = {sentence[-1].stop for sentence in instance.sentences}
        for ngram in selection.ngrams:
            counts[f"ngrams/{len(ngram)}"] += 1
            counts["ngrams_across_sentences"] += any(word.stop in ends for word in ngram[:-1])
            for word in ngram:
                counts[f"masked_of_size/{min(word.size, LONG_WORD)}"] += 1
        for kind in draft.drawn:
            counts[f"drawn/{kind}"] += 1
        for span, kind, _ in draft.replacements:
            counts[f"pieces/{kind}"] += span.size
            counts["masked_pieces"] += span.size
            for position in range(*span):
                counts[f"masked_in_decile/{position * DECILES // length}"] += 1
        for decile, maskable in _maskable_by_decile(length, instance.a_stop).items():
            counts[f"maskable_in_decile/{decile}"] += maskable


def _words_by_size(
    documents: Sequence[Sequence[Sentence]], unknown: int
) -> Dict[int, Sequence[Pieces]]:
    """Every different word of the documents by its number of pieces, in the order of the text."""
    words: Dict[int, Dict[Pieces, None]] = {}
    for document in documents:
        for sentence in document:
            for start, stop in sentence.words:
                pieces = sentence.pieces[start:stop]
                if unknown not in pieces:
                    words.setdefault(stop - start, {})[pieces] = None
    return {size: list(found) for size, found in words.items()}


def _maskable_by_decile(length: int, a_stop: int) -> Dict[int, int]:
    """Positions of a sequence by decile, without [CLS] and both [SEP]."""
    deciles = {
        d: -(-(d + 1) * length // DECILES) - -(-d * length // DECILES) for d in range(DECILES)
    }
    for special in (0, a_stop - 1, length - 1):
        deciles[special * DECILES // length] -= 1
    return deciles
