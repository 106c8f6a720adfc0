"""The settings of a training, composed of those of its objective, its optimizer and its stages.

The presets in configs/pretrain/ give every value its source. Needs no TensorFlow to check a value.
"""

import re
from dataclasses import dataclass, field
from typing import List, Optional

from data_gen.shared.bounds import MOST_STEPS, require_between
from data_gen.shared.dataset_info import LONGEST
from data_gen.shared.settings import require_one_of
from pretrain.learning.objective import ObjectiveSettings
from pretrain.learning.objectives import OBJECTIVES
from pretrain.learning.optimizers import OptimizerSettings
from pretrain.learning.stages import SCHEDULES, Stage, StageConfig

PRECISIONS = ("float32", "bfloat16", "float16")
OUTPUT_BIASES = ("zeros", "frequencies")
# Settings that a stage may give, too.
_OF_STAGE = (
    *("train_batch_size", "learning_rate", "num_train_steps", "num_warmup_steps"),
    "gradient_accumulation_steps",
)


@dataclass(frozen=True)
class TrainConfig(ObjectiveSettings, OptimizerSettings):
    """Everything that decides the course of a training."""

    bert_config_file: str = "configs/models/base.json"
    vocab_file: str = "configs/vocab/bert_base_chinese.txt"
    train_batch_size: int = 32  # sequences a step, on all devices together
    gradient_accumulation_steps: int = 1  # micro batches of a device's batch, one after the other
    learning_rate: float = 1e-4  # the peak, reached after the warm-up
    schedule: str = "linear"  # from the peak to 0; constant: stays there
    num_train_steps: int = 100000
    num_warmup_steps: int = 10000
    # Empty: one stage with the values above.
    stages: List[StageConfig] = field(default_factory=list)
    # Of the masked LM head, without --init: zeros, or frequencies: the logarithms of those that the
    # labels have in the data, which else are learned first, by turning all embeddings one way.
    output_bias: str = "zeros"
    frozen: List[str] = field(default_factory=list)  # weights with a match of one of these stay
    random_seed: int = 12345  # initial weights, order of the data, dropout
    save_checkpoints_steps: int = 1000
    keep_checkpoints: int = 5  # the newest
    keep_checkpoint_every_steps: Optional[int] = None  # these, too, for good
    log_steps: int = 100
    heldout_shards: int = 0  # the last ones of each data set: evaluated on, not trained on
    # Padding of a micro batch: to a multiple of this above its longest sequence; then each holds
    # sequences of like lengths. null: to max_seq_length.
    pad_to: Optional[int] = None
    steps_per_call: int = 1  # steps from one visit of Python to the next
    precision: str = "float32"  # of activations and products; weights are kept in float32
    recompute: bool = False  # layers once more in the backward pass: less memory, more time
    jit_compile: bool = False  # XLA
    tpu: Optional[str] = None  # local on a TPU VM, or a name

    def __post_init__(self) -> None:
        ObjectiveSettings.__post_init__(self)
        OptimizerSettings.__post_init__(self)
        require_one_of("objective", self.objective, list(OBJECTIVES))
        require_one_of("schedule", self.schedule, list(SCHEDULES))
        require_one_of("precision", self.precision, PRECISIONS)
        require_one_of("output_bias", self.output_bias, OUTPUT_BIASES)
        if self.heldout_shards < 0:
            raise ValueError(f"heldout_shards must not be negative, but is {self.heldout_shards}")
        if not 0 <= self.random_seed < 1 << 32:
            raise ValueError(f"random_seed must be between 0 and 2**32 - 1, not {self.random_seed}")
        for pattern in self.frozen:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"frozen: {pattern} is no regular expression: {error}") from error
        self._check_intervals()
        for stage in self.resolved_stages():
            stage.check()
        self._check_steps_per_call()

    def _check_intervals(self) -> None:
        intervals = "save_checkpoints_steps keep_checkpoints log_steps steps_per_call"
        require_between(self, intervals, 1, MOST_STEPS)
        require_between(self, "keep_checkpoint_every_steps", 1, MOST_STEPS)
        require_between(self, "pad_to", 1, LONGEST)
        if self.pad_to is not None and self.jit_compile:
            raise ValueError("jit_compile needs sequences of one length: set pad_to=null")
        every = self.keep_checkpoint_every_steps
        if every and every % self.save_checkpoints_steps:
            raise ValueError(
                "keep_checkpoint_every_steps must be a multiple of save_checkpoints_steps "
                f"({self.save_checkpoints_steps}), not {every}"
            )

    def _check_steps_per_call(self) -> None:
        """Checkpoints, lines of the log and ends of stages can only come between two calls."""
        counts = [("save_checkpoints_steps", self.save_checkpoints_steps)]
        counts += [("log_steps", self.log_steps)]
        counts += [("num_train_steps", s.num_train_steps) for s in self.resolved_stages()]
        for name, value in counts:
            if value % self.steps_per_call:
                raise ValueError(
                    f"{name} must be a multiple of steps_per_call ({self.steps_per_call}), "
                    f"not {value}"
                )

    def is_frozen(self, name: str) -> bool:
        """Return True if `frozen` names this weight."""
        return any(re.search(pattern, name) for pattern in self.frozen)

    def is_trained(self, name: str) -> bool:
        """Return True if a weight is updated: it is not frozen, and the objective trains it."""
        return OBJECTIVES[self.objective].trains(self, name) and not self.is_frozen(name)

    def resolved_stages(self) -> List[Stage]:
        """Return the stages in order, every value given."""
        stages: List[Stage] = []
        for stage in self.stages or [StageConfig()]:
            given = {name: getattr(stage, name) for name in _OF_STAGE}
            values = {n: getattr(self, n) if value is None else value for n, value in given.items()}
            first = stages[-1].last_step if stages else 0
            stages.append(Stage(first_step=first, max_seq_length=stage.max_seq_length, **values))
        return stages
