"""The settings of a build. Names are google-research/bert's where it has one; ours are grouped.

The presets in configs/data/ give every value its source.
"""

import math
from dataclasses import dataclass, field
from typing import List, Optional

from data_gen.alike import ALIKE
from data_gen.corruption import (
    CANDIDATE_CHOICES,
    CORRUPTION_UNITS,
    CORRUPTIONS,
    FALLBACK_CAPS,
    OTHER_LENGTHS,
    PAST_THE_CAP,
    RANDOM_UNITS,
)
from data_gen.features import COMPRESSIONS
from data_gen.formats import SETTINGS as FORMAT_SETTINGS
from data_gen.masking import BUDGET_UNITS, NGRAM_WITHIN, OVER_BUDGET, SELECTORS
from data_gen.pairs import PAIR_TASKS, SPLITS
from data_gen.segment import SegmenterConfig
from data_gen.settings import require_one_of
from data_gen.tokenizer import TOKENIZERS
from data_gen.wordclass import CLASSES


@dataclass(frozen=True)
class TokenizerConfig:
    """Which engine makes the pieces; the top level's `vocab_file` lists them for every engine."""

    name: str = "wordpiece"  # a name in tokenizer.TOKENIZERS
    model: Optional[str] = None  # sentencepiece: a .model file

    def __post_init__(self) -> None:
        require_one_of("tokenizer.name", self.name, list(TOKENIZERS))


@dataclass(frozen=True)
class CorpusConfig:
    """What form the input files have, and what is done to their text: by default nothing."""

    format: str = "auto"  # a name in formats.FORMATS; auto: by suffix, .jsonl .ndjson, else text
    field: str = "text"  # jsonl: the field that holds the document
    width: bool = False  # full-width letters, digits and ASCII symbols to half width
    quotes: bool = False  # curly quotes to the straight ones of Google's vocabulary
    opencc: Optional[str] = None  # a configuration of OpenCC, such as t2s
    drop_duplicates: bool = False  # documents of equal text after the first

    def __post_init__(self) -> None:
        require_one_of("corpus.format", self.format, FORMAT_SETTINGS)


@dataclass(frozen=True)
class MaskingConfig:
    """Where to mask, and what to put there."""

    selector: str = "ngram"  # a name in masking.SELECTORS
    # Shares of n = 1, 2, ...
    ngram_weights: List[float] = field(default_factory=lambda: [0.4, 0.3, 0.2, 0.1])
    # What an n-gram may not cross the end of: segment (A, B) or sentence.
    ngram_within: str = "segment"
    # Classes of words that are never masked: punctuation, number, latin, single (one character).
    skip: List[str] = field(default_factory=list)
    budget_unit: str = "piece"  # what masked_lm_prob is a share of: piece or word
    over_budget: str = "keep"  # the n-gram that would exceed the budget: keep or shorten
    corruption: str = "similar"  # a name in corruption.CORRUPTIONS
    # What one draw of [MASK] / similar / random / keep is for: an ngram, a word or a piece.
    corruption_unit: str = "word"
    # What a random replacement is: random pieces, or a random word of as many pieces.
    random_unit: str = "piece"
    # Share of the masked pieces that may become random for want of a similar word.
    max_fallback: float = 0.1
    fallback_cap: str = "fallback"  # what that share limits: fallback, or all_random
    past_the_cap: str = "elsewhere"  # what happens past it: mask elsewhere, or keep the word

    def __post_init__(self) -> None:
        for name, known in _MASKING_CHOICES.items():
            require_one_of(f"masking.{name}", getattr(self, name), known)
        for word_class in self.skip:
            require_one_of("masking.skip", word_class, CLASSES[:-1])
        weights = self.ngram_weights
        finite = all(math.isfinite(weight) for weight in weights)
        if not weights or not finite or min(weights) < 0 or sum(weights) <= 0:
            raise ValueError(
                "masking.ngram_weights must be shares of n = 1, 2, ...: none negative, one above 0"
            )
        if not 0 <= self.max_fallback <= 1:
            raise ValueError(
                f"masking.max_fallback must be between 0 and 1, not {self.max_fallback}"
            )


_MASKING_CHOICES = {
    "selector": list(SELECTORS),
    "ngram_within": NGRAM_WITHIN,
    "budget_unit": BUDGET_UNITS,
    "over_budget": OVER_BUDGET,
    "corruption": list(CORRUPTIONS),
    "corruption_unit": CORRUPTION_UNITS,
    "random_unit": RANDOM_UNITS,
    "fallback_cap": FALLBACK_CAPS,
    "past_the_cap": PAST_THE_CAP,
}


@dataclass(frozen=True)
class PairsConfig:
    """How sequences are split in two."""

    split: str = "random"  # at a random sentence end, or at the one nearest to the middle
    swap_prob: float = 0.5  # of SOP

    def __post_init__(self) -> None:
        require_one_of("pairs.split", self.split, SPLITS)
        if not 0 <= self.swap_prob <= 1:
            raise ValueError(f"pairs.swap_prob must be between 0 and 1, not {self.swap_prob}")


@dataclass(frozen=True)
class Word2VecConfig:
    """How word vectors are learned from one's own text, by gensim."""

    algorithm: str = "cbow"  # or skipgram
    vector_size: int = 100
    window: int = 5  # words to each side
    epochs: Optional[int] = None  # null: 10, of less than 4 million words up to 40
    negative: int = 5  # noise words a word
    sample: float = 0.001  # how common a word must be to be passed over now and then
    min_count: int = 2  # words that are rarer have no vector
    # Words that are rarer replace no other, unless among the 1,000 most frequent of their size.
    candidate_min_count: int = 20
    max_words: int = 1_000_000  # the most frequent ones
    threads: int = 1  # with more, no two runs give the same vectors

    def __post_init__(self) -> None:
        require_one_of("synonyms.word2vec.algorithm", self.algorithm, ["cbow", "skipgram"])
        for name in (
            *("vector_size", "window", "negative", "min_count"),
            *("candidate_min_count", "max_words", "threads"),
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"synonyms.word2vec.{name} must be at least 1")
        if not 0 <= self.sample < 1:
            raise ValueError("synonyms.word2vec.sample must be at least 0 and below 1")
        if self.epochs is not None and self.epochs < 1:
            raise ValueError("synonyms.word2vec.epochs must be at least 1, or null")


@dataclass(frozen=True)
class SynonymsConfig:
    """Where similar words come from, and which of them are taken."""

    # A file of `python -m data_gen synonyms build`; without one the build makes it, from the
    # toolkit's vectors and its own text.
    table: Optional[str] = None
    # Which of a word's candidates: first, uniform or weighted by similarity.
    choice: str = "uniform"
    # Neighbours of another number of pieces: pass over them to the next (skip), or let a word
    # whose nearest neighbour is one have no similar word (strict). Of the toolkit's vectors:
    # those of other sources are searched for words of the same number alone.
    other_lengths: str = "skip"
    min_similarity: float = 0.0  # cosine below which a neighbour is no candidate
    # In what a word's candidates must be like it, where any is: script, part_of_speech.
    alike: List[str] = field(default_factory=lambda: ["script"])
    traditional: bool = True  # look traditional words up as simplified ones, by OpenCC
    word2vec: Word2VecConfig = field(default_factory=Word2VecConfig)

    def __post_init__(self) -> None:
        require_one_of("synonyms.choice", self.choice, list(CANDIDATE_CHOICES))
        require_one_of("synonyms.other_lengths", self.other_lengths, OTHER_LENGTHS)
        for name in self.alike:
            require_one_of("synonyms.alike", name, list(ALIKE))
        if not -1 <= self.min_similarity <= 1:
            raise ValueError(
                f"synonyms.min_similarity must be between -1 and 1, not {self.min_similarity}"
            )


@dataclass(frozen=True)
class DataConfig:
    """Everything that decides what a build writes."""

    vocab_file: str = "configs/vocab/bert_base_chinese.txt"
    do_lower_case: bool = True
    max_seq_length: int = 512  # pieces, [CLS] and both [SEP] included
    max_predictions_per_seq: int = 84
    masked_lm_prob: float = 0.15  # masked pieces / pieces of the sequence, specials counted
    dupe_factor: int = 1  # copies of every document, each masked anew
    short_seq_prob: float = 0.0  # share of the sequences that are cut at a random shorter length
    random_seed: int = 12345
    pair_task: str = "sop"  # a name in pairs.PAIR_TASKS
    num_shards: int = 16
    compression: str = "none"  # of the shards: a name in features.COMPRESSIONS
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    segmenter: SegmenterConfig = field(default_factory=SegmenterConfig)
    masking: MaskingConfig = field(default_factory=MaskingConfig)
    pairs: PairsConfig = field(default_factory=PairsConfig)
    synonyms: SynonymsConfig = field(default_factory=SynonymsConfig)

    def __post_init__(self) -> None:
        require_one_of("pair_task", self.pair_task, list(PAIR_TASKS))
        require_one_of("compression", self.compression, list(COMPRESSIONS))
        if self.pair_task == "nsp" and self.max_seq_length < 32:
            raise ValueError(
                f"max_seq_length {self.max_seq_length} leaves no room for random next sentences: "
                "nsp needs at least 32"
            )
        if self.num_shards > 1_000_000:
            raise ValueError(f"num_shards must be at most 1,000,000, not {self.num_shards}")
        if self.max_seq_length < 8:
            raise ValueError(f"max_seq_length must be at least 8, not {self.max_seq_length}")
        if not 0 < self.masked_lm_prob < 1:
            raise ValueError(f"masked_lm_prob must be between 0 and 1, not {self.masked_lm_prob}")
        if not 0 <= self.short_seq_prob <= 1:
            raise ValueError(f"short_seq_prob must be between 0 and 1, not {self.short_seq_prob}")
        for name in ("max_predictions_per_seq", "dupe_factor", "num_shards"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        needed = math.ceil(self.masked_lm_prob * self.max_seq_length)
        if not needed <= self.max_predictions_per_seq <= self.max_seq_length:
            raise ValueError(
                f"max_predictions_per_seq is {self.max_predictions_per_seq}, but masking "
                f"{self.masked_lm_prob} of {self.max_seq_length} pieces takes {needed} and some to "
                f"spare: {min(needed + needed // 10 + 4, self.max_seq_length)} works"
            )
