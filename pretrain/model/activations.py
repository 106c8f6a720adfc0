"""The activation functions of BERT's feed-forward layers; `ACTIVATIONS` names them.

A new one is one function and one entry there.
"""

import math
from typing import Callable, Dict, NamedTuple, Tuple

from pretrain.runtime.tensorflow import Tensor, tf


def gelu(x: Tensor) -> Tensor:
    """Compute Google's "gelu", the tanh form, with a gradient of its own that needs half the passes
    over memory of the automatic one.
    """
    value: Tensor = tf.custom_gradient(_gelu)(x)
    return value


def _gelu(x: Tensor) -> Tuple[Tensor, Callable[[Tensor], Tensor]]:
    """x / 2 * (1 + tanh(u)) = x * sigmoid(2 u), with u = sqrt(2 / pi) * (x + 0.044715 x^3)."""
    first, third = 2 * math.sqrt(2 / math.pi), 2 * math.sqrt(2 / math.pi) * 0.044715
    # In float32: TensorFlow's sigmoid of bfloat16 takes three times as long on a CPU.
    doubled = tf.cast(x * (first + third * tf.square(x)), tf.float32)
    gate = tf.cast(tf.sigmoid(doubled), x.dtype)

    def gradient(upstream: Tensor) -> Tensor:
        # Beyond 16 the gate is 0 or 1 and the slope without effect, but in float16 it overflows.
        z = tf.clip_by_value(x, -16.0, 16.0) if x.dtype == tf.float16 else x
        slope = z * (first + 3 * third * tf.square(z))
        return upstream * (gate * (1 + slope * (1 - gate)))

    return x * gate, gradient


def gelu_erf(x: Tensor) -> Tensor:
    """Compute the exact GELU: x times the normal distribution's share below x."""
    return x * (0.5 * (1.0 + tf.math.erf(x * math.sqrt(0.5))))


def relu(x: Tensor) -> Tensor:
    """Compute max(x, 0)."""
    return tf.nn.relu(x)


class Activation(NamedTuple):
    """An activation function, and the names that other programs have for it."""

    function: Callable[[Tensor], Tensor]
    # Of Hugging Face: the first is written, all of them are read. Its "gelu" is the exact form:
    # where the name stayed when a model was converted, the two differ by up to 1e-3 in a hidden
    # vector.
    hugging_face: Tuple[str, ...]
    google: str  # of google-research/bert: the nearest function that it knows


ACTIVATIONS: Dict[str, Activation] = {
    "gelu": Activation(gelu, ("gelu_new", "gelu_pytorch_tanh"), "gelu"),
    "gelu_erf": Activation(gelu_erf, ("gelu",), "gelu"),
    "relu": Activation(relu, ("relu",), "relu"),
}


def from_hugging_face() -> Dict[str, str]:
    """Return Hugging Face's names of the activations -> the names here."""
    return {theirs: ours for ours, entry in ACTIVATIONS.items() for theirs in entry.hugging_face}
