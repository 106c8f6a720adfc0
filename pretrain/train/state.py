"""The state of a training: everything that a checkpoint holds."""

import re
from typing import Any, NamedTuple, Sequence

from data_gen.shared.errors import UserError
from pretrain.checkpoint.store import GLOBAL_STEP, LOSS_SCALE, LOSS_SCALE_STEPS
from pretrain.config import TrainConfig
from pretrain.learning.objectives import OBJECTIVES
from pretrain.learning.optimizers import init_slots
from pretrain.model.bert import Variables, init
from pretrain.model.config import BertConfig
from pretrain.runtime.tensorflow import Strategy, Tensor, tf

_FIRST_SCALE = 2.0**15  # of the loss in float16; NVIDIA's value


class State(NamedTuple):
    """Weights, slots, the step, and the scale of the loss."""

    variables: Variables
    slots: Variables
    step: Tensor  # int64 scalar: steps done
    scaling: Variables  # of the loss in float16; else empty

    @property
    def steps_done(self) -> int:
        """The step, as a number of Python."""
        return int(tf.convert_to_tensor(self.step).numpy())

    @property
    def loss_scale(self) -> Any:
        """The factor of the loss in the backward pass."""
        return self.scaling.get(LOSS_SCALE, 1.0)

    def tensors(self) -> Variables:
        """Return all by the names of the checkpoint."""
        return {**self.variables, **self.slots, **self.scaling, GLOBAL_STEP: self.step}


def new_state(strategy: Strategy, model: BertConfig, config: TrainConfig) -> State:
    """Make initial weights, empty slots and step 0 on every device. Raises UserError if `frozen`
    names no weight, or leaves none to train.
    """
    with strategy.scope():
        shapes = OBJECTIVES[config.objective].variables(model, config)
        variables = init(model, config.random_seed, shapes)
        _check_frozen(config, list(variables))
        moving = {name: v for name, v in variables.items() if not config.is_frozen(name)}
        slots = init_slots(config.optimizer, moving)
        step = tf.Variable(0, dtype=tf.int64, name=GLOBAL_STEP, trainable=False)
        scaling = {}
        if config.precision == "float16":
            scaling = {
                name: tf.Variable(value, trainable=False, name=name)
                for name, value in ((LOSS_SCALE, _FIRST_SCALE), (LOSS_SCALE_STEPS, 0.0))
            }
    return State(variables, slots, step, scaling)


def _check_frozen(config: TrainConfig, names: Sequence[str]) -> None:
    for pattern in config.frozen:
        if not any(re.search(pattern, name) for name in names):
            raise UserError(
                f"frozen: {pattern} is found in no name of a weight, such as {names[0]}"
            )
    if not any(config.is_trained(name) for name in names):
        raise UserError("frozen leaves no weight to train: name fewer")
