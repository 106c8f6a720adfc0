"""The only import of TensorFlow, and what differs between 1.15 and 2.x.

TensorFlow takes seconds to import, so `tf` imports it when the first of its names is used. Tables,
settings and commands can import any module of this package and stay fast.
"""

import re
import sys
from typing import Any, Callable, Tuple, Type

from data_gen.shared.errors import UserError
from data_gen.shared.extras import needs_extra
from data_gen.shared.memory import leave_out_what_is_there, no_search_for_garbage
from pretrain.runtime.quiet import quiet

__all__ = [
    "Strategy",
    "Tensor",
    "compiled",
    "failures",
    "is_version_1",
    "peer_gone",
    "reason",
    "tf",
]

Tensor = Any  # TensorFlow has no types
Strategy = Any


class _TensorFlow:
    """The module `tensorflow`, imported at the first use of a name. Not to be used to define
    something at the top of a module.
    """

    def __getattr__(self, name: str) -> Any:
        is_new = "tensorflow" not in sys.modules
        if is_new:
            quiet()
        with needs_extra("train", "a model"), no_search_for_garbage():  # it takes .5 CPU s of 3
            import tensorflow

        if is_new:
            leave_out_what_is_there()
        if tensorflow.__version__.startswith("1."):
            tensorflow.compat.v1.enable_v2_behavior()
        # Among its warnings: that many functions are traced, as a fine-tuning does for each seed.
        tensorflow.compat.v1.logging.set_verbosity(tensorflow.compat.v1.logging.ERROR)
        value = getattr(tensorflow, name)
        setattr(self, name, value)  # found without this function from now on
        return value


tf: Any = _TensorFlow()


def is_version_1() -> bool:
    """Return True on TensorFlow 1.15."""
    return bool(tf.__version__.startswith("1."))


def failures() -> Tuple[Type[Exception], ...]:
    """Return the errors of an operation. Its message may quote bytes of a record; where these are
    no UTF-8, Python cannot make an error of TensorFlow of it.
    """
    return tf.errors.OpError, UnicodeDecodeError


def peer_gone() -> Tuple[Type[Exception], ...]:
    """Return the errors that TensorFlow raises when another process of a training has gone."""
    return tf.errors.UnavailableError, tf.errors.AbortedError


def compiled(function: Callable[..., Any], jit_compile: bool = False) -> Callable[..., Any]:
    """Trace `function` into a graph; with `jit_compile` XLA compiles it.

    Without AutoGraph, which would read the source files again: they may have been updated since
    the training began. Raises UserError for `jit_compile` on TensorFlow 1.15.
    """
    if not jit_compile:
        traced: Callable[..., Any] = tf.function(function, autograph=False)
    elif is_version_1():
        raise UserError(
            "XLA of TensorFlow 1.15 lacks the stateless random numbers: jit_compile=false"
        )
    else:
        traced = tf.function(function, autograph=False, jit_compile=True)
    return traced


def reason(error: Exception) -> str:
    """Return the message of a TensorFlow error without its names of operations."""
    text = re.sub(r"\{\{.*?\}\}|\[Op:.*", " ", str(error), flags=re.DOTALL)
    return " ".join(text.split())[:200]
