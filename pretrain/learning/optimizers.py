"""The optimizers: AdamW as in google-research/bert's optimization.py, LAMB as in
ymcui/LAMB_Optimizer_TF, both without bias correction.

`OPTIMIZERS` names them; a new one is one update function and one entry there. Its slots (moments,
accumulators, of any number and shape) are saved with the weights as `{weight}/{slot}`; who has to
tell a slot from a weight asks `slot_of`.
"""

import re
from dataclasses import dataclass
from typing import Callable, Dict, Mapping, NamedTuple, Optional, Tuple, Union

from data_gen.shared.bounds import LARGEST, require_between
from data_gen.shared.settings import require_one_of
from pretrain.model.bert import Shape, Variables
from pretrain.runtime.tensorflow import Tensor, tf

_NO_DECAY = re.compile("LayerNorm|layer_norm|bias")


@dataclass(frozen=True)
class OptimizerSettings:
    """The optimizer and its numbers; which of them count, the entry of `OPTIMIZERS` decides."""

    optimizer: str = "adamw"  # the rule of the update: a name in learning.optimizers.OPTIMIZERS
    weight_decay: float = 0.01  # of all but LayerNorm and biases
    beta_1: float = 0.9  # decay of the mean of gradients
    beta_2: float = 0.999  # decay of the mean of their squares
    epsilon: float = 1e-6  # added to the root of the mean square
    clip_norm: float = 1.0  # of all gradients together

    def __post_init__(self) -> None:
        require_one_of("optimizer", self.optimizer, list(OPTIMIZERS))
        if not self.weight_decay >= 0:
            raise ValueError(f"weight_decay must not be negative, but is {self.weight_decay}")
        for name in ("epsilon", "clip_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        require_between(self, "weight_decay epsilon clip_norm", 0, LARGEST)
        for name in ("beta_1", "beta_2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    f"{name} must be at least 0 and below 1, not {getattr(self, name)}"
                )


class Weight(NamedTuple):
    """A weight to update, with its slots."""

    name: str
    value: Tensor
    slots: Variables  # by the names in the optimizer's entry
    gradient: Tensor  # to be multiplied by `Moment.factor`

    @property
    def decays(self) -> bool:
        """True if weight decay applies: to all but LayerNorm and biases."""
        return not _NO_DECAY.search(self.name)


class Moment(NamedTuple):
    """Scalars that are the same for all weights in one step."""

    step: Tensor  # int64: steps done before this one
    rate: Tensor  # float32: learning rate
    factor: Tensor  # float32: clips the gradients and takes the loss scale out of them


def _same(shape: Shape) -> Shape:
    return shape


class Slot(NamedTuple):
    """A tensor that an optimizer keeps for each weight, zero at first."""

    name: str
    shape: Callable[[Shape], Shape] = _same  # of the weight -> of the slot
    # A direction: it says nothing about a new row of the vocabulary, where it is 0. Any other slot
    # of a new row is made of other rows' slots, as the row itself.
    is_momentum: bool = False


class Optimizer(NamedTuple):
    """An update rule; `update` changes a weight and its slots in place."""

    slots: Tuple[Slot, ...]
    update: Callable[[OptimizerSettings, Weight, Moment], None]


def _adamw(settings: OptimizerSettings, weight: Weight, moment: Moment) -> None:
    if settings.weight_decay and weight.decays:
        weight.value.assign_sub(moment.rate * settings.weight_decay * weight.value)
    _adam(settings, weight, weight.slots["adam_m"], weight.slots["adam_v"], moment, moment.rate)


def _lamb(settings: OptimizerSettings, weight: Weight, moment: Moment) -> None:
    m, v = weight.slots["lamb_m"], weight.slots["lamb_v"]
    _adam(settings, weight, m, v, moment, 0.0)  # the moments alone
    update = m / (tf.sqrt(v) + settings.epsilon)
    if settings.weight_decay and weight.decays:
        update += settings.weight_decay * weight.value
    weight.value.assign_sub(moment.rate * _trust_ratio(weight.value, update) * update)


def _adam(
    settings: OptimizerSettings,
    weight: Weight,
    m: Tensor,
    v: Tensor,
    moment: Moment,
    rate: Union[Tensor, float],
) -> None:
    """Change the slots `m`, the mean of the gradients, and `v`, that of their squares, and move the
    weight by `rate` times m / (sqrt(v) + epsilon): one pass over memory.
    """
    tf.raw_ops.ResourceApplyAdam(
        var=weight.value.handle,
        m=m.handle,
        v=v.handle,
        beta1_power=0.0,  # powers of 0 leave the bias of the moments uncorrected
        beta2_power=0.0,
        lr=rate,
        beta1=settings.beta_1,
        beta2=settings.beta_2,
        epsilon=settings.epsilon,
        grad=weight.gradient * moment.factor,
    )


def _trust_ratio(weight: Tensor, update: Tensor) -> Tensor:
    """Return ||w|| / ||update||, 1 if either is 0; for every weight, LayerNorm and biases too
    (arXiv 1904.00962v3).
    """
    w, u = (tf.sqrt(_squared_norm(x)) for x in (weight, update))
    both = tf.logical_and(w > 0, u > 0)
    return tf.where(both, w / tf.where(both, u, tf.ones_like(u)), tf.ones_like(u))


OPTIMIZERS: Dict[str, Optimizer] = {
    "adamw": Optimizer((Slot("adam_m", is_momentum=True), Slot("adam_v")), _adamw),
    "lamb": Optimizer((Slot("lamb_m", is_momentum=True), Slot("lamb_v")), _lamb),
}


def slot_of(name: str) -> Optional[Slot]:
    """Return the slot that a name in a checkpoint ends in, of any optimizer; None for a weight."""
    weight, _, last = name.rpartition("/")
    slots = [slot for entry in OPTIMIZERS.values() for slot in entry.slots]
    found = (slot for slot in slots if weight and slot.name == last)
    return next(found, None)


def slot_shapes(optimizer: str, weights: Mapping[str, Shape]) -> Dict[str, Shape]:
    """Return the shape of every slot of these weights, by the slot's name in a checkpoint."""
    return {
        f"{name}/{slot.name}": slot.shape(shape)
        for name, shape in weights.items()
        for slot in OPTIMIZERS[optimizer].slots
    }


def init_slots(optimizer: str, variables: Variables) -> Variables:
    """Make the slots of every variable, zero at first: `{weight}/adam_m`, `{weight}/adam_v`."""
    weights = {name: tuple(variable.shape) for name, variable in variables.items()}
    return {
        name: tf.Variable(tf.zeros(shape), name=name, trainable=False)
        for name, shape in slot_shapes(optimizer, weights).items()
    }


def squared_norms(gradients: Dict[str, Tensor]) -> Tensor:
    """Return ||g||^2 of each, float32 [number of gradients]; infinite or NaN if g is."""
    return tf.stack([_squared_norm(gradient) for gradient in gradients.values()])


def _squared_norm(tensor: Tensor) -> Tensor:
    return 2.0 * tf.nn.l2_loss(tensor)  # one pass over memory, where tf.norm makes two


def clip_factor(settings: OptimizerSettings, norm: Tensor) -> Tensor:
    """Return the factor that clips gradients which together have this norm."""
    return settings.clip_norm / tf.maximum(norm, settings.clip_norm)


def apply_gradients(
    settings: OptimizerSettings,
    variables: Variables,
    slots: Variables,
    gradients: Dict[str, Tensor],
    moment: Moment,
) -> None:
    """Update weights and slots in place by the gradients."""
    optimizer = OPTIMIZERS[settings.optimizer]
    for name, gradient in gradients.items():
        own = {slot.name: slots[f"{name}/{slot.name}"] for slot in optimizer.slots}
        optimizer.update(settings, Weight(name, variables[name], own, gradient), moment)
