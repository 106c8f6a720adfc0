"""Documents -> examples: composes segmenter, tokenizer, pairs, masking and corruption. Pure: opens
no file.

The documents of one call are one *block*, the unit within which NSP draws strangers. All randomness
comes from the names of things: (seed, stage, document id, copy), never from the process that does
the work.
"""

import hashlib
import random
from functools import partial
from typing import Iterator, List, NamedTuple, Optional, Sequence

from data_gen.config import DataConfig
from data_gen.corruption import CORRUPTIONS, Similar
from data_gen.coverage import CoverageCounter
from data_gen.examples import Carry, Masker
from data_gen.pairs import PAIR_TASKS, PairContext, cut
from data_gen.sentences import SentenceMaker
from data_gen.stats import Counts, timed
from data_gen.types import Document, Example, Instance, Pair, Sentence, Span


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

    def __init__(self, config: DataConfig, make_sentences: SentenceMaker, similar: Similar) -> None:
        self.counts: Counts = Counts()
        self.make_sentences = make_sentences
        self.tokenizer = make_sentences.tokenizer
        self._config = config
        self._count_similar = CoverageCounter(similar, self.tokenizer)
        self._room = config.max_seq_length - 3  # [CLS] a [SEP] b [SEP]
        self._mask = Masker(config, self.tokenizer, similar)

    def take_counts(self) -> Counts:
        """What was counted since the last call."""
        counts, self.counts = self.counts, Counts()
        return counts

    def examples(self, documents: Sequence[Document]) -> List[Keyed]:
        """The examples of one block of documents, `dupe_factor` copies of each, in the documents'
        order.
        """
        tokenized = self._sentences(documents)
        filled = [sentences for sentences in tokenized if sentences]
        self._mask.begin_block(filled)
        carries = [Carry() for _ in range(self._config.dupe_factor)]
        with timed(self.counts, "pair and mask"):
            examples = [
                example
                for document, sentences in zip(documents, tokenized)
                for copy, carry in enumerate(carries)
                for example in self._copy(document.id, sentences, copy, carry, filled)
            ]
        self.counts["ngrams_given_up"] += sum(len(carry.owed) for carry in carries)
        return examples

    def _copy(
        self,
        name: str,
        sentences: List[Sentence],
        copy: int,
        carry: Carry,
        block: List[List[Sentence]],
    ) -> Iterator[Keyed]:
        seed, counts = self._config.random_seed, self.counts
        rng = rng_for(seed, "pair", name, copy)
        mask_rng = rng_for(seed, "mask", name, copy)
        stranger = partial(_stranger, block, sentences)
        marks = self.tokenizer.clause_marks
        context = PairContext(
            self._room, marks, stranger, self._config.pairs.split, self._config.pairs.swap_prob
        )
        task = PAIR_TASKS[self._config.pair_task]
        index = 0
        for chunk in cut(sentences, self._room, self._config.short_seq_prob, marks, rng):
            kept = False
            for pair in task(chunk, context, rng):
                example = self._mask(self._instance(pair), carry, mask_rng, counts)
                if example:
                    kept = True
                    yield Keyed(shuffle_key(seed, name, copy, index), example)
                index += 1
            if copy == 0 and kept:
                counts["pieces_kept"] += sum(len(sentence.pieces) for sentence in chunk)

    def _sentences(self, documents: Sequence[Document]) -> List[List[Sentence]]:
        grouped = self.make_sentences(documents, self.counts)
        for group in grouped:
            pieces = sum(len(sentence.pieces) for sentence in group)
            self.counts["ideal_sequences"] += -(-pieces // self._room)
            if pieces < 2:
                self.counts["skipped/one piece" if pieces else "skipped/no text"] += 1
        if CORRUPTIONS[self._config.masking.corruption].similar:
            with timed(self.counts, "count similar words"):
                self._count_similar(grouped, self.counts)
        return grouped

    def _instance(self, pair: Pair) -> Instance:
        pieces = [self.tokenizer.cls]
        sentences = []
        stops = []
        for segment in (pair.a, pair.b):
            for sentence in segment:
                offset = len(pieces)
                pieces.extend(sentence.pieces)
                sentences.append(
                    tuple(Span(start + offset, stop + offset) for start, stop in sentence.words)
                )
            pieces.append(self.tokenizer.sep)
            stops.append(len(pieces))
        self.counts[f"split_at/{pair.split_at}"] += 1
        return Instance(tuple(pieces), stops[0], tuple(sentences), pair.label)


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
