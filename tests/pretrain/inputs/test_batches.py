import gzip
import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from data_gen.shared.dataset.features import feature_shapes
from data_gen.shared.errors import UserError
from pretrain.inputs import batches
from pretrain.inputs.batches import all_batches, readable, training_batches
from pretrain.learning.stages import Stage
from pretrain.runtime.devices import distribute, one_device
from pretrain.runtime.tensorflow import is_version_1, tf
from tests.pretrain.helpers import features_of


def raw_examples(info):
    """The examples as TensorFlow's own protocol buffers read them."""
    for path in info.paths:
        for record in tf.data.TFRecordDataset(path):
            yield tf.train.Example.FromString(record.numpy()).features.feature


def test_tensorflow_reads_the_seven_features(info):
    examples = list(raw_examples(info))
    assert len(examples) == info.examples == 78
    shapes = feature_shapes(info.max_seq_length, info.max_predictions_per_seq)
    for example in examples:
        assert set(example) == set(shapes)
        for name, (dtype, size) in shapes.items():
            kind = "int64_list" if dtype == "int64" else "float_list"
            assert example[name].WhichOneof("kind") == kind
            assert len(getattr(example[name], kind).value) == size


def test_batches_hold_the_same_numbers(info):
    examples = iter(raw_examples(info))
    weights = []
    for batch in all_batches(one_device(), info, features_of(info), 32):
        weights.append(batch.pop("example_weights").numpy().tolist())
        for i, example in zip(range(int(sum(weights[-1]))), examples):
            for name, value in batch.items():
                expected = example[name].int64_list.value or example[name].float_list.value
                assert value[i].numpy().tolist() == list(expected)
        assert batch["input_ids"].shape == (32, 48)
    assert weights == [[1] * 32, [1] * 32, [1] * 14 + [0] * 18]
    assert next(examples, None) is None


def test_packed_shards_give_the_same_batches(info, tmp_path):
    shards = []
    for shard, path in zip(info.shards, info.paths):
        with open(path, "rb") as plain, gzip.open(
            str(tmp_path / f"{shard.name}.gz"), "wb"
        ) as packed:
            packed.write(plain.read())
        shards.append(shard._replace(name=f"{shard.name}.gz"))
    packed_info = info._replace(folder=str(tmp_path), shards=tuple(shards))
    batches = list(
        zip(
            all_batches(one_device(), packed_info, features_of(packed_info), 32),
            all_batches(one_device(), info, features_of(info), 32),
        )
    )
    assert len(batches) == 3
    for batch, expected in batches:
        for name, value in expected.items():
            assert np.array_equal(batch[name], value)


def batches_from(info, start=0, seed=1, size=8, parts=1, steps=1):
    stage = Stage(0, None, size, 1.0, 100, 0, parts)
    return training_batches(one_device(), info, features_of(info), stage, seed, start, steps)


@pytest.mark.parametrize(("steps", "parts"), [(1, 1), (2, 4)])
def test_shapes_and_types_are_static(info, steps, parts):
    batches = batches_from(info, parts=parts, steps=steps)
    lead = (steps, parts, 8 // parts)
    assert {n: (x.dtype.name, tuple(x.shape)) for n, x in next(batches).items()} == {
        "input_ids": ("int32", (*lead, 48)),
        "input_mask": ("int32", (*lead, 48)),
        "segment_ids": ("int32", (*lead, 48)),
        "masked_lm_positions": ("int32", (*lead, 12)),
        "masked_lm_ids": ("int32", (*lead, 12)),
        "masked_lm_weights": ("float32", (*lead, 12)),
        "next_sentence_labels": ("int32", (*lead, 1)),
    }


def test_steps_and_parts_do_not_change_what_is_in_a_batch(info):
    whole = ids(batches_from(info), 18)
    assert np.array_equal(whole, ids(batches_from(info, parts=4), 18))
    assert np.array_equal(
        np.concatenate(whole), np.concatenate(ids(batches_from(info, steps=6), 3))
    )


def ids(batches, count):
    """The ids of `count` global batches."""
    found = [batch["input_ids"].numpy() for batch in itertools.islice(batches, count)]
    return [ids.reshape([-1, ids.shape[-1]]) for ids in found]


def test_the_order_is_that_of_seed_and_epoch(info):
    two_epochs = ids(batches_from(info), 18)
    assert np.array_equal(two_epochs, ids(batches_from(info), 18))
    assert not np.array_equal(two_epochs[:9], two_epochs[9:])
    assert not np.array_equal(two_epochs[:9], ids(batches_from(info, seed=2), 9))
    rows = {row.tobytes() for batch in two_epochs[:9] for row in batch}
    assert len(rows) == 72  # nothing twice within an epoch


def test_shards_and_records_both_change_places_with_the_epoch(info, monkeypatch):
    one_shard = info._replace(shards=info.shards[:1])
    count = one_shard.examples // 8
    two_epochs = ids(batches_from(one_shard), 2 * count)
    assert not np.array_equal(two_epochs[:count], two_epochs[count:])
    monkeypatch.setattr(batches, "_SHUFFLE", 1)
    six_epochs = ids(batches_from(info), 54)
    assert len({first[0].tobytes() for first in six_epochs[::9]}) == 2


@pytest.mark.parametrize("steps", [1, 3])
def test_hosts_share_each_batch(info, monkeypatch, steps):
    """Two of two devices each: every host gives its devices theirs in turn."""
    expected = ids(batches_from(info), steps)
    monkeypatch.setattr(batches, "distribute", lambda strategy, make: make(context))
    rows = []
    for host in range(2):
        context = SimpleNamespace(
            num_replicas_in_sync=4, num_input_pipelines=2, input_pipeline_id=host
        )
        of_host = training_batches(
            context, info, features_of(info), Stage(0, None, 8, 1.0, 100, 0), 1, 0, steps
        )
        elements = [batch["input_ids"].numpy() for batch in itertools.islice(of_host, 2)]
        rows.append(np.stack(elements, axis=1))  # [steps, replicas, parts, B, S]
    found = np.stack(rows, axis=1).reshape([steps, 8, -1])
    assert np.array_equal(found, expected)


def test_records_of_another_form_are_an_error_that_names_them(info):
    batches = batches_from(info._replace(max_predictions_per_seq=13))
    with pytest.raises(UserError, match=r"records in .*dataset cannot be read \(.*masked_lm"):
        next(batches)


def test_damaged_records_are_an_error_that_names_them(info, tmp_path):
    damaged = info._replace(folder=str(tmp_path))
    for path, copy in zip(info.paths, damaged.paths):
        with open(path, "rb") as source, open(copy, "wb") as target:
            target.write(source.read().replace(b"input_ids", b"inputsids"))
    said = r"record 1 of part-00000-of-00002.tfrecord: it is cut short, or does .*build them again"
    with pytest.raises(UserError, match=said):
        next(batches_from(damaged))
    features = features_of(damaged)
    with pytest.raises(UserError, match=said):
        list(readable(all_batches(one_device(), damaged, features, 8), damaged, features))


@pytest.mark.parametrize("start", [0, 5, 9, 13])
def test_a_resumed_training_goes_on_at_the_same_batch(info, start):
    whole = ids(batches_from(info), 18)
    assert np.array_equal(whole[start:], ids(batches_from(info, start), 18 - start))


def test_trimming_cuts_what_is_padding_in_all_sequences():
    mask = np.zeros([3, 12], np.int32)
    for row, length in enumerate((2, 7, 5)):
        mask[row, :length] = 1
    batch = {"input_ids": tf.constant(mask * 9), "input_mask": tf.constant(mask)}
    batch["label_ids"] = tf.constant([[1], [0], [2]])
    for pad_to, length in ((None, 12), (4, 8), (5, 10), (8, 8), (32, 12)):
        found = batches.trim(dict(batch), pad_to)
        assert found["input_ids"].shape == found["input_mask"].shape == (3, length)
        assert int(tf.reduce_sum(found["input_mask"])) == 14
        assert found["label_ids"].shape == (3, 1)


def test_micro_batches_of_like_lengths(info):
    stage = Stage(0, None, 8, 1e-3, 100, 0, gradient_accumulation_steps=4)
    plain, by_length = (
        next(training_batches(one_device(), info, features_of(info), stage, 3, 0, 1, sorts))
        for sorts in (False, True)
    )
    lengths = by_length["input_mask"].numpy().sum(-1)
    assert lengths.shape == (1, 4, 2)
    assert lengths.ravel().tolist() == sorted(plain["input_mask"].numpy().sum(-1).ravel())
    assert lengths.min() < lengths.max()
    for name in plain:
        rows = (x[name].numpy().reshape(8, -1).tolist() for x in (plain, by_length))
        assert sorted(next(rows)) == sorted(next(rows))
    # A sequence keeps its own features.
    ids = plain["input_ids"].numpy().reshape(8, -1).tolist()
    for row, labels in zip(
        by_length["input_ids"].numpy().reshape(8, -1).tolist(),
        by_length["masked_lm_ids"].numpy().reshape(8, -1).tolist(),
    ):
        assert plain["masked_lm_ids"].numpy().reshape(8, -1)[ids.index(row)].tolist() == labels


def test_labels_are_counted(info):
    expected = np.zeros([21128], np.int64)
    for example in raw_examples(info):
        weights = example["masked_lm_weights"].float_list.value
        for piece, weight in zip(example["masked_lm_ids"].int64_list.value, weights):
            expected[piece] += weight > 0
    assert batches.label_counts(info, 21128).tolist() == expected.tolist()
    assert expected.sum() > 100


def test_no_tuner_is_waited_for_where_the_reading_ends():
    """The tuner of tf.data wakes up after 10 ms, 20, 40, ... up to a minute; until then the end of
    a training stood still.
    """
    made = []
    strategy = SimpleNamespace(
        distribute_datasets_from_function=lambda make: made.append(make(None)),
        experimental_distribute_datasets_from_function=lambda make: made.append(make(None)),
    )
    distribute(strategy, lambda context: tf.data.Dataset.range(3))
    options = made[0].options()
    if is_version_1():
        assert options.experimental_optimization.autotune is False
    else:
        assert options.autotune.enabled is False
