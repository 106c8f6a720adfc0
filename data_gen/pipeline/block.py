"""Documents -> examples: composes segmenter, tokenizer, pairs, masking and corruption. Pure: opens
no file.

The documents of one call are one *block*, the unit within which NSP draws strangers. All randomness
comes from the names of things: (seed, stage, document id, copy), never from the process that does
the work.
"""

from collections import Counter
from typing import NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.config import DataConfig
from data_gen.core.columns import Array, Examples, Instances, TokenizedBlock
from data_gen.core.counting import Counts, timed
from data_gen.core.documents import Document, WordBoundaries
from data_gen.masking.masker import Masker, MaskLimits
from data_gen.pairs.chunks import outline_of
from data_gen.pairs.instances import NamedPair, PairRules, as_instances, make_pairs
from data_gen.pairs.tasks import PAIR_TASKS
from data_gen.pipeline.tokenized_text import DocumentTokenizer
from data_gen.synonyms.lexicon import CANDIDATE_CHOICES, CandidateCache, CandidateSource


class KeyedExamples(NamedTuple):
    """Examples and their places in the global shuffle: 64-bit hashes of their names."""

    keys: Array  # uint64 [N]
    examples: Examples


class Pipeline:
    """The stages of one configuration, loaded once a process."""

    def __init__(
        self, config: DataConfig, tokenize_documents: DocumentTokenizer, similar: CandidateSource
    ) -> None:
        self.tokenize_documents = tokenize_documents
        tokenizer = tokenize_documents.tokenizer
        self._is_clause_mark = np.zeros(len(tokenizer.pieces), bool)
        self._is_clause_mark[list(tokenizer.clause_marks)] = True
        self._rules = PairRules(
            task=PAIR_TASKS[config.pair_task],
            split=config.pairs.split,
            swap_prob=config.pairs.swap_prob,
            room=config.max_seq_length - 3,  # [CLS] a [SEP] b [SEP]
            short_seq_prob=config.short_seq_prob,
            dupe_factor=config.dupe_factor,
            random_seed=config.random_seed,
        )
        self._mask = Masker(
            config.masking,
            MaskLimits(config.max_seq_length, config.predictions, config.masked_lm_prob),
            tokenizer,
            CandidateCache(similar, tokenizer, CANDIDATE_CHOICES[config.synonyms.choice]),
        )

    def examples(
        self, documents: Sequence[Document], marks: Optional[WordBoundaries] = None
    ) -> Tuple[KeyedExamples, Counts]:
        """Make the examples of one block of documents, `dupe_factor` copies of each, in the
        documents' order. `marks`: their words, where they are known.
        """
        text, counts = self.tokenize_documents(documents, marks)
        counts.update(self._count_documents(text))
        # A word of more than half a sequence (addresses, mostly) is taken apart, so that two words
        # always fit: into its runs, and a run that is still too long into pieces.
        for continues in (self.tokenize_documents.continues, None):
            long = np.flatnonzero(text.sizes > self._rules.room // 2)
            text = text.split_words(long, continues)
        with timed(counts, "pair"):
            outline = outline_of(text, self._rules.room, self._is_clause_mark)
            made = make_pairs(outline, [document.id for document in documents], self._rules)
            text, instances = as_instances(text, made)
        with timed(counts, "mask"):
            examples, masked = self._mask(text, instances)
        counts.update(masked)
        counts.update(_count_pairs(made, instances, examples))
        return KeyedExamples(instances.keys[examples.instances], examples), counts

    def _count_documents(self, text: TokenizedBlock) -> Counts:
        pieces = np.diff(text.words[text.sentences[text.documents]])
        return +Counts(  # without zeros
            {
                "ideal_sequences": int((-(-pieces // self._rules.room)).sum()),
                "skipped/one piece": int((pieces == 1).sum()),
                "skipped/no text": int((pieces == 0).sum()),
            }
        )


def _count_pairs(made: Sequence[NamedPair], instances: Instances, examples: Examples) -> Counts:
    """Count places of splits and labels; and of the examples of the first copies the pieces that
    are of their own document.
    """
    counts = Counts(label_1=int(examples.labels.sum()))
    for place, number in Counter(one.pair.split_at for one in made).items():
        counts[f"split_at/{place}"] = number
    numbers = examples.instances
    numbers = numbers[np.array([one.copy for one in made])[numbers] == 0]
    first, last = np.array([one.document for one in made]).reshape(-1, 2)[numbers].T
    for start, stop in (column[numbers].T for column in (instances.a, instances.b)):
        own = (first <= start) & (start < last)
        counts["pieces_kept"] += int((stop - start)[own].sum())
    return counts
