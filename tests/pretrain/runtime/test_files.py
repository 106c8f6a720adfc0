"""A training whose data and output are in a bucket; TensorFlow's `ram://` stands for one."""

import json
import os

import pytest

from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.checkpoint.load import load_model
from pretrain.evaluate.measure import evaluate
from pretrain.exchange.export_release import export_tf1
from pretrain.inputs.batches import open_data
from pretrain.runtime import files
from pretrain.runtime.tensorflow import is_version_1, tf
from pretrain.train.loop import train
from tests.pretrain.helpers import DATA

pytestmark = pytest.mark.skipif(is_version_1(), reason="TensorFlow 1.15 has no ram://")


@pytest.fixture
def bucket(request):
    """A folder that goes with the test."""
    url = f"ram://bucket/{request.node.name}"
    files.make_folder(url)
    yield url
    files.remove_folder(url)


@pytest.fixture
def data(bucket):
    files.make_folder(f"{bucket}/data")
    for name in os.listdir(DATA):
        files.copy(f"{DATA}/{name}", f"{bucket}/data/{name}")
    return f"{bucket}/data"


def lines_of(folder):
    text = files.read_text(f"{folder}/metrics.jsonl")
    return [json.loads(line) for line in text.splitlines()]


def test_a_training_in_a_bucket_is_that_on_a_disk(bucket, data, settings, tmp_path):
    on_disk, remote = str(tmp_path / "model"), f"{bucket}/model"
    for folder in (on_disk, remote):
        assert train(settings(), [data], folder, None) == f"{folder}/model.ckpt-20"
    there, here = (
        {name for name in files.names(folder) if not name.startswith("events")}
        for folder in (remote, on_disk)
    )
    assert there == here
    there, here = (store.read(f"{folder}/model.ckpt-20") for folder in (remote, on_disk))
    assert there.keys() == here.keys()
    assert all((there[name] == here[name]).all() for name in here)
    there, here = ([line["loss"] for line in lines_of(folder)] for folder in (remote, on_disk))
    assert there == here
    assert len(here) == 4
    (events,) = [name for name in files.names(remote) if name.startswith("events")]
    assert len(list(tf.data.TFRecordDataset(f"{remote}/{events}"))) == 6


def test_it_goes_on_from_its_checkpoint_and_can_be_used(bucket, data, settings, tmp_path):
    remote = f"{bucket}/model"
    train(settings(), [data], remote, None)
    for part in ("index", "data-00000-of-00001"):
        files.remove(f"{remote}/model.ckpt-20.{part}")
    before = lines_of(remote)
    train(settings(), [data], remote, None)
    again = lines_of(remote)
    assert [line["step"] for line in again] == [5, 10, 15, 20]
    assert [line["loss"] for line in again] == [line["loss"] for line in before]
    release = str(tmp_path / "release")
    export_tf1(remote, release)
    of_release, of_remote = (evaluate(load_model(folder), data) for folder in (release, remote))
    assert of_release["masked_lm_loss"] == of_remote["masked_lm_loss"]


def test_a_bucket_without_a_finished_build_is_told(bucket, data):
    files.remove(f"{data}/part-00001-of-00002.tfrecord")
    with pytest.raises(UserError, match=r"part-00001-of-00002\.tfrecord is missing"):
        open_data(data)
    files.remove(f"{data}/dataset.json")
    with pytest.raises(UserError, match=r"has no dataset\.json, so no finished build"):
        open_data(data)


def test_a_file_is_there_whole_or_not_at_all(bucket, monkeypatch):
    path = f"{bucket}/run.json"
    files.write_text(path, "one")
    monkeypatch.setattr(files, "move", lambda *paths: None)
    files.write_text(path, "two")
    assert files.read_text(path) == "one"
