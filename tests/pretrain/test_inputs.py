import itertools

import numpy as np
import pytest

from data_gen.features import feature_shapes
from pretrain.devices import tf
from pretrain.inputs import all_batches, training_batches


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
    examples = raw_examples(info)
    sizes = []
    for batch in all_batches(info, 32):
        sizes.append(batch["input_ids"].shape[0])
        for i, example in zip(range(sizes[-1]), examples):
            for name, value in batch.items():
                expected = example[name].int64_list.value or example[name].float_list.value
                assert value[i].numpy().tolist() == list(expected)
    assert sizes == [32, 32, 14]


def test_shapes_and_types_are_static(info):
    for batch in (next(training_batches(info, 8, 1, 0)), next(iter(all_batches(info, 8)))):
        assert {name: (x.dtype.name, tuple(x.shape)) for name, x in batch.items()} == {
            "input_ids": ("int32", (8, 48)),
            "input_mask": ("int32", (8, 48)),
            "segment_ids": ("int32", (8, 48)),
            "masked_lm_positions": ("int32", (8, 12)),
            "masked_lm_ids": ("int32", (8, 12)),
            "masked_lm_weights": ("float32", (8, 12)),
            "next_sentence_labels": ("int32", (8, 1)),
        }


def ids(batches, count):
    return [batch["input_ids"].numpy() for batch in itertools.islice(batches, count)]


def test_the_order_is_that_of_seed_and_epoch(info):
    two_epochs = ids(training_batches(info, 8, 1, 0), 18)
    assert np.array_equal(two_epochs, ids(training_batches(info, 8, 1, 0), 18))
    assert not np.array_equal(two_epochs[:9], two_epochs[9:])
    assert not np.array_equal(two_epochs[:9], ids(training_batches(info, 8, 2, 0), 9))
    rows = {row.tobytes() for batch in two_epochs[:9] for row in batch}
    assert len(rows) == 72  # nothing twice within an epoch


@pytest.mark.parametrize("start", [0, 5, 9, 13])
def test_a_resumed_training_goes_on_at_the_same_batch(info, start):
    whole = ids(training_batches(info, 8, 1, 0), 18)
    assert np.array_equal(whole[start:], ids(training_batches(info, 8, 1, start), 18 - start))
