"""The stages of a training, and the learning rate at each of their steps."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional

from data_gen.shared.bounds import LARGEST, MOST_SEQUENCES, MOST_STEPS, require_between
from data_gen.shared.dataset.dataset_info import LONGEST
from pretrain.runtime.tensorflow import Tensor, tf

# Name -> (share of the stage that is done, float32) -> factor of the peak rate.
SCHEDULES: Dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda done: 1.0 - tf.minimum(done, 1.0),
    "constant": lambda done: tf.ones_like(done),
}

_MOST_EPOCHS = 1_000_000


@dataclass(frozen=True)
class StageConfig:
    """The settings of one stage; null takes the value of the top level. The schedule starts anew
    with each stage.
    """

    max_seq_length: Optional[int] = None  # null: that of the data
    train_batch_size: Optional[int] = None
    learning_rate: Optional[float] = None
    num_train_steps: Optional[int] = None
    num_train_epochs: Optional[float] = None
    num_warmup_steps: Optional[int] = None
    warmup_share: Optional[float] = None
    gradient_accumulation_steps: Optional[int] = None


# Two names of one thing, of which exactly one is given: in steps, or relative to the data and to
# the steps.
_PAIRS = (("num_train_steps", "num_train_epochs"), ("num_warmup_steps", "warmup_share"))
OF_STEPS = tuple(name for names in _PAIRS for name in names)
_OF_STAGE = ("train_batch_size", "learning_rate", "gradient_accumulation_steps", *OF_STEPS)


def values_of(stage: StageConfig, above: Any) -> Dict[str, Any]:
    """Return the settings of a stage by name: its own, else those of the top level. A stage that
    gives one of a pair does without the other.
    """
    found = {name: getattr(stage, name) for name in _OF_STAGE}
    given = [names for names in _PAIRS if any(found[name] is not None for name in names)]
    settled = {name for names in given for name in names}
    return {
        name: getattr(above, name) if value is None and name not in settled else value
        for name, value in found.items()
    }


def check_values(values: Dict[str, Any]) -> None:
    """Raise ValueError for settings of a stage that cannot be trained with, whatever its data; and
    unless exactly one of each pair is given.

    values: those of `values_of`
    """
    for names in _PAIRS:
        given = [name for name in names if values[name] is not None]
        if len(given) > 1:
            raise ValueError(
                f"{names[0]} is {values[names[0]]} and {names[1]} is {values[names[1]]}, but only "
                f"one of them can count: set {names[0]}=null or {names[1]}=null"
            )
        if not given:
            raise ValueError(f"neither {names[0]} nor {names[1]} is given: set one of them")
    epochs, share = values["num_train_epochs"], values["warmup_share"]
    if epochs is not None and not 0 < epochs <= _MOST_EPOCHS:
        raise ValueError(
            f"num_train_epochs must be above 0 and at most {_MOST_EPOCHS:,}, not {epochs}"
        )
    if share is not None and not 0 <= share <= 1:
        raise ValueError(f"warmup_share must be from 0 to 1, not {share}")
    unknown = {"num_train_steps": MOST_STEPS, "num_warmup_steps": 0}
    as_stage({**values, **{name: x for name, x in unknown.items() if values[name] is None}}).check()


def lengths_of(values: Dict[str, Any]) -> Dict[str, Any]:
    """Return those of the values that say how long the stage is, as they are given."""
    return {name: values[name] for name in OF_STEPS if values[name] is not None}


def has_steps(values: Dict[str, Any]) -> bool:
    """Return True if the values of a stage are given in steps, as a training needs them."""
    return all(values[steps] is not None for steps, _ in _PAIRS)


def steps_of(values: Dict[str, Any], examples: int, multiple: int) -> Dict[str, int]:
    """Return the steps of a stage, `num_train_steps` and `num_warmup_steps`, for so many examples.

    An epoch is the whole batches of the data, as the input gives them; epochs are rounded up to a
    multiple of `multiple` steps.
    """
    steps, warmup = values["num_train_steps"], values["num_warmup_steps"]
    if steps is None:
        per_epoch = examples // max(1, values["train_batch_size"])
        steps = max(1, round(values["num_train_epochs"] * per_epoch))
        steps = -(-steps // multiple) * multiple
    if warmup is None:
        warmup = int(steps * values["warmup_share"])  # as in run_classifier.py
    return {"num_train_steps": steps, "num_warmup_steps": warmup}


@dataclass(frozen=True)
class Stage:
    """Steps `[first_step, last_step)` of a training, every value given."""

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
        require_between(self, "train_batch_size gradient_accumulation_steps", 1, MOST_SEQUENCES)
        require_between(self, "num_train_steps", 1, MOST_STEPS)
        require_between(self, "max_seq_length", 1, LONGEST)
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be above 0, not {self.learning_rate}")
        require_between(self, "learning_rate", 0, LARGEST)
        if not 0 <= self.num_warmup_steps <= self.num_train_steps:
            raise ValueError(
                f"num_warmup_steps must be between 0 and num_train_steps ({self.num_train_steps}), "
                f"not {self.num_warmup_steps}"
            )


def as_stage(
    values: Dict[str, Any], first_step: int = 0, max_seq_length: Optional[int] = None
) -> Stage:
    """Make the stage of these values, which has steps."""
    known = {field.name for field in dataclasses.fields(Stage)}
    return Stage(first_step, max_seq_length, **{n: x for n, x in values.items() if n in known})


def learning_rate(stage: Stage, step: Tensor, schedule: str = "linear") -> Tensor:
    """Warm up linearly from 0, then follow the schedule, which counts from step 0 of the stage:
    `linear` falls from the peak there to 0 at the stage's end.

    step: int64, of the whole training, read before it is counted up. Google's code leaves that
    order to chance.
    """
    done = tf.cast(step - stage.first_step, tf.float32)
    after = stage.learning_rate * SCHEDULES[schedule](done / stage.num_train_steps)
    if not stage.num_warmup_steps:
        return after
    warming = stage.learning_rate * done / stage.num_warmup_steps
    return tf.where(done < stage.num_warmup_steps, warming, after)
