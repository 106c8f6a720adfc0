"""The stages of a training, and the learning rate at each of their steps."""

from dataclasses import dataclass
from typing import Callable, Dict, Optional

from data_gen.shared.bounds import LARGEST, MOST_SEQUENCES, MOST_STEPS, require_between
from data_gen.shared.dataset_info import LONGEST
from pretrain.runtime.tensorflow import Tensor, tf

# Name -> (share of the stage that is done, float32) -> factor of the peak rate.
SCHEDULES: Dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda done: 1.0 - tf.minimum(done, 1.0),
    "constant": lambda done: tf.ones_like(done),
}


@dataclass(frozen=True)
class StageConfig:
    """The settings of one stage; null takes the value of the top level. The schedule starts anew
    with each stage.
    """

    max_seq_length: Optional[int] = None  # null: that of the data
    train_batch_size: Optional[int] = None
    learning_rate: Optional[float] = None
    num_train_steps: Optional[int] = None
    num_warmup_steps: Optional[int] = None
    gradient_accumulation_steps: Optional[int] = None


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
