"""TFRecords -> batches of int32 tensors, in an order that (seed, epoch) decide.

S is max_seq_length, P is max_predictions_per_seq, B the batch size.
"""

import os
from typing import Any, Callable, Iterable, Iterator, Optional, Sequence, Tuple

import numpy as np

from data_gen.shared.dataset.dataset_info import (
    MANIFEST,
    DatasetInfo,
    not_a_build,
    parse_info,
    read_info,
)
from data_gen.shared.errors import UserError
from pretrain.inputs.record_checks import Features, Limits, find_fault, parse_checked
from pretrain.learning.objective import Batch
from pretrain.learning.stages import Stage
from pretrain.runtime import files
from pretrain.runtime.devices import distribute, processes, reader_of, untuned
from pretrain.runtime.stopping import waited_for
from pretrain.runtime.tensorflow import Strategy, Tensor, failures, peer_gone, reason, tf

# Serialized records. The build has shuffled all shards already; this varies the order by epoch.
_SHUFFLE = 8192
# Features with a number for each position.
_OF_POSITIONS = ("input_ids", "input_mask", "segment_ids")
NO_LIMITS: Limits = {}
_TOO_FEW = "they are fewer than dataset.json says"


def open_data(folder: str) -> DatasetInfo:
    """Open the output of `data_gen build`, on a disk or in a bucket that TensorFlow reads.

    Raises UserError if that is no finished build, or lacks a shard.
    """
    if not files.is_url(folder):
        return read_info(folder)
    names = files.names(folder)
    if MANIFEST not in names:
        raise not_a_build(folder)
    text = files.read_bytes(os.path.join(folder, MANIFEST))
    return parse_info(folder, text, dict.fromkeys(names))


def parse(records: Tensor, features: Features, limits: Limits = NO_LIMITS) -> Batch:
    """Parse a batch of serialized examples and check their values.

    records:  string [B]
    features: those to read, by `Objective.features`
    limits:   of their integers, by `Objective.limits`
    Returns   name -> int32 or float32 [B, length], e.g. [B, S] or [B, P]
    """
    parsed = parse_checked(records, features, limits)
    return {name: tf.cast(x, tf.int32) if x.dtype == tf.int64 else x for name, x in parsed.items()}


def training_batches(
    strategy: Strategy,
    info: DatasetInfo,
    features: Features,
    stage: Stage,
    seed: int,
    start: int,
    steps: int = 1,
    by_length: bool = False,
    limits: Limits = NO_LIMITS,
    numbered: bool = False,
) -> Iterator[Batch]:
    """Yield the input of every replica without end, each element that of `steps` steps, from step
    `start` of the stage on: name -> [steps, micro batches, B, ...].

    A global batch is the same for any number of replicas, processes, micro batches and steps.
    Examples that do not fill one end an epoch. The data must fill at least one. With `by_length`
    each micro batch holds sequences of like lengths of a device's part of the batch. `numbered`
    adds `example_numbers`, int32 [steps, micro batches, B]: the place of each in the global batch.
    """
    micro_batches = stage.gradient_accumulation_steps
    size = share(stage.train_batch_size, strategy.num_replicas_in_sync * micro_batches)

    def of_steps(batch: Batch) -> Batch:
        parts = {n: tf.reshape(x, [steps, -1, *x.shape[1:]]) for n, x in batch.items()}
        return _sorted(parts) if by_length else parts

    def make(context: Any) -> Any:
        records = _records(info, stage.train_batch_size, seed, start)
        groups = records.batch(steps * stage.train_batch_size, drop_remainder=True)
        if numbered:
            places = tf.tile(tf.range(stage.train_batch_size), [steps])
            groups = groups.map(lambda records: (records, places))
        return _of_replicas(
            groups,
            context,
            lambda records, *numbers: {
                name: tf.reshape(x, [steps, micro_batches, size, *x.shape[2:]])
                for name, x in of_steps(
                    {**parse(records, features, limits), **_numbered(*numbers)}
                ).items()
            },
            steps,
        )

    return readable(distribute(strategy, make), info, features, limits)


def label_counts(info: DatasetInfo, vocab_size: int) -> np.ndarray:
    """Count how often each piece is a label of the masked LM in all records; int64 [V]."""
    width = info.max_predictions_per_seq
    features = {"masked_lm_ids": ("int64", width), "masked_lm_weights": ("float32", width)}
    limits = {"masked_lm_ids": vocab_size}
    groups = _read(info.paths, info).batch(_SHUFFLE)
    parsed = groups.map(lambda records: parse(records, features, limits))
    counts = np.zeros([vocab_size], np.int64)
    for batch in readable(untuned(parsed), info, features, limits):
        labels = batch["masked_lm_ids"].numpy()[batch["masked_lm_weights"].numpy() > 0]
        counts += np.bincount(labels, minlength=vocab_size)
    return counts


def _sorted(batch: Batch) -> Batch:
    """Sort the sequences of each step by length, the shortest first; int32 [steps, B, ...]."""
    order = tf.argsort(tf.reduce_sum(batch["input_mask"], axis=2), stable=True)
    return {name: tf.gather(x, order, batch_dims=1) for name, x in batch.items()}


def trim(batch: Batch, pad_to: Optional[int]) -> Batch:
    """Cut off the padding that all sequences of a batch have; int32 [B, S] -> [B, S'], S' a
    multiple of `pad_to`, or S. None leaves the batch as it is.
    """
    if pad_to is None:
        return batch
    longest = tf.reduce_max(tf.reduce_sum(batch["input_mask"], axis=1))
    length = -(-longest // pad_to) * pad_to
    return {n: x[:, :length] if n in _OF_POSITIONS else x for n, x in batch.items()}


def readable(
    batches: Iterable[Batch],
    info: DatasetInfo,
    features: Features,
    limits: Limits = NO_LIMITS,
) -> Iterator[Batch]:
    """Yield the same batches. Raises UserError at a record that is damaged, holds impossible values
    or has other features than dataset.json says, and names it.
    """
    try:
        yield from waited_for(batches)
    except failures() as error:
        if isinstance(error, peer_gone()) and processes()[0] > 1:
            raise  # several processes read in step
        problem = find_fault(info, lambda path: _read([path], info), features, limits)
        if not problem and _TOO_FEW in str(error):
            problem = _TOO_FEW
        raise UserError(
            f"the records in {info.folder} cannot be read ({problem or reason(error)}): copy or "
            "build them again"
        ) from error


def share(batch_size: int, ways: int) -> int:
    """Return the sequences that each device works on at a time. Raises UserError if the batch
    cannot be divided equally.
    """
    if batch_size % ways:
        raise UserError(
            f"train_batch_size {batch_size} cannot be shared equally among {ways} devices times "
            "gradient_accumulation_steps: use a multiple"
        )
    return batch_size // ways


def _of_replicas(groups: Any, context: Any, read: Callable[..., Batch], steps: int = 1) -> Any:
    """Turn elements of `steps` global batches each into one element for each replica of this
    process: the result of `read` for all its records.
    """
    readers, index = reader_of(context)
    replicas = context.num_replicas_in_sync // readers
    shape = [steps, readers, replicas, -1]
    mine = groups.map(lambda *group: tuple(_of_process(x, shape, index) for x in group))
    each = mine.flat_map(lambda *parts: tf.data.Dataset.from_tensor_slices(parts))
    parsed = each.map(read, num_parallel_calls=tf.data.experimental.AUTOTUNE)
    return parsed.prefetch(2 * replicas)


def _of_process(group: Tensor, shape: Sequence[int], index: int) -> Tensor:
    """Take [steps * batch] as [steps, processes, replicas, B]; return the part of one process,
    [replicas, steps * B].
    """
    mine = tf.reshape(group, shape)[:, index]
    return tf.reshape(tf.transpose(mine, [1, 0, 2]), [shape[2], -1])


def _records(info: DatasetInfo, batch_size: int, seed: int, start: int) -> Any:
    """Read serialized examples from global batch `start` on, shuffled anew with each epoch."""
    per_epoch = info.examples // batch_size
    first, done = divmod(start, per_epoch)

    def of_epoch(epoch: Tensor) -> Any:
        keys = tf.stack([tf.constant(seed, tf.int64), epoch])
        order = tf.argsort(tf.random.stateless_uniform([len(info.paths)], keys))
        records = _read(tf.gather(info.paths, order), info)
        shuffled = records.shuffle(
            _SHUFFLE, seed=(seed << 20) + epoch, reshuffle_each_iteration=False
        )
        # Without it a training on fewer records than promised would wait for more without end.
        return shuffled.concatenate(_too_few()).take(per_epoch * batch_size)

    epochs = tf.data.Dataset.range(first, 1 << 40)
    return epochs.flat_map(of_epoch).skip(done * batch_size)


def _too_few() -> Any:
    """Return a dataset that fails when it is asked for its element."""

    def fail(_: Tensor) -> Tensor:
        check = tf.debugging.Assert(False, [_TOO_FEW])
        with tf.control_dependencies([check]):
            return tf.constant("")

    return tf.data.Dataset.range(1).map(fail)


def _read(paths: Any, info: DatasetInfo) -> Any:
    compression = "GZIP" if info.paths[0].endswith(".gz") else ""
    return tf.data.TFRecordDataset(paths, compression_type=compression)


def all_batches(
    strategy: Strategy,
    info: DatasetInfo,
    features: Features,
    size: int,
    limits: Limits = NO_LIMITS,
    numbered: bool = False,
) -> Any:
    """Return every example once, in the shards' order, in batches of `size` for every replica; may
    be iterated again and again, best with `readable`.

    `example_weights`, float32 [B], is 0 for the copies that fill up the last batches, else 1. With
    `numbered` `example_numbers`, int32 [B], is the place of each among all examples.
    """

    def make(context: Any) -> Any:
        whole = size * context.num_replicas_in_sync
        groups = _read(info.paths, info).batch(whole).map(lambda records: _filled(records, whole))
        if numbered:
            firsts = tf.data.Dataset.range(0, 1 << 40, whole)
            groups = tf.data.Dataset.zip((groups, firsts)).map(
                lambda group, first: (*group, tf.cast(first, tf.int32) + tf.range(whole))
            )
        return _of_replicas(
            groups,
            context,
            lambda records, weights, *numbers: {
                **parse(tf.reshape(records, [size]), features, limits),
                "example_weights": tf.reshape(weights, [size]),
                **{name: tf.reshape(x, [size]) for name, x in _numbered(*numbers).items()},
            },
        )

    return distribute(strategy, make)


def _numbered(*numbers: Tensor) -> Batch:
    return dict(zip(["example_numbers"], numbers))


def _filled(records: Tensor, size: int) -> Tuple[Tensor, Tensor]:
    """Fill up at most `size` records. Returns string [size] and float32 [size]: 1, or 0 for copies
    of the first record.
    """
    count = tf.size(records)
    filled = tf.concat([records, tf.fill([size - count], records[0])], axis=0)
    return filled, tf.cast(tf.range(size) < count, tf.float32)
