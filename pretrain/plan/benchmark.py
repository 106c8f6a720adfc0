"""Measure how fast this machine trains: steps, input, and products of matrices alone.

All measurements to compare are made in one run, in turns, so that other work on the machine slows
all of them.
"""

import contextlib
import dataclasses
import os
import tempfile
import time
from typing import Any, Dict, List, Optional

import numpy as np

from data_gen.shared.dataset.dataset_info import DatasetInfo, Shard
from data_gen.shared.errors import UserError
from data_gen.shared.memory import peak_memory
from pretrain.config import TrainConfig
from pretrain.inputs.batches import share, training_batches
from pretrain.inputs.record_checks import Features
from pretrain.learning.objectives import OBJECTIVES
from pretrain.learning.stages import Stage
from pretrain.model.config import BertConfig
from pretrain.runtime.devices import describe, device_errors_explained, open_strategy
from pretrain.runtime.speed import matmul_rate
from pretrain.runtime.tensorflow import Strategy, tf
from pretrain.train.state import new_state
from pretrain.train.step import TrainStep

_EXAMPLES = 20480


def bench(
    model: BertConfig, config: TrainConfig, length: int, predictions: int, seconds: float
) -> Dict[str, Any]:
    """Measure the step that `config` describes, a plain float32 step if that fits in memory, too,
    and the input alone.

    seconds: time for which each kind of step is repeated; the fastest counts
    """
    strategy = open_strategy(config.tpu)
    stage = config.resolved_stages()[0]
    share(stage.train_batch_size, strategy.num_replicas_in_sync * stage.gradient_accumulation_steps)
    with tempfile.TemporaryDirectory() as folder:
        objective = OBJECTIVES[config.objective]
        info = DatasetInfo(folder, length, predictions, "", "", (), {})
        features = objective.features(info)
        info = random_records(info, features, model.vocab_size)
        with device_errors_explained():
            steps = {"step": _step(strategy, model, config, stage, info)}
        memory = _peak_memory()
        with contextlib.suppress(tf.errors.ResourceExhaustedError):  # it may need more memory
            steps["plain"] = _step(strategy, model, _plain(config), stage, info)
        times = _times(steps, seconds)
        read = input_rate(strategy, info, features, stage)
    flops = stage.train_batch_size * objective.flops(model, length, predictions, False)
    rate = 0.0 if config.tpu else matmul_rate(config.precision) * strategy.num_replicas_in_sync
    return {
        "devices": describe(strategy),
        "precision": config.precision,
        "jit_compile": config.jit_compile,
        "train_batch_size": stage.train_batch_size,
        "max_seq_length": length,
        **_speed(times, stage.train_batch_size, length, config.steps_per_call, flops, rate),
        "input_examples_per_second": round(read),
        "peak_memory_mib": memory,
    }


def _speed(
    times: Dict[str, List[float]],
    batch_size: int,
    length: int,
    steps_per_call: int,
    flops: float,
    rate: float,
) -> Dict[str, Any]:
    """Return the speed of the fastest call; `rate`: operations a second of products alone, or 0."""
    each = min(times["step"]) / steps_per_call
    plain = min(times["plain"]) if "plain" in times else None
    return {
        "seconds_per_step": round(each, 4),
        "seconds_per_plain_float32_step": round(plain, 4) if plain else None,
        "share_of_plain": round(each / plain, 3) if plain else None,
        "tokens_per_second": round(batch_size * length / each),
        "examples_per_second": round(batch_size / each, 2),
        "matmul_gflops_per_second": round(rate / 1e9, 1),
        "utilisation": round(flops / each / rate, 3) if rate else None,
    }


def _plain(config: TrainConfig) -> TrainConfig:
    """Return the settings of the same training as a plain `tf.function` in float32."""
    return dataclasses.replace(
        config, precision="float32", jit_compile=False, recompute=False, steps_per_call=1
    )


def _step(
    strategy: Strategy, model: BertConfig, config: TrainConfig, stage: Stage, info: DatasetInfo
) -> Any:
    """Return a function that trains once more on the same batch, after two calls that compile and
    warm up; with float16 after more, until the scale of the loss lets a step be done.

    Raises UserError if a step is skipped because its loss is NaN or infinite.
    """
    step = TrainStep(strategy, model, config, stage, new_state(strategy, model, config))
    objective = OBJECTIVES[config.objective]
    batches = training_batches(
        strategy,
        info,
        objective.features(info),
        stage,
        1,
        0,
        config.steps_per_call,
        numbered=objective.prepare is not None,
    )
    batch = next(batches)

    def train() -> float:
        outcome = step(batch)
        if outcome.failed:
            raise UserError(
                f"{outcome.failed} is NaN or infinite on random pieces: another precision"
            )
        return float(outcome.sums.get("skipped_steps", 0))

    train()
    for _ in range(16):  # from the first scale of the loss down to 1
        if not train():
            break
    return train


def _times(steps: Dict[str, Any], seconds: float) -> Dict[str, List[float]]:
    """Measure the seconds of each call, in turns."""
    times: Dict[str, List[float]] = {name: [] for name in steps}
    end = time.perf_counter() + seconds * len(steps)
    while not times["step"] or time.perf_counter() < end:
        for name, call in steps.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return times


def input_rate(strategy: Strategy, info: DatasetInfo, features: Features, stage: Stage) -> float:
    """Measure the examples a second that the input gives without any training, in batches of at
    least 256: the best of three passes.
    """
    size = stage.train_batch_size * -(-256 // stage.train_batch_size)
    large = dataclasses.replace(stage, train_batch_size=size)
    batches = training_batches(strategy, info, features, large, 1, 0)
    next(batches)
    rates = []
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(_EXAMPLES // size):
            next(batches)
        rates.append(_EXAMPLES // size * size / (time.perf_counter() - start))
    return max(rates)


def random_records(
    info: DatasetInfo, features: Features, vocab_size: int, count: int = _EXAMPLES
) -> DatasetInfo:
    """Write random pieces, all sequences of full length, to the folder of a data set without
    shards. Returns it with its shard.
    """
    rng = np.random.RandomState(0)
    highest = {
        "input_ids": vocab_size,
        "segment_ids": 2,
        "masked_lm_positions": info.max_seq_length,
        "masked_lm_ids": vocab_size,
        "next_sentence_labels": 2,
    }
    shard = Shard("part-00000-of-00001.tfrecord", count, 0, "")
    with tf.io.TFRecordWriter(os.path.join(info.folder, shard.name)) as writer:
        for _ in range(count):
            columns = {}
            for name, (dtype, size) in features.items():
                top = highest.get(name)
                values = rng.randint(0, top, size) if top else np.ones(size, np.int64)
                columns[name] = _feature(dtype, values)
            example = tf.train.Example(features=tf.train.Features(feature=columns))
            writer.write(example.SerializeToString())
    return info._replace(shards=(shard,))


def _feature(dtype: str, values: "np.ndarray") -> Any:
    if dtype == "int64":
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values.tolist()))
    return tf.train.Feature(float_list=tf.train.FloatList(value=values.tolist()))


def _peak_memory() -> Optional[int]:
    """Return the peak memory of the first GPU, without one of this process; MiB. None where the
    system does not tell.
    """
    if tf.config.experimental.list_physical_devices("GPU"):
        info = getattr(tf.config.experimental, "get_memory_info", None)
        if info:
            return int(info("GPU:0")["peak"] >> 20)
    used = peak_memory()
    return None if used is None else used >> 20
