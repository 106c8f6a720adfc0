"""The only import of TensorFlow, and what differs between 1.15 and 2.x."""

import os
import re
from typing import Any, Callable

from data_gen.shared.errors import UserError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

__all__ = ["PEER_GONE", "VERSION_1", "Strategy", "Tensor", "compiled", "reason", "tf"]

VERSION_1 = tf.__version__.startswith("1.")
if VERSION_1:
    tf.compat.v1.enable_v2_behavior()
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)

# What is raised where another process of a training has gone.
PEER_GONE = (tf.errors.UnavailableError, tf.errors.AbortedError)

Tensor = Any  # TensorFlow has no types
Strategy = Any


def compiled(function: Callable[..., Any], jit_compile: bool = False) -> Callable[..., Any]:
    """Trace `function` into a graph; with `jit_compile` XLA compiles it.

    Without AutoGraph, which would read the sources anew: they may have been updated since a
    training began.
    """
    if not jit_compile:
        traced: Callable[..., Any] = tf.function(function, autograph=False)
    elif VERSION_1:
        raise UserError(
            "XLA of TensorFlow 1.15 lacks the stateless random numbers: jit_compile=false"
        )
    else:
        traced = tf.function(function, autograph=False, jit_compile=True)
    return traced


def reason(error: Exception) -> str:
    """What an error of TensorFlow says, without its names for operations."""
    text = re.sub(r"\{\{.*?\}\}|\[Op:.*", " ", str(error), flags=re.DOTALL)
    return " ".join(text.split())[:200]
