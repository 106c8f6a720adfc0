"""Checks of the values in records, as operations of the input pipeline: an id beyond the vocabulary
would read other memory on some devices and give NaN on others.

B batch, S max_seq_length, P max_predictions_per_seq.
"""

import os
import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

import numpy as np

from data_gen.shared.dataset.dataset_info import DatasetInfo
from pretrain.runtime.tensorflow import Tensor, failures, tf

Features = Dict[str, Tuple[str, int]]  # name -> (dtype, length)
Limits = Mapping[str, int]  # name of a feature -> its integers are below this
Parsed = Dict[str, Tensor]  # int64 or float32 [B, length] by name

_AT_ONCE = 1024  # records
_INT32 = 1 << 31


def faults(parsed: Parsed, limits: Limits) -> List[Tuple[str, Tensor]]:
    """Return what may be wrong with records: (a sentence about it, bool scalar: it is so).

    Integers are at least 0 and below their limit; floats are weights, 1 of a prediction or 0 of
    padding; a mask is ones, then zeros; a prediction lies within its sequence.
    """
    found = []
    for name, x in parsed.items():
        if x.dtype == tf.int64:
            stop = limits.get(name, _INT32)
            outside = tf.logical_or(x < 0, x >= stop)
            sentence = f"{name} holds a value outside of 0 ... {stop - 1}"
        else:
            outside = tf.logical_not(tf.logical_or(tf.equal(x, 0.0), tf.equal(x, 1.0)))
            sentence = f"{name} holds a value that is neither 0 nor 1"
        found.append((sentence, tf.reduce_any(outside)))
    if "input_mask" in parsed:
        found += _of_mask(parsed["input_mask"])
    if "masked_lm_weights" in parsed:
        none = tf.reduce_any(tf.reduce_max(parsed["masked_lm_weights"], axis=1) <= 0)
        found.append(("masked_lm_weights has no 1", none))
    if {"input_mask", "masked_lm_positions", "masked_lm_weights"} <= set(parsed):
        found += _of_predictions(*(parsed[n] for n in ("input_mask", *_OF_PREDICTIONS)))
    return found


_OF_PREDICTIONS = ("masked_lm_positions", "masked_lm_weights")


def _of_mask(mask: Tensor) -> List[Tuple[str, Tensor]]:
    rises = tf.reduce_any(mask[:, 1:] > mask[:, :-1])
    bad = tf.reduce_any([rises, tf.reduce_any(mask > 1), tf.reduce_any(mask[:, 0] < 1)])
    return [("input_mask is not ones, one at least, and then zeros", bad)]


def _of_predictions(mask: Tensor, positions: Tensor, weights: Tensor) -> List[Tuple[str, Tensor]]:
    lengths = tf.reduce_sum(mask, axis=1, keepdims=True)
    outside = tf.logical_and(positions >= lengths, weights > 0)
    return [
        ("masked_lm_positions holds a place after the end of the sequence", tf.reduce_any(outside)),
    ]


def parse_checked(records: Tensor, features: Features, limits: Limits) -> Parsed:
    """Parse a batch of serialized examples at once (four times as fast as one by one).

    records: string [B]
    Fails with an error of TensorFlow at a record that lacks a feature or holds impossible values.
    """
    parsed = _parse(records, features)
    wrong = tf.reduce_any([is_so for _, is_so in faults(parsed, limits)])
    check = tf.debugging.Assert(tf.logical_not(wrong), ["a record holds impossible values"])
    with tf.control_dependencies([check] if check is not None else []):
        return {name: tf.identity(x) for name, x in parsed.items()}


def _parse(records: Tensor, features: Features) -> Parsed:
    wanted = {
        name: tf.io.FixedLenFeature([size], getattr(tf, dtype))
        for name, (dtype, size) in features.items()
    }
    parsed: Parsed = tf.io.parse_example(records, wanted)
    return parsed


def find_fault(
    info: DatasetInfo, read: Callable[[str], Any], features: Features, limits: Limits
) -> Optional[str]:
    """Search all records for the first that cannot be used, and say where it is and why; None if
    there is none. It takes the time of reading the data: for the message of a failure.

    read: a path -> its records as a tf.data.Dataset
    """
    for path in info.paths:
        name, records, number = os.path.basename(path), read(path), 0
        try:
            for some in records.batch(_AT_ONCE):
                problem = _first_problem(some, features, limits)
                if problem:
                    return f"record {number + problem[0]} of {name}: {problem[1]}"
                number += int(some.shape[0])
        except failures():
            return _unreadable(records.skip(number), number, name, features, limits)
    return None


def _unreadable(
    records: Any, number: int, name: str, features: Features, limits: Limits
) -> Optional[str]:
    """Find the record after the first `number` that cannot be read: batches end before it."""
    try:
        for record in records:
            problem = _first_problem(tf.stack([record]), features, limits)
            if problem:
                return f"record {number + 1} of {name}: {problem[1]}"
            number += 1
    except failures():
        return f"record {number + 1} of {name}: it is cut short, or does not fit its checksum"
    return None


def _first_problem(
    records: Tensor, features: Features, limits: Limits
) -> Optional[Tuple[int, str]]:
    """Return the place in the batch, from 1, of a record that cannot be used, and the reason."""
    try:
        parse_checked(records, features, limits)
        return None
    except failures():
        found = ((i + 1, _problem(records[i : i + 1], features, limits)) for i in _each(records))
        return next(((i, problem) for i, problem in found if problem), None)


def _each(records: Tensor) -> "np.ndarray":
    return np.arange(int(records.shape[0]))


def _problem(record: Tensor, features: Features, limits: Limits) -> str:
    """Say why one record, string [1], cannot be used; empty if it can."""
    try:
        parsed = _parse(record, features)
    except failures() as error:
        for name, (dtype, length) in features.items():
            if re.search(rf"\b{name}\b", str(error)):
                return f"{name} is not {length} values of {dtype}"
        return "it is no tf.train.Example"
    return next((sentence for sentence, is_so in faults(parsed, limits) if bool(is_so)), "")
