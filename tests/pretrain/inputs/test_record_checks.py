"""Records that lie are refused by name, before they reach the model."""

import hashlib
import itertools
import os
import shutil
import struct

import numpy as np
import pytest

from data_gen.shared.dataset.dataset_info import read_info
from data_gen.shared.errors import UserError
from pretrain.evaluate.measure import Evaluator
from pretrain.inputs.batches import all_batches, label_counts, readable, training_batches
from pretrain.learning.objective import ObjectiveSettings
from pretrain.learning.objectives import OBJECTIVES
from pretrain.learning.stages import Stage
from pretrain.model.bert import init
from pretrain.runtime.devices import one_device
from pretrain.runtime.tensorflow import tf
from tests.pretrain.helpers import DATA, features_of

NUMBER = 5  # of the record that is changed, in the second shard


@pytest.fixture
def limits(info, model):
    return OBJECTIVES["masked_lm"].limits(info, model, ObjectiveSettings())


def records_of(path):
    return [record.numpy() for record in tf.data.TFRecordDataset(path)]


def with_records(info, folder, records):
    """The data set with other records in its second shard; dataset.json says so."""
    shutil.copytree(DATA, str(folder))
    path = os.path.join(str(folder), info.shards[1].name)
    with tf.io.TFRecordWriter(path) as writer:
        for record in records:
            writer.write(record)
    with open(path, "rb") as handle:
        data = handle.read()
    shard = info.shards[1]._replace(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    return info._replace(folder=str(folder), shards=(info.shards[0], shard))


def changed(info, folder, change):
    """The data set with one changed example."""
    records = records_of(info.paths[1])
    example = tf.train.Example.FromString(records[NUMBER - 1])
    change(example.features.feature)
    records[NUMBER - 1] = example.SerializeToString()
    return with_records(info, folder, records)


def put(name, place, value):
    def change(features):
        values = features[name].float_list.value or features[name].int64_list.value
        values[place] = value

    return change


def resize(name, keep, more=()):
    def change(features):
        whole = features[name]
        values = whole.float_list.value or whole.int64_list.value
        kept = [*values[:keep], *more]
        del values[:]
        values.extend(kept)

    return change


def fill(name, value):
    def change(features):
        values = features[name].float_list.value or features[name].int64_list.value
        for i in range(len(values)):
            values[i] = value

    return change


def as_floats(features):
    values = list(features["input_ids"].int64_list.value)
    del features["input_ids"]
    features["input_ids"].float_list.value.extend(map(float, values))


DAMAGES = [
    (put("input_ids", 3, 21128), "input_ids holds a value outside of 0 ... 21127"),
    (put("input_ids", 47, -1), "input_ids holds a value outside of 0 ... 21127"),
    (put("input_ids", 0, 2**32 + 5), "input_ids holds a value outside of 0 ... 21127"),
    (put("segment_ids", 2, 2), "segment_ids holds a value outside of 0 ... 1"),
    (put("masked_lm_positions", 0, 48), "masked_lm_positions holds a value outside of 0 ... 47"),
    (put("masked_lm_positions", 11, -3), "masked_lm_positions holds a value outside of 0 ... 47"),
    (put("masked_lm_ids", 0, 2**32 + 5), "masked_lm_ids holds a value outside of 0 ... 21127"),
    (put("next_sentence_labels", 0, 2), "next_sentence_labels holds a value outside of 0 ... 1"),
    (put("masked_lm_weights", 0, -1.0), "masked_lm_weights holds a value that is neither 0 nor 1"),
    (put("masked_lm_weights", 1, float("nan")), "masked_lm_weights holds a value that is neither"),
    (put("masked_lm_weights", 1, 1e38), "masked_lm_weights holds a value that is neither 0 nor 1"),
    (fill("masked_lm_weights", 0.0), "masked_lm_weights has no 1"),
    (fill("input_mask", 0), "input_mask is not ones, one at least, and then zeros"),
    (put("input_mask", 1, 0), "input_mask is not ones, one at least, and then zeros"),
    (put("input_mask", 0, 2), "input_mask is not ones, one at least, and then zeros"),
    (resize("input_mask", 4, [0] * 44), "masked_lm_positions holds a place after the end"),
    (lambda features: features.__delitem__("segment_ids"), "segment_ids is not 48 values of int64"),
    (resize("masked_lm_ids", 11), "masked_lm_ids is not 12 values of int64"),
    (resize("masked_lm_weights", 12, [0.0]), "masked_lm_weights is not 12 values of float32"),
    (as_floats, "input_ids is not 48 values of int64"),
]


@pytest.mark.parametrize(("change", "sentence"), DAMAGES)
def test_a_record_that_lies_is_named(info, limits, tmp_path, change, sentence):
    lying = changed(info, tmp_path / "data", change)
    features = features_of(lying)
    place = f"record {NUMBER} of part-00001-of-00002.tfrecord: {sentence}"
    batches = all_batches(one_device(), lying, features, 16, limits)
    with pytest.raises(UserError) as error:
        list(readable(batches, lying, features, limits))
    assert place in str(error.value)
    stage = Stage(0, None, 8, 1.0, 100, 0)
    training = training_batches(one_device(), lying, features, stage, 1, 0, limits=limits)
    with pytest.raises(UserError) as error:
        list(itertools.islice(training, 9))
    assert place in str(error.value)


def test_an_empty_record_is_named(info, limits, tmp_path):
    records = records_of(info.paths[1])
    lying = with_records(info, tmp_path / "data", [*records[:7], b"", *records[7:-1]])
    features = features_of(lying)
    with pytest.raises(UserError, match=r"record 8 of part-00001\S*: \w+ is not \d+ values"):
        list(readable(all_batches(one_device(), lying, features, 9), lying, features, limits))


@pytest.mark.parametrize("noise", [b"\x8c\xff\x00\x80" * 60, b"noise" * 60])
def test_a_record_of_noise_is_named(info, limits, tmp_path, noise):
    """TensorFlow quotes it in its message, which need not be UTF-8 then."""
    records = records_of(info.paths[1])
    lying = with_records(info, tmp_path / "data", [*records[:7], noise, *records[8:]])
    features = features_of(lying)
    with pytest.raises(UserError, match=r"record 8 of part-00001\S*: it is no tf.train.Example"):
        list(readable(all_batches(one_device(), lying, features, 9), lying, features, limits))
    stage = Stage(0, None, 8, 1.0, 100, 0)
    with pytest.raises(UserError, match=r"record 8 of part-00001\S*: it is no tf.train.Example"):
        list(itertools.islice(training_batches(one_device(), lying, features, stage, 1, 0), 9))


def test_a_flipped_bit_is_named(info, limits, tmp_path):
    records = records_of(info.paths[1])
    lying = with_records(info, tmp_path / "data", records)
    with open(lying.paths[1], "r+b") as handle:
        handle.seek(sum(len(record) + 16 for record in records[:20]) + 100)
        byte = handle.read(1)
        handle.seek(-1, os.SEEK_CUR)
        handle.write(struct.pack("B", byte[0] ^ 16))
    features = features_of(lying)
    with pytest.raises(UserError, match=r"record 21 of part-00001\S*: it is cut short, or does"):
        list(readable(all_batches(one_device(), lying, features, 9), lying, features, limits))


def test_whole_records_pass(info, limits):
    features = features_of(info)
    batches = readable(all_batches(one_device(), info, features, 32, limits), info, features)
    assert sum(int(batch["example_weights"].numpy().sum()) for batch in batches) == 78


@pytest.mark.parametrize("left", [0, 2])
def test_fewer_records_than_promised_do_not_hang(info, tmp_path, left):
    lying = with_records(info, tmp_path / "data", records_of(info.paths[1])[:left])
    lying = lying._replace(shards=lying.shards[1:])
    stage = Stage(0, None, 8, 1.0, 100, 0)
    batches = training_batches(one_device(), lying, features_of(lying), stage, 1, 0)
    with pytest.raises(UserError, match=r"they are fewer than dataset\.json says"):
        next(batches)


def test_an_evaluation_of_fewer_examples_is_no_evaluation(info, plain_model, tmp_path):
    lying = with_records(info, tmp_path / "data", records_of(info.paths[1])[:9])
    variables, objective = init(plain_model, 1), OBJECTIVES["masked_lm"]
    evaluator = Evaluator(one_device(), variables, plain_model, objective, lying, 103)
    with pytest.raises(UserError, match="does not hold the 78 examples"):
        evaluator()


def test_labels_beyond_the_model_are_not_counted(info, tmp_path):
    lying = changed(info, tmp_path / "data", put("masked_lm_ids", 0, -1))
    with pytest.raises(UserError, match=r"record 5 of .*: masked_lm_ids holds a value outside"):
        label_counts(lying, 21128)
    silent = changed(info, tmp_path / "silent", fill("masked_lm_weights", 0.0))
    with pytest.raises(UserError, match=r"record 5 of .*: masked_lm_weights has no 1"):
        label_counts(silent, 21128)


def test_labels_of_a_task_are_held_to_its_classes(root, model):
    info = read_info(os.path.join(root, "tests/golden/finetuning/pair/train"))
    objective = OBJECTIVES["classification"]
    features = objective.features(info)
    for labels, message in ((["0", "1", "2"], None), (["0"], "label_ids holds a value outside")):
        limits = objective.limits(info, model, ObjectiveSettings("classification", "none", labels))
        batches = readable(
            all_batches(one_device(), info, features, 8, limits), info, features, limits
        )
        if message:
            with pytest.raises(UserError, match=message):
                list(batches)
        else:
            assert np.concatenate([batch["label_ids"].numpy() for batch in batches]).max() >= 1
