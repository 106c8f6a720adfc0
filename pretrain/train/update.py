"""The update of one device's copy of the weights, from the gradients of all devices."""

import functools
from typing import List, Sequence

from pretrain.checkpoint.store import LOSS_SCALE, LOSS_SCALE_STEPS
from pretrain.config import TrainConfig
from pretrain.learning.objective import TOTAL
from pretrain.learning.optimizers import Moment, apply_gradients, clip_factor, squared_norms
from pretrain.learning.stages import Stage, learning_rate
from pretrain.model.bert import Variables
from pretrain.runtime.named_vector import NamedVector
from pretrain.runtime.tensorflow import Tensor, tf

# Dynamic loss scaling of float16, NVIDIA's value: twice as much after so many steps without an
# overflow, half as much after each step with one.
_GROWS_AFTER = 2000


class Update:
    """Clip, apply, count; or skip the update if a loss or a gradient is NaN or infinite."""

    def __init__(
        self,
        config: TrainConfig,
        stage: Stage,
        trained: Sequence[str],
        losses: Sequence[str],
        scales: bool,
    ) -> None:
        """`losses`: names that a step reports; `scales`: True if the loss is scaled."""
        self._config, self._stage, self._trained = config, stage, trained
        self._losses = losses
        self.reported = NamedVector([*losses, "stop"])
        scaling = ("loss_scale", "skipped_steps") if scales else ()
        self.metrics = (*losses, "gradient_norm", "learning_rate", *scaling)
        # done: 1 if the step was made; stop: above 0 if some process is asked to stop. Then the
        # metrics and the squared norm of each gradient, times the scale of the loss.
        self.outcome = NamedVector(["done", "stop", *self.metrics, *trained])

    def apply(
        self,
        step_variable: Tensor,
        variables: Variables,
        slots: Variables,
        scaling: Variables,
        gradients: List[Tensor],
        reported: Tensor,
    ) -> Tensor:
        """Update in place. Returns a vector of `outcome`.

        gradients, reported: sums over all replicas, `reported` a vector of the losses and of `stop`
        """
        by_name, losses = dict(zip(self._trained, gradients)), self.reported.unpack(reported)
        scale = tf.convert_to_tensor(scaling.get(LOSS_SCALE, 1.0))
        squares = squared_norms(by_name)
        norm = tf.sqrt(tf.reduce_sum(squares)) / scale
        finite = tf.math.is_finite(norm + losses[TOTAL])
        step = tf.identity(step_variable)
        rate = learning_rate(self._stage, step, self._config.schedule)

        def update() -> Tensor:
            factor = clip_factor(self._config, norm) / scale
            moment = Moment(step, rate, factor)
            apply_gradients(self._config, variables, slots, by_name, moment)
            _grow(scaling)
            step_variable.assign_add(1)
            return tf.constant([1.0, 0.0])

        skip = functools.partial(_skip, step_variable, scaling, losses[TOTAL])
        done, skipped = tf.unstack(tf.cond(finite, update, skip))
        values = {
            **losses,
            "done": done,
            "gradient_norm": tf.where(skipped > 0, 0.0, norm),
            "learning_rate": rate,
            "loss_scale": scale,
            "skipped_steps": skipped,
        }
        return self.outcome.pack(values, squares)


def _skip(step_variable: Tensor, scaling: Variables, loss: Tensor) -> Tensor:
    """Skip an update. Returns [1, 1] if the step is done all the same, with a smaller scale of the
    loss from now on; [0, 0] if that is no cure.
    """
    # A loss that is NaN or infinite stays so at any scale: it is taken before scaling.
    curable = tf.logical_and(_shrink(scaling), tf.math.is_finite(loss))
    skips = tf.cast(curable, tf.float32)
    step_variable.assign_add(tf.cast(skips, tf.int64))
    return tf.stack([skips, skips])


def _grow(scaling: Variables) -> None:
    if scaling:
        scale, steps = scaling[LOSS_SCALE], scaling[LOSS_SCALE_STEPS]
        grows = steps + 1.0 >= _GROWS_AFTER
        scale.assign(tf.where(grows, scale * 2.0, scale))
        steps.assign(tf.where(grows, 0.0, steps + 1.0))


def _shrink(scaling: Variables) -> Tensor:
    """Halve the scale of the loss. Returns a bool: False if there is none, or it is 1 already."""
    if not scaling:
        return tf.constant(False)
    scale = tf.identity(scaling[LOSS_SCALE])
    scaling[LOSS_SCALE].assign(tf.maximum(scale / 2.0, 1.0))
    scaling[LOSS_SCALE_STEPS].assign(0.0)
    return scale > 1.0
