"""The devices of a training: one or many, of one process or of several.

Everything that trains runs in a `tf.distribute` strategy; with one device that is TensorFlow's
default strategy. The differences of TensorFlow 1.15 are settled here.
"""

import contextlib
import json
import os
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from data_gen.shared.errors import UserError
from pretrain.runtime.tensorflow import (
    Strategy,
    Tensor,
    compiled,
    is_version_1,
    peer_gone,
    reason,
    tf,
)


def open_strategy(tpu: Optional[str] = None) -> Strategy:
    """Return the strategy of all devices of this training: a TPU by name (`local` on a TPU VM), the
    workers that TF_CONFIG lists, or this machine's GPUs.

    Must be called before anything else that uses TensorFlow. Raises UserError if the TPU or
    TF_CONFIG cannot be used.
    """
    if tpu:
        return _tpu_strategy(tpu)
    if processes()[0] > 1:
        return _experimental("MultiWorkerMirroredStrategy")()
    gpus = tf.config.experimental.list_logical_devices("GPU")
    return mirrored([gpu.name for gpu in gpus]) if len(gpus) > 1 else one_device()


def mirrored(devices: Sequence[str]) -> Strategy:
    """Return the strategy of several devices of this process."""
    return tf.distribute.MirroredStrategy(devices)


def one_device() -> Strategy:
    """Return the strategy of one device."""
    return tf.distribute.get_strategy()


def _tpu_strategy(tpu: str) -> Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=tpu)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return _experimental("TPUStrategy")(resolver)
    except (tf.errors.OpError, ValueError, RuntimeError, OSError, ImportError) as error:
        raise UserError(
            f"the TPU {tpu} cannot be used ({reason(error)}): install the "
            "extra tpu and give tpu=local on a TPU VM, or the name of a TPU"
        ) from error


def _experimental(name: str) -> Any:
    """Return a strategy class, which 1.15 keeps under `experimental`."""
    return getattr(tf.distribute, name, None) or getattr(tf.distribute.experimental, name)


def _tf_config() -> Dict[str, Any]:
    try:
        value: Dict[str, Any] = json.loads(os.environ.get("TF_CONFIG") or "{}")
        task = dict(value.get("task") or {})
        task["index"] = int(task.get("index", 0))
        return {"cluster": dict(value.get("cluster") or {}), "task": task}
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(
            'TF_CONFIG must look like {"cluster": {"worker": ["host:port", ...]}, "task": {"type": '
            f'"worker", "index": 0}}}}, but: {error}'
        ) from error


def processes() -> Tuple[int, int]:
    """Return the number of processes in TF_CONFIG and the index of this one; (1, 0) without it."""
    config = _tf_config()
    tasks = [
        (kind, index)
        for kind in ("chief", "worker")
        for index in range(len(config["cluster"].get(kind, [])))
    ]
    if len(tasks) < 2:
        return 1, 0
    task = config["task"].get("type"), config["task"]["index"]
    if task not in tasks:
        raise UserError(f"TF_CONFIG's task {task[0]} {task[1]} is not in its cluster")
    return len(tasks), tasks.index(task)


def is_chief() -> bool:
    """Return True if this process writes the files: the only one, or the first of several."""
    return processes()[1] == 0


def run_replicas(strategy: Strategy, function: Callable[..., Any], *args: Any) -> Any:
    """Run `function` on every replica with its part of the arguments. Returns all results."""
    run = strategy.experimental_run_v2 if is_version_1() else strategy.run
    return run(function, args=args)


def first_replica(strategy: Strategy, value: Any) -> Tensor:
    """Return the result of the first replica of this process."""
    return strategy.experimental_local_results(value)[0]


def distribute(strategy: Strategy, make_dataset: Callable[[Any], Any]) -> Any:
    """Return the input of every replica: `make_dataset(InputContext)` gives the elements of this
    process's replicas in turn. Without AutoGraph, as in `compiled`.
    """

    def make(context: Any) -> Any:
        return untuned(make_dataset(context))

    make = tf.autograph.experimental.do_not_convert(make)
    if is_version_1():
        return strategy.experimental_distribute_datasets_from_function(make)
    return strategy.distribute_datasets_from_function(make)


def untuned(dataset: Any) -> Any:
    """Return the same dataset, whose threads are not tuned while it is read. The tuner sleeps ever
    longer, up to a minute, and is waited for where the reading ends (TensorFlow 2.21).
    """
    options = tf.data.Options()
    if is_version_1():
        options.experimental_optimization.autotune = False
    else:
        options.autotune.enabled = False
    return dataset.with_options(options)


def reader_of(context: Any) -> Tuple[int, int]:
    """Return the number of processes that read, and the index of the one that an InputContext is
    for. That of 1.15 knows only one.
    """
    if processes()[0] > 1:
        return processes()
    return context.num_input_pipelines, context.input_pipeline_id


def replica_context() -> Any:
    """Return the context of the replica; called in a function that `run_replicas` runs."""
    return tf.distribute.get_replica_context()


def first_replica_index(strategy: Strategy) -> int:
    """Return the number to add to `replica_id_in_sync_group` for an index over the replicas of all
    processes: 1.15 counts the replicas of each process from 0.
    """
    count, index = processes()
    return index * (strategy.num_replicas_in_sync // count) if is_version_1() else 0


def summed(value: Tensor, like: Tensor) -> Tensor:
    """Sum `value` over all replicas; called on a replica. `like` is a variable on the devices where
    the sum is wanted.
    """

    def merge(strategy: Strategy, part: Any) -> Any:
        return strategy.extended.reduce_to(tf.distribute.ReduceOp.SUM, part, destinations=like)

    return replica_context().merge_call(merge, args=(value,))


def all_gather_int(strategy: Strategy, number: int, like: Tensor) -> List[int]:
    """Return the number of each process, from 0 to 2**24; all processes have to call it. `like` is
    as in `summed`.
    """
    count, index = processes()
    if count == 1:
        return [number]
    replicas = strategy.num_replicas_in_sync // count

    def on_replica() -> Tensor:
        here = tf.convert_to_tensor(replica_context().replica_id_in_sync_group) % replicas
        mine = tf.where(tf.equal(here, 0), float(number), 0.0)  # once a process
        return summed(tf.one_hot(index, count) * mine, like)

    numbers = compiled(lambda: first_replica(strategy, run_replicas(strategy, on_replica)))()
    return [int(x) for x in numbers.numpy()]


@contextlib.contextmanager
def device_errors_explained() -> Iterator[None]:
    """Turn the errors of the block into UserErrors if a device is out of memory or another process
    is gone.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise UserError(
            f"a device has too little memory ({reason(error)}): gradient_accumulation_steps of "
            "more, or recompute=true"
        ) from error
    except peer_gone() as error:
        if processes()[0] == 1:
            raise
        raise UserError(
            f"another process of this training is gone ({reason(error)}): start all again, "
            "and they go on from the newest checkpoint"
        ) from error


def describe(strategy: Strategy) -> str:
    """Describe the devices in use, for the log."""
    replicas = strategy.num_replicas_in_sync
    kind = type(strategy).__name__.replace("V1", "").replace("V2", "")
    gpus = tf.config.experimental.list_physical_devices("GPU")
    device = "TPU" if "TPU" in kind else "GPU" if gpus else "CPU"
    many = f" x {replicas} ({kind})" if replicas > 1 else ""
    return f"TensorFlow {tf.__version__}, {device}{many}"
