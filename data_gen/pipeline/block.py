"""Documents -> examples: composes segmenter, tokenizer, pairs, masking and corruption. Pure: opens
no file.

The documents of one call are one *block*, the unit within which NSP draws strangers. All randomness
comes from the names of things: (seed, stage, document id, copy), never from the process that does
the work.
"""

from functools import partial
from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.config import DataConfig
from data_gen.core.columns import Array, Examples, Instances, Pair, TokenizedBlock
from data_gen.core.counting import Counts, timed
from data_gen.core.documents import Document
from data_gen.core.random_draws import Draws, draw, seed_for
from data_gen.masking.masker import Masker
from data_gen.pairs.chunks import Chunk, cut, outline_of
from data_gen.pairs.tasks import PAIR_TASKS, PairContext
from data_gen.pipeline.tokenized_text import DocumentTokenizer
from data_gen.synonyms.lexicon import CandidateSource


class KeyedExamples(NamedTuple):
    """Examples and their places in the global shuffle: 64-bit hashes of their names."""

    keys: Array  # uint64 [N]
    examples: Examples


class Pipeline:
    """The stages of one configuration, loaded once a process; `counts` grows with the work done."""

    def __init__(
        self, config: DataConfig, tokenize_documents: DocumentTokenizer, similar: CandidateSource
    ) -> None:
        self.counts: Counts = Counts()
        self.tokenize_documents = tokenize_documents
        self.tokenizer = tokenize_documents.tokenizer
        self._config = config
        self._room = config.max_seq_length - 3  # [CLS] a [SEP] b [SEP]
        self._mask = Masker(config, self.tokenizer, similar)

    def take_counts(self) -> Counts:
        """What was counted since the last call."""
        counts, self.counts = self.counts, Counts()
        return counts

    def examples(self, documents: Sequence[Document]) -> KeyedExamples:
        """The examples of one block of documents, `dupe_factor` copies of each, in the documents'
        order.
        """
        text = self._text(documents)
        with timed(self.counts, "pair"):
            made = self._pairs(text, [document.id for document in documents])
            text, instances = self._instances(text, made)
        with timed(self.counts, "mask"):
            examples = self._mask(text, instances, self.counts)
        self._count(made, examples)
        return KeyedExamples(instances.keys[examples.instances], examples)

    def _text(self, documents: Sequence[Document]) -> TokenizedBlock:
        text = self.tokenize_documents(documents, self.counts)
        for pieces in np.diff(text.words[text.sentences[text.documents]]).tolist():
            self.counts["ideal_sequences"] += -(-pieces // self._room)
            if pieces < 2:
                self.counts["skipped/one piece" if pieces else "skipped/no text"] += 1
        # Of a word of more than half a sequence (addresses, mostly) every piece is a word, so that
        # two words always fit.
        return text.split_words(np.flatnonzero(text.sizes > self._room // 2))

    def _pairs(self, text: TokenizedBlock, names: Sequence[str]) -> List["NamedPair"]:
        """The pairs of all copies of all documents."""
        config = self._config
        outline = outline_of(text, self._room, self.tokenizer.clause_marks)
        filled = [chunk for chunk in outline.documents if chunk[0] < chunk[1]]
        task = PAIR_TASKS[config.pair_task]
        made = []
        for name, document in zip(names, outline.documents):
            context = PairContext(
                outline,
                self._room,
                partial(_stranger, filled, document),
                config.pairs.split,
                config.pairs.swap_prob,
            )
            for copy in range(config.dupe_factor):
                seed = seed_for(config.random_seed, name, copy)
                rng = Draws(seed)
                chunks = cut(outline, document, self._room, config.short_seq_prob, rng)
                pairs = (pair for chunk in chunks for pair in task(chunk, context, rng))
                made += [NamedPair(pair, copy, seed, number) for number, pair in enumerate(pairs)]
        return made

    def _instances(
        self, text: TokenizedBlock, made: Sequence["NamedPair"]
    ) -> Tuple[TokenizedBlock, Instances]:
        """The pairs as columns; a word that was split between its pieces is no word any more."""
        pairs = [one.pair for one in made]
        inner = [min(pair.a, pair.b)[0] for pair in pairs if pair.split_at == "piece"]
        text = text.split_words(np.unique(np.searchsorted(text.words, inner)))
        seeds = np.array([one.seed for one in made], np.uint64)
        numbers = np.array([one.number for one in made], np.uint64)
        return text, Instances(
            np.array([pair.a for pair in pairs], np.int64).reshape(-1, 2),
            np.array([pair.b for pair in pairs], np.int64).reshape(-1, 2),
            np.array([pair.label for pair in pairs], np.int64),
            draw(draw(seeds, _KEYS), numbers),
        )

    def _count(self, made: Sequence["NamedPair"], examples: Examples) -> None:
        for one in made:
            self.counts[f"split_at/{one.pair.split_at}"] += 1
        self.counts["label_1"] += int(examples.labels.sum())
        for number in examples.instances.tolist():
            pair, copy = made[number][:2]
            if copy == 0:
                stranger = self._config.pair_task == "nsp" and pair.label
                own = (pair.a,) if stranger else (pair.a, pair.b)
                self.counts["pieces_kept"] += sum(stop - start for start, stop in own)


class NamedPair(NamedTuple):
    """A pair and its name."""

    pair: Pair
    copy: int
    seed: int  # of that copy of its document
    number: int  # in that copy


_KEYS = 1 << 32  # the draw of a document's seed that keys are made from, beyond those of its pairs


def _stranger(filled: Sequence[Chunk], own: Chunk, rng: Draws) -> Optional[Chunk]:
    """A random document of the block that is not one's own; None where there is no other."""
    if len(filled) < 2:
        return None
    while True:
        document = filled[rng.randrange(len(filled))]
        if document != own:
            return document
