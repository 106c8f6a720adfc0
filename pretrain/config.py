"""The settings of a training, composed of those of its objective, its optimizer and its stages.

The presets in configs/pretrain/ give every value its source. Needs no TensorFlow to check a value.
"""

import dataclasses
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar, Dict, List, Optional, Sequence

from data_gen.shared.bounds import MOST_STEPS, require_between
from data_gen.shared.dataset.dataset_info import LONGEST
from data_gen.shared.settings import file_setting, require_one_of
from pretrain.learning.objective import ObjectiveSettings
from pretrain.learning.objectives import OBJECTIVES
from pretrain.learning.optimizers import OptimizerSettings
from pretrain.learning.stages import (
    OF_STEPS,
    SCHEDULES,
    Stage,
    StageConfig,
    as_stage,
    check_values,
    has_steps,
    steps_of,
    values_of,
)

PRECISIONS = ("float32", "bfloat16", "float16")
OUTPUT_BIASES = ("zeros", "frequencies")


@dataclass(frozen=True)
class TrainConfig(ObjectiveSettings, OptimizerSettings):
    """Everything that decides the course of a training."""

    PRESETS: ClassVar[str] = "pretrain"  # the folder of configs/

    # The size of the model: a file of configs/models, or one of that form.
    bert_config_file: str = file_setting("configs/models/base.json", "models")
    # The vocab.txt that the data were built with.
    vocab_file: str = file_setting("configs/vocab/bert_base_chinese.txt", "vocab")
    train_batch_size: int = 32  # sequences a step, on all devices together
    gradient_accumulation_steps: int = 1  # micro batches of a device's batch, one after the other
    learning_rate: float = 1e-4  # the peak, reached after the warm-up
    schedule: str = "linear"  # from the peak to 0; constant: stays there
    num_train_steps: Optional[int] = 100000  # of the stage
    num_train_epochs: Optional[float] = None  # instead of steps: times through the data
    num_warmup_steps: Optional[int] = 10000  # in which the rate grows from 0 to its peak
    warmup_share: Optional[float] = None  # instead of warm-up steps: a share of the steps
    # Empty: one stage with the values above.
    stages: List[StageConfig] = field(default_factory=list)
    # Of the masked LM head, without --init: zeros, or frequencies: the logarithms of those that the
    # labels have in the data, which else are learned first, by turning all embeddings one way.
    output_bias: str = "zeros"
    # Regular expressions of weights that are not trained.
    frozen: List[str] = field(default_factory=list)
    random_seed: int = 12345  # initial weights, order of the data, dropout
    save_checkpoints_steps: int = 1000  # from one checkpoint to the next
    keep_checkpoints: int = 5  # how many of the newest stay
    keep_checkpoint_every_steps: Optional[int] = None  # checkpoints that stay for good, too
    log_steps: int = 100  # from one line of the log to the next
    heldout_shards: int = 0  # the last ones of each data set: evaluated on, not trained on
    # Padding of a micro batch: to a multiple of this above its longest sequence; then each holds
    # sequences of like lengths. null: to max_seq_length.
    pad_to: Optional[int] = None
    steps_per_call: int = 1  # steps from one visit of Python to the next
    precision: str = "float32"  # of activations and products; weights are kept in float32
    recompute: bool = False  # layers once more in the backward pass: less memory, more time
    jit_compile: bool = False  # compile the step by XLA
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
        for values in self.values_of_stages():
            check_values(values)
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
        every = self.values_of_stages()
        counts += [("num_train_steps", values["num_train_steps"] or 0) for values in every]
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

    def stage_configs(self) -> List[StageConfig]:
        """Return the settings of each stage as they are given, in order."""
        return self.stages or [StageConfig()]

    @property
    def has_steps(self) -> bool:
        """True if all stages are given in steps, as a training needs them: `in_steps`."""
        return all(map(has_steps, self.values_of_stages()))

    @property
    def has_epochs(self) -> bool:
        """True if the steps of a stage follow from its data."""
        return any(values["num_train_steps"] is None for values in self.values_of_stages())

    def resolved_stages(self) -> List[Stage]:
        """Return the stages in order, every value given; only with `has_steps`."""
        stages: List[Stage] = []
        for stage, values in zip(self.stage_configs(), self.values_of_stages()):
            first = stages[-1].last_step if stages else 0
            stages.append(as_stage(values, first, stage.max_seq_length))
        return stages

    def steps_of(self, examples: Sequence[int]) -> List[Dict[str, int]]:
        """Return `num_train_steps` and `num_warmup_steps` of each stage, for so many examples in
        its data.
        """
        every = zip(self.values_of_stages(), examples)
        return [steps_of(values, count, self.steps_per_call) for values, count in every]

    def in_steps(self, steps: Sequence[Dict[str, int]]) -> "TrainConfig":
        """Return the same settings with the steps of each stage instead of epochs and shares.

        Raises ValueError if the warm-up is longer than its stage.
        """
        nothing: Dict[str, Any] = dict.fromkeys(OF_STEPS)
        every = [{**nothing, **of_stage} for of_stage in steps]
        if not self.stages:
            return dataclasses.replace(self, **every[0])
        stages = [dataclasses.replace(stage, **v) for stage, v in zip(self.stages, every)]
        return dataclasses.replace(self, stages=stages)

    def values_of_stages(self) -> List[Dict[str, Any]]:
        """Return the settings of each stage by name, those of the top level included."""
        return [values_of(stage, self) for stage in self.stage_configs()]
