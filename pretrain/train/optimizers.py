"""AdamW as in google-research/bert's optimization.py and LAMB as in ymcui/LAMB_Optimizer_TF: one
step each.

Both without bias correction. `OPTIMIZERS` names them; a new one is one update function and one line
there.
"""

import re
from typing import Callable, Dict, NamedTuple, Sequence

from pretrain.config import Stage, TrainConfig
from pretrain.model.bert import Variables
from pretrain.runtime.tensorflow import Tensor, tf

_NO_DECAY = re.compile("LayerNorm|layer_norm|bias")


class Weight(NamedTuple):
    """A weight, its moments, and the gradient to be multiplied by `factor`."""

    value: Tensor
    m: Tensor
    v: Tensor
    gradient: Tensor
    factor: Tensor


class Rule(NamedTuple):
    """How an optimizer changes a weight and its slots in place, and what these are called."""

    slots: Sequence[str]
    apply: Callable[[TrainConfig, Weight, Tensor, float], None]  # (..., learning rate, decay)


def _adamw(config: TrainConfig, weight: Weight, rate: Tensor, decay: float) -> None:
    if decay:
        weight.value.assign_sub(rate * decay * weight.value)
    # One pass over memory. Powers of 0 leave the bias of the moments uncorrected.
    tf.raw_ops.ResourceApplyAdam(
        var=weight.value.handle,
        m=weight.m.handle,
        v=weight.v.handle,
        beta1_power=0.0,
        beta2_power=0.0,
        lr=rate,
        beta1=config.beta_1,
        beta2=config.beta_2,
        epsilon=config.epsilon,
        grad=weight.gradient * weight.factor,
    )


def _lamb(config: TrainConfig, weight: Weight, rate: Tensor, decay: float) -> None:
    value, m, v, gradient, factor = weight
    next_m = config.beta_1 * m + (1.0 - config.beta_1) * factor * gradient
    next_v = config.beta_2 * v + (1.0 - config.beta_2) * tf.square(factor) * tf.square(gradient)
    update = next_m / (tf.sqrt(next_v) + config.epsilon)
    if decay:
        update += decay * value
    value.assign_sub(rate * _trust_ratio(value, update) * update)
    m.assign(next_m)
    v.assign(next_v)


def _trust_ratio(weight: Tensor, update: Tensor) -> Tensor:
    """||w|| / ||update||, 1 where either is 0; for every weight, LayerNorm and biases too (arXiv
    1904.00962v3).
    """
    w, u = tf.norm(weight), tf.norm(update)
    both = tf.logical_and(w > 0, u > 0)
    return tf.where(both, w / tf.where(both, u, tf.ones_like(u)), tf.ones_like(u))


OPTIMIZERS: Dict[str, Rule] = {
    "adamw": Rule(("adam_m", "adam_v"), _adamw),
    "lamb": Rule(("lamb_m", "lamb_v"), _lamb),
}


def init_slots(optimizer: str, variables: Variables) -> Variables:
    """The moments of every weight, zero at first: `{weight}/adam_m`, `{weight}/adam_v`."""
    return {
        f"{name}/{slot}": tf.Variable(
            tf.zeros_like(variable), name=f"{name}/{slot}", trainable=False
        )
        for name, variable in variables.items()
        for slot in OPTIMIZERS[optimizer].slots
    }


def learning_rate(stage: Stage, step: Tensor, schedule: str = "linear") -> Tensor:
    """Linear warm-up from 0, then on the line that falls from the peak at the stage's step 0 to 0
    at its end, or, for a constant schedule, at the peak.

    step: int64, of the whole training, read before it is counted up. Google's code leaves that
    order to chance.
    """
    done = tf.cast(step - stage.first_step, tf.float32)
    after = tf.constant(stage.learning_rate)
    if schedule == "linear":
        after = stage.learning_rate * (1.0 - tf.minimum(done / stage.num_train_steps, 1.0))
    if not stage.num_warmup_steps:
        return after
    warming = stage.learning_rate * done / stage.num_warmup_steps
    return tf.where(done < stage.num_warmup_steps, warming, after)


def squared_norms(gradients: Dict[str, Tensor]) -> Tensor:
    """||g||^2 of each, float32 [number of gradients]; infinite or NaN where g is."""
    return 2.0 * tf.stack([tf.nn.l2_loss(g) for g in gradients.values()])


def clip_factor(config: TrainConfig, norm: Tensor) -> Tensor:
    """What clips gradients that together have this norm."""
    return config.clip_norm / tf.maximum(norm, config.clip_norm)


def apply_gradients(
    config: TrainConfig,
    variables: Variables,
    slots: Variables,
    gradients: Dict[str, Tensor],
    factor: Tensor,
    rate: Tensor,
) -> None:
    """Update weights and slots in place by the gradients times `factor`."""
    rule = OPTIMIZERS[config.optimizer]
    for name, gradient in gradients.items():
        m, v = (slots[f"{name}/{slot}"] for slot in rule.slots)
        decay = 0.0 if _NO_DECAY.search(name) else config.weight_decay
        rule.apply(config, Weight(variables[name], m, v, gradient, factor), rate, decay)
