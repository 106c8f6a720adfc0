"""The settings of a build. Names are google-research/bert's where it has one; ours are grouped.

The presets in configs/data/ give every value its source.
"""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Dict, Optional

from data_gen.corpus.config import CorpusConfig
from data_gen.masking.config import MaskingConfig
from data_gen.pairs.config import PairsConfig
from data_gen.pairs.tasks import PAIR_TASKS
from data_gen.segmentation.segmenters import SegmenterConfig
from data_gen.shared.bounds import require_between
from data_gen.shared.dataset.dataset_info import LONGEST
from data_gen.shared.dataset.features import COMPRESSIONS, predictions_for
from data_gen.shared.settings import file_setting, require_one_of
from data_gen.synonyms.config import SynonymsConfig
from data_gen.tokenization.tokenizers import TokenizerConfig

_MOST_COPIES, _MOST_SHARDS = 10_000, 1_000_000
_LARGEST_SEED = 2**32 - 1  # that all packages take


@dataclass(frozen=True)
class DataConfig:
    """Everything that decides what a build writes."""

    PRESETS: ClassVar[str] = "data"  # the folder of configs/

    # The pieces, one a line; the line is the id.
    vocab_file: str = file_setting("configs/vocab/bert_base_chinese.txt", "vocab")
    do_lower_case: bool = True  # also strip accents; the same for all data of a vocabulary
    max_seq_length: int = 512  # pieces, [CLS] and both [SEP] included
    # Slots for predictions; null: as many as the length and the masked share take.
    max_predictions_per_seq: Optional[int] = None
    masked_lm_prob: float = 0.15  # masked pieces / pieces of the sequence, specials counted
    dupe_factor: int = 1  # copies of every document, each masked anew
    short_seq_prob: float = 0.0  # share of the sequences that are cut at a random shorter length
    random_seed: int = 12345  # of every random choice
    pair_task: str = "sop"  # what pairs of texts teach: a name in pairs.tasks.PAIR_TASKS
    num_shards: int = 16  # files of the output
    compression: str = "none"  # of the shards; a name in features.COMPRESSIONS
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    segmenter: SegmenterConfig = field(default_factory=SegmenterConfig)
    masking: MaskingConfig = field(default_factory=MaskingConfig)
    pairs: PairsConfig = field(default_factory=PairsConfig)
    synonyms: SynonymsConfig = field(default_factory=SynonymsConfig)

    def __post_init__(self) -> None:
        require_one_of("pair_task", self.pair_task, list(PAIR_TASKS))
        require_one_of("compression", self.compression, list(COMPRESSIONS))
        shortest = PAIR_TASKS[self.pair_task].shortest
        if self.max_seq_length < shortest:
            raise ValueError(
                f"max_seq_length must be at least {shortest} for pair_task={self.pair_task}, not "
                f"{self.max_seq_length}"
            )
        if not 0 < self.masked_lm_prob < 1:
            raise ValueError(f"masked_lm_prob must be between 0 and 1, not {self.masked_lm_prob}")
        if not 0 <= self.short_seq_prob <= 1:
            raise ValueError(f"short_seq_prob must be between 0 and 1, not {self.short_seq_prob}")
        require_between(self, "max_seq_length", 1, LONGEST)
        if self.max_predictions_per_seq is not None:
            require_between(self, "max_predictions_per_seq", 1, LONGEST)
        require_between(self, "dupe_factor", 1, _MOST_COPIES)
        require_between(self, "num_shards", 1, _MOST_SHARDS)
        require_between(self, "random_seed", 0, _LARGEST_SEED)
        needed = math.ceil(self.masked_lm_prob * self.max_seq_length)
        if not needed <= self.predictions <= self.max_seq_length:
            raise ValueError(
                f"max_predictions_per_seq is {self.max_predictions_per_seq}, but masking "
                f"{self.masked_lm_prob} of {self.max_seq_length} pieces takes {needed} and some to "
                f"spare: leave it out, which gives "
                f"{predictions_for(self.max_seq_length, self.masked_lm_prob)}"
            )

    @property
    def predictions(self) -> int:
        """The slots for predictions, set or derived."""
        if self.max_predictions_per_seq is not None:
            return self.max_predictions_per_seq
        return predictions_for(self.max_seq_length, self.masked_lm_prob)

    def as_dict(self) -> Dict[str, Any]:
        """Return all settings, groups as dicts, with what is derived in its place."""
        return {**asdict(self), "max_predictions_per_seq": self.predictions}
