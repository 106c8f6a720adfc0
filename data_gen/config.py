"""The settings of a build. Names are google-research/bert's where it has one; ours are grouped.

The presets in configs/data/ give every value its source.
"""

import math
from dataclasses import dataclass, field
from typing import List, Optional

from data_gen.corruption import CANDIDATE_CHOICES, CORRUPTION_UNITS, CORRUPTIONS
from data_gen.masking import SELECTORS
from data_gen.pairs import PAIR_TASKS
from data_gen.segment import SEGMENTERS
from data_gen.settings import require_one_of


@dataclass(frozen=True)
class SegmenterConfig:
    """Which engine makes the words."""

    name: str = "ltp"  # a name in segment.SEGMENTERS
    model: Optional[str] = None  # ltp: a folder with config.json, or a hub id (default LTP/legacy)

    def __post_init__(self) -> None:
        require_one_of("segmenter.name", self.name, list(SEGMENTERS))


@dataclass(frozen=True)
class MaskingConfig:
    """Where to mask, and what to put there."""

    selector: str = "ngram"  # a name in masking.SELECTORS
    # Shares of n = 1, 2, ...
    ngram_weights: List[float] = field(default_factory=lambda: [0.4, 0.3, 0.2, 0.1])
    corruption: str = "similar"  # a name in corruption.CORRUPTIONS
    corruption_unit: str = (
        "word"  # what one draw of [MASK] / similar / random / keep is for: a word or a piece
    )
    max_fallback: float = (
        0.1  # share of the masked pieces that may become random for want of a similar word
    )

    def __post_init__(self) -> None:
        require_one_of("masking.selector", self.selector, list(SELECTORS))
        require_one_of("masking.corruption", self.corruption, list(CORRUPTIONS))
        require_one_of("masking.corruption_unit", self.corruption_unit, CORRUPTION_UNITS)
        if self.corruption == "similar" and self.corruption_unit != "word":
            raise ValueError(
                "masking.corruption similar replaces whole words: set masking.corruption_unit=word"
            )
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


@dataclass(frozen=True)
class SynonymsConfig:
    """Where similar words come from."""

    table: Optional[str] = None  # a file of `python -m data_gen synonyms build`
    choice: str = (
        "uniform"  # which of a word's candidates: first, uniform or weighted by similarity
    )

    def __post_init__(self) -> None:
        require_one_of("synonyms.choice", self.choice, list(CANDIDATE_CHOICES))


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
    segmenter: SegmenterConfig = field(default_factory=SegmenterConfig)
    masking: MaskingConfig = field(default_factory=MaskingConfig)
    synonyms: SynonymsConfig = field(default_factory=SynonymsConfig)

    def __post_init__(self) -> None:
        require_one_of("pair_task", self.pair_task, list(PAIR_TASKS))
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
