"""The settings of a fine-tuning. The presets in configs/finetune/ give every value its source."""

import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar, List, Optional, Sequence

from data_gen.shared.bounds import LARGEST, MOST_SEQUENCES, require_between
from data_gen.shared.dataset.dataset_info import LONGEST
from data_gen.shared.settings import require_one_of
from pretrain.config import PRECISIONS, TrainConfig
from pretrain.learning.optimizers import OptimizerSettings
from pretrain.learning.stages import SCHEDULES


@dataclass(frozen=True)
class FinetuneSettings(OptimizerSettings):
    """Everything that decides a run, but for its seed, the data and the checkpoint."""

    PRESETS: ClassVar[str] = "finetune"  # the folder of configs/

    max_seq_length: int = 128  # pieces of a sequence, special ones included
    num_train_epochs: int = 3  # times through the training part
    learning_rate: float = 2e-5  # the peak, reached after the warm-up
    train_batch_size: int = 64
    warmup_share: float = 0.1  # of the steps
    schedule: str = "linear"
    dropout: Optional[float] = None  # of layers, attention and head; null: the model's own
    doc_stride: int = 128  # of span extraction: pieces from one window of a paragraph to the next
    max_query_length: int = 64  # pieces of a question
    max_answer_length: int = 30  # pieces of an answer
    n_best: int = 20  # first and last pieces of a window that are combined to answers
    log_steps: int = 50
    gradient_accumulation_steps: int = 1
    frozen: List[str] = field(default_factory=list)
    precision: str = "float32"
    recompute: bool = False
    jit_compile: bool = False
    tpu: Optional[str] = None
    pad_to: Optional[int] = 32  # null: every sequence to max_seq_length, as a TPU needs it

    def __post_init__(self) -> None:
        OptimizerSettings.__post_init__(self)
        require_one_of("schedule", self.schedule, list(SCHEDULES))
        require_one_of("precision", self.precision, PRECISIONS)
        require_between(
            self,
            "num_train_epochs log_steps gradient_accumulation_steps train_batch_size doc_stride "
            "max_query_length max_answer_length n_best",
            1,
            MOST_SEQUENCES,
        )
        require_between(self, "learning_rate", 0, LARGEST)
        require_between(self, "pad_to", 1, LONGEST)
        require_between(self, "max_seq_length", 8, LONGEST)
        if not 0 <= self.warmup_share <= 1:
            raise ValueError(f"warmup_share must be from 0 to 1, not {self.warmup_share}")
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, not {self.dropout}")
        if self.tpu and self.pad_to is not None:
            raise ValueError("a TPU needs sequences of one length: set pad_to=null")

    @property
    def of_features(self) -> List[int]:
        """The settings that the features of a text depend on."""
        return [self.max_seq_length, self.doc_stride, self.max_query_length]

    def training(
        self,
        objective: str,
        labels: Sequence[str],
        steps_per_epoch: int,
        seed: int,
        bert_config_file: str,
        vocab_file: str,
    ) -> TrainConfig:
        """Return the training that one run is: a checkpoint after every epoch."""
        steps = steps_per_epoch * self.num_train_epochs
        shared = {f.name for f in dataclasses.fields(self)} & {
            f.name for f in dataclasses.fields(TrainConfig)
        } - {"num_train_epochs", "warmup_share"}  # given in steps below
        return TrainConfig(
            objective=objective,
            pair_task="none",
            labels=list(labels),
            bert_config_file=bert_config_file,
            vocab_file=vocab_file,
            num_train_steps=steps,
            num_warmup_steps=int(steps * self.warmup_share),  # as in run_classifier.py
            save_checkpoints_steps=steps_per_epoch,
            keep_checkpoints=self.num_train_epochs,
            random_seed=seed,
            **{name: getattr(self, name) for name in shared},
        )
