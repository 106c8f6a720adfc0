"""The differences between TensorFlow 1.15 and the newest, in one place. Import `tf` from here."""

import os
from typing import Any, Callable

from data_gen.settings import UserError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

if tf.__version__.startswith("1."):
    tf.compat.v1.enable_v2_behavior()
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)

Tensor = Any  # TensorFlow has no types

__all__ = ["Tensor", "compiled", "describe", "tf"]


def compiled(function: Callable[..., Any], jit_compile: bool = False) -> Callable[..., Any]:
    """Trace `function` into a graph; with `jit_compile` XLA compiles it."""
    if not jit_compile:
        traced: Callable[..., Any] = tf.function(function)
    elif tf.__version__.startswith("1."):
        raise UserError(
            "XLA of TensorFlow 1.15 lacks the stateless random numbers: jit_compile=false"
        )
    else:
        traced = tf.function(function, jit_compile=True)
    return traced


def describe() -> str:
    """The devices that TensorFlow sees, for the log."""
    gpus = tf.config.experimental.list_physical_devices("GPU")
    return (
        f"TensorFlow {tf.__version__}, {len(gpus)} GPU"
        if gpus
        else f"TensorFlow {tf.__version__}, CPU"
    )
