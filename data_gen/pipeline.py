"""Documents -> examples: composes segmenter, tokenizer, pairs, masking and corruption. Pure: opens
no file.

The documents of one call are one *block*, the unit within which NSP draws strangers. All randomness
comes from the names of things: (seed, stage, document id, copy), never from the process that does
the work.
"""

import hashlib
import random
from functools import partial
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen import masking
from data_gen.config import DataConfig
from data_gen.corruption import CANDIDATE_CHOICES, CORRUPTIONS, Corruptor, Similar, apply
from data_gen.masking import SELECTORS, Policy
from data_gen.pairs import PAIR_TASKS, PairContext, cut
from data_gen.segment import Segmenter, word_boundaries
from data_gen.stats import DECILES, LENGTH_BINS, Counts, timed
from data_gen.types import Document, Example, Instance, Pair, Replacement, Sentence, Span
from data_gen.wordpiece import WordPiece, piece_spans, word_spans


class Keyed(NamedTuple):
    """An example and its place in the global shuffle: a 64-bit hash of its name."""

    key: int
    example: Example


def rng_for(seed: int, *work: object) -> random.Random:
    """The generator of one named piece of work, whichever process does it.

    >>> rng_for(1, "mask", "doc-7", 0).random() == rng_for(1, "mask", "doc-7", 0).random()
    True
    """
    return random.Random("/".join(str(part) for part in (seed, *work)))


def shuffle_key(seed: int, *name: object) -> int:
    """Where the example of that name stands in the global order, in `[0, 2**64)`."""
    text = "/".join(str(part) for part in (seed, "shuffle", *name))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


class Pipeline:
    """The stages of one configuration, loaded once a process; `counts` grows with the work done."""

    def __init__(
        self, config: DataConfig, tokenizer: WordPiece, segmenter: Segmenter, similar: Similar
    ) -> None:
        self.counts: Counts = Counts()
        self.segmenter = segmenter
        self._config = config
        self._tokenizer = tokenizer
        self._similar = similar
        self._room = config.max_seq_length - 3  # [CLS] a [SEP] b [SEP]
        self._corruptor = Corruptor(
            shares=CORRUPTIONS[config.masking.corruption],
            unit=config.masking.corruption_unit,
            mask=tokenizer.mask,
            random_pieces=tokenizer.producible,
            similar=similar,
            choose=CANDIDATE_CHOICES[config.synonyms.choice],
            max_fallback=config.masking.max_fallback,
        )

    def take_counts(self) -> Counts:
        """What was counted since the last call."""
        counts, self.counts = self.counts, Counts()
        return counts

    def examples(self, documents: Sequence[Document]) -> List[Keyed]:
        """The examples of one block of documents, `dupe_factor` copies of each, in the documents'
        order.
        """
        tokenized = self._tokenize(documents)
        filled = [sentences for sentences in tokenized if sentences]
        with timed(self.counts, "pair and mask"):
            return [
                example
                for document, sentences in zip(documents, tokenized)
                for copy in range(self._config.dupe_factor)
                for example in self._copy(document.id, sentences, copy, filled)
            ]

    def _copy(
        self, name: str, sentences: List[Sentence], copy: int, block: List[List[Sentence]]
    ) -> Iterator[Keyed]:
        seed, counts = self._config.random_seed, self.counts
        rng = rng_for(seed, "pair", name, copy)
        mask_rng = rng_for(seed, "mask", name, copy)
        stranger = partial(_stranger, block, sentences)
        context = PairContext(self._room, self._tokenizer.clause_marks, stranger)
        task = PAIR_TASKS[self._config.pair_task]
        index = 0
        for chunk in cut(sentences, self._room, self._config.short_seq_prob, rng):
            pairs = task(chunk, context, rng)
            if copy == 0 and pairs:
                counts["pieces_kept"] += sum(len(sentence.pieces) for sentence in chunk)
            for pair in pairs:
                instance = self._instance(pair)
                yield Keyed(shuffle_key(seed, name, copy, index), self._example(instance, mask_rng))
                index += 1

    def _tokenize(self, documents: Sequence[Document]) -> List[List[Sentence]]:
        """The sentences of each document, segmented and tokenized in two batches for the whole
        block.
        """
        texts = [sentence for document in documents for sentence in document.sentences]
        with timed(self.counts, "segment"):
            boundaries = word_boundaries(self.segmenter, texts)
        with timed(self.counts, "tokenize"):
            encoded = self._tokenizer.encode(texts)
        with timed(self.counts, "align"):
            sentences = [
                self._sentence(pieces, offsets, marks)
                for (pieces, offsets), marks in zip(encoded, boundaries)
            ]
            remaining = iter(sentences)
            grouped = [
                [
                    sentence
                    for sentence in (next(remaining) for _ in document.sentences)
                    if sentence.pieces
                ]
                for document in documents
            ]
        counts = self.counts
        counts["documents"] += len(documents)
        counts["characters"] += sum(map(len, texts))
        for group in grouped:
            words = sum(len(sentence.words) for sentence in group)
            pieces = sum(len(sentence.pieces) for sentence in group)
            counts["sentences"] += len(group)
            counts["words"] += words
            counts["pieces"] += pieces
            counts["ideal_sequences"] += -(-pieces // self._room)
            if pieces < 2:
                counts["skipped/one piece" if pieces else "skipped/no text"] += 1
        return grouped

    def _sentence(
        self, pieces: List[int], offsets: Sequence[Tuple[int, int]], boundaries: Optional[List[int]]
    ) -> Sentence:
        self.counts["unknown_pieces"] += pieces.count(self._tokenizer.unk)
        if boundaries is None:
            self.counts["misaligned_sentences"] += 1
            return Sentence(tuple(pieces), piece_spans(len(pieces)))
        words = word_spans(offsets, boundaries)
        sentence = Sentence(tuple(pieces), words)
        if self._corruptor.shares.similar:
            self.counts["words_with_similar"] += sum(
                1 for word in words if self._similar(sentence.pieces[word.start : word.stop])
            )
        return sentence

    def _instance(self, pair: Pair) -> Instance:
        pieces = [self._tokenizer.cls]
        segments = []
        stops = []
        for segment in (pair.a, pair.b):
            words = []
            for sentence in segment:
                offset = len(pieces)
                pieces.extend(sentence.pieces)
                words += [Span(start + offset, stop + offset) for start, stop in sentence.words]
            pieces.append(self._tokenizer.sep)
            segments.append(tuple(words))
            stops.append(len(pieces))
        return Instance(tuple(pieces), stops[0], segments[0], segments[1], pair.label)

    def _example(self, instance: Instance, rng: random.Random) -> Example:
        config = self._config
        policy = Policy(
            budget=config.masked_lm_prob * len(instance.pieces),
            most=config.max_predictions_per_seq,
            ngram_weights=config.masking.ngram_weights,
        )
        segments = (instance.a_words, instance.b_words)
        select = SELECTORS[config.masking.selector]
        draft = self._corruptor.begin(instance.pieces, min(policy.budget, policy.most), rng)
        selection = select(segments, policy, rng, draft.accept)
        if not selection.ngrams:  # every example predicts something, if need be over the cap
            draft = self._corruptor.begin(instance.pieces, 1.0, rng, capped=False)
            selection = select(segments, policy._replace(budget=1.0), rng, draft.accept)
            self.counts["over_the_cap"] += 1
        positions = sorted(i for span, _, _ in draft.replacements for i in range(*span))
        self._count(instance, selection, draft.replacements, positions)
        self.counts["refused_for_fallback"] += draft.refused
        return Example(
            pieces=tuple(apply(instance.pieces, draft.replacements)),
            a_stop=instance.a_stop,
            masked_positions=tuple(positions),
            masked_labels=tuple(instance.pieces[i] for i in positions),
            label=instance.label,
        )

    def _count(
        self,
        instance: Instance,
        selection: masking.Selection,
        replacements: Sequence[Replacement],
        positions: Sequence[int],
    ) -> None:
        counts, length = self.counts, len(instance.pieces)
        counts["instances"] += 1
        counts["label_1"] += instance.label
        counts["sequence_pieces"] += length
        counts["masked_pieces"] += len(positions)
        counts["shortened_ngrams"] += selection.shortened
        counts[f"length_bin/{(length - 1) * LENGTH_BINS // self._config.max_seq_length}"] += 1
        for ngram in selection.ngrams:
            counts[f"ngrams/{len(ngram)}"] += 1
        for span, kind, _ in replacements:
            counts[f"draws/{kind}"] += 1  # of words or of pieces: masking.corruption_unit
            counts[f"pieces/{kind}"] += span.size
        for position in positions:
            counts[f"masked_in_decile/{position * DECILES // length}"] += 1
        for decile, maskable in _maskable_by_decile(length, instance.a_stop).items():
            counts[f"maskable_in_decile/{decile}"] += maskable


def _stranger(
    block: List[List[Sentence]], own: List[Sentence], rng: random.Random
) -> Optional[Sequence[Sentence]]:
    """A random document of the block that is not one's own; None where there is no other."""
    if len(block) < 2:
        return None
    while True:
        document = rng.choice(block)
        if document is not own:
            return document


def _maskable_by_decile(length: int, a_stop: int) -> Dict[int, int]:
    """Positions of a sequence by decile, without [CLS] and both [SEP]."""
    deciles = {
        d: -(-(d + 1) * length // DECILES) - -(-d * length // DECILES) for d in range(DECILES)
    }
    for special in (0, a_stop - 1, length - 1):
        deciles[special * DECILES // length] -= 1
    return deciles
