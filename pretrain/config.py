"""The settings of a training, and BERT's own bert_config.json.

The presets in configs/pretrain/ give every value its source.
"""

import dataclasses
import json
import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional

from data_gen.shared.errors import UserError
from data_gen.shared.settings import require_one_of

# Names only: the tables with these keys are in modules that import TensorFlow, which takes seconds.
OPTIMIZERS = ("adamw", "lamb")
PAIR_TASKS = ("sop", "nsp", "none")
# "gelu" is Google's tanh form, "gelu_erf" the exact one, which Hugging Face calls "gelu".
ACTIVATIONS = ("gelu", "gelu_erf", "relu")
# What only the pair task gives a gradient.
PAIR_HEAD = ("bert/pooler/", "cls/seq_relationship/")
SCHEDULES = ("linear", "constant")
PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class BertConfig:
    """What bert_config.json says, by Google's names."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02

    def __post_init__(self) -> None:
        for field_ in dataclasses.fields(self):
            value = getattr(self, field_.name)
            if field_.type is int and not (isinstance(value, int) and value > 0):
                raise ValueError(f"{field_.name} must be a whole number above 0, not {value}")
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is no multiple of num_attention_heads "
                f"{self.num_attention_heads}"
            )
        require_one_of("hidden_act", self.hidden_act, ACTIVATIONS)


def read_bert_config(path: str) -> BertConfig:
    """Read a bert_config.json. Keys of other tools (`pooler_type`, `directionality`, ...) are
    passed over.

    Raises UserError where the file cannot be read or is no model.
    """
    known = {f.name for f in dataclasses.fields(BertConfig)}
    try:
        with open(path, encoding="utf-8") as handle:
            values: Dict[str, Any] = json.load(handle)
        return BertConfig(**{name: value for name, value in values.items() if name in known})
    except OSError as error:
        raise UserError(f"cannot read the model {path}: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is no bert_config.json: {error}") from error


@dataclass(frozen=True)
class StageConfig:
    """One stage of a training; what is null is as at the top level. The schedule starts anew with
    each stage.
    """

    max_seq_length: Optional[int] = None  # null: that of the data
    train_batch_size: Optional[int] = None
    learning_rate: Optional[float] = None
    num_train_steps: Optional[int] = None
    num_warmup_steps: Optional[int] = None
    gradient_accumulation_steps: Optional[int] = None


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides what a training does."""

    bert_config_file: str = "configs/models/base.json"
    vocab_file: str = "configs/vocab/bert_base_chinese.txt"
    pair_task: str = "sop"  # none: the pair head is kept and saved, but not trained
    masked_lm_loss_weight: float = 1.0
    pair_loss_weight: float = 1.0
    train_batch_size: int = 32  # sequences a step, on all devices together
    gradient_accumulation_steps: int = 1  # parts of a device's batch, one after the other
    learning_rate: float = 1e-4  # the peak, reached after the warm-up
    schedule: str = "linear"  # from the peak to 0; constant: stays there
    num_train_steps: int = 100000
    num_warmup_steps: int = 10000
    # Empty: one stage with the values above.
    stages: List[StageConfig] = field(default_factory=list)
    optimizer: str = "adamw"
    weight_decay: float = 0.01  # of all but LayerNorm and biases
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-6
    clip_norm: float = 1.0  # of all gradients together
    frozen: List[str] = field(default_factory=list)  # weights with a match of one of these stay
    random_seed: int = 12345  # initial weights, order of the data, dropout
    save_checkpoints_steps: int = 1000
    keep_checkpoints: int = 5  # the newest
    keep_checkpoint_every_steps: Optional[int] = None  # these, too, for good
    log_steps: int = 100
    heldout_shards: int = 0  # the last ones of each data set: evaluated on, not trained on
    steps_per_call: int = 1  # steps from one visit of Python to the next
    precision: str = "float32"  # of activations and products; weights are kept in float32
    recompute: bool = False  # layers once more in the backward pass: less memory, more time
    jit_compile: bool = False  # XLA
    tpu: Optional[str] = None  # local on a TPU VM, or a name

    def __post_init__(self) -> None:
        require_one_of("optimizer", self.optimizer, OPTIMIZERS)
        require_one_of("pair_task", self.pair_task, PAIR_TASKS)
        require_one_of("schedule", self.schedule, SCHEDULES)
        require_one_of("precision", self.precision, PRECISIONS)
        for name in ("save_checkpoints_steps", "keep_checkpoints", "log_steps", "steps_per_call"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.heldout_shards < 0:
            raise ValueError(f"heldout_shards must not be negative, but is {self.heldout_shards}")
        every = self.keep_checkpoint_every_steps
        if every is not None and every < 1:
            raise ValueError(f"keep_checkpoint_every_steps must be at least 1, not {every}")
        if every and every % self.save_checkpoints_steps:
            raise ValueError(
                "keep_checkpoint_every_steps must be a multiple of save_checkpoints_steps "
                f"({self.save_checkpoints_steps}), not {every}"
            )
        if not 0 <= self.random_seed < 1 << 32:
            raise ValueError(f"random_seed must be between 0 and 2**32 - 1, not {self.random_seed}")
        for name in ("weight_decay", "masked_lm_loss_weight", "pair_loss_weight"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, but is {getattr(self, name)}")
        for pattern in self.frozen:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"frozen: {pattern} is no regular expression: {error}") from error
        for name in ("epsilon", "clip_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("beta_1", "beta_2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    f"{name} must be at least 0 and below 1, not {getattr(self, name)}"
                )
        for stage in self.resolved_stages():
            stage.check()
        self._check_steps_per_call()

    def _check_steps_per_call(self) -> None:
        """What happens at a step can only happen between two calls."""
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
        """Whether a weight stays as it is, by `frozen`."""
        return any(re.search(pattern, name) for pattern in self.frozen)

    def is_trained(self, name: str) -> bool:
        """Whether a weight moves: neither frozen nor of a pair head without a task."""
        idle = self.pair_task == "none" and name.startswith(PAIR_HEAD)
        return not idle and not self.is_frozen(name)

    def resolved_stages(self) -> List["Stage"]:
        """The stages in order, every value given."""
        stages: List[Stage] = []
        for stage in self.stages or [StageConfig()]:
            values = {
                name: getattr(self, name) if getattr(stage, name) is None else getattr(stage, name)
                for name in (
                    "train_batch_size",
                    "learning_rate",
                    "num_train_steps",
                    "num_warmup_steps",
                    "gradient_accumulation_steps",
                )
            }
            first = stages[-1].last_step if stages else 0
            stages.append(Stage(first_step=first, max_seq_length=stage.max_seq_length, **values))
        return stages


@dataclass(frozen=True)
class Stage:
    """Steps `[first_step, last_step)` of a training."""

    first_step: int
    max_seq_length: Optional[int]
    train_batch_size: int
    learning_rate: float
    num_train_steps: int
    num_warmup_steps: int
    gradient_accumulation_steps: int = 1

    @property
    def last_step(self) -> int:
        """The step after the last one."""
        return self.first_step + self.num_train_steps

    def check(self) -> None:
        """Raise ValueError for values that cannot be trained with."""
        for name in ("train_batch_size", "num_train_steps", "gradient_accumulation_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be above 0, not {self.learning_rate}")
        if not 0 <= self.num_warmup_steps <= self.num_train_steps:
            raise ValueError(
                f"num_warmup_steps must be between 0 and num_train_steps ({self.num_train_steps}), "
                f"not {self.num_warmup_steps}"
            )
