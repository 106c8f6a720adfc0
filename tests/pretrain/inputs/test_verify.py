"""Shards are compared with dataset.json once, before they are read."""

import json
import os
import shutil

import pytest

from data_gen.shared.dataset.dataset_info import read_info
from data_gen.shared.errors import UserError
from pretrain.inputs import verify as module
from pretrain.inputs.verify import verify
from pretrain.train.loop import train
from tests.pretrain.helpers import DATA


@pytest.fixture
def data(tmp_path):
    return shutil.copytree(DATA, str(tmp_path / "data"))


@pytest.fixture
def passes(monkeypatch):
    """The files that are gone through."""
    found = []
    whole = module.fault

    def fault(path, shard):
        found.append(os.path.basename(path))
        return whole(path, shard)

    monkeypatch.setattr(module, "fault", fault)
    return found


def flip(path, at=500):
    with open(path, "rb") as handle:
        data = bytearray(handle.read())
    data[at] ^= 1
    with open(path, "wb") as handle:
        handle.write(data)


def test_a_file_is_gone_through_once(data, passes):
    info = read_info(data)
    stamps = verify([info, info], {})
    assert sorted(passes) == [shard.name for shard in info.shards]
    assert verify([info], stamps) == stamps
    assert len(passes) == 2
    os.utime(info.paths[0], (1, 1))
    assert verify([info], stamps) != stamps
    assert passes[2:] == [info.shards[0].name]


def test_a_flipped_bit_under_the_right_size_is_found(data):
    info = read_info(data)
    flip(info.paths[1])
    with pytest.raises(UserError, match=r"part-00001\S* is not the file that dataset\.json"):
        verify([info], {})


def test_a_training_begins_with_it_and_remembers(data, passes, settings, tmp_path):
    config, output = settings("num_train_steps=2", "save_checkpoints_steps=1"), tmp_path / "out"
    train(config, [data], str(output), None)
    assert len(passes) == 2
    assert json.loads((output / "run.json").read_text())["shards_verified"] is True
    module._fault.cache_clear()
    os.remove(str(output / "model.ckpt-2.index"))
    train(config, [data], str(output), None)
    assert len(passes) == 2
    flip(os.path.join(data, "part-00000-of-00002.tfrecord"))
    with pytest.raises(UserError, match="its sha256 is another: copy it again"):
        train(config, [data], str(output), None)


def test_it_can_be_skipped_and_run_json_says_so(data, passes, settings, tmp_path):
    train(settings("num_train_steps=2"), [data], str(tmp_path / "out"), None, verified=False)
    assert not passes
    assert json.loads((tmp_path / "out" / "run.json").read_text())["shards_verified"] is False


def test_a_damaged_note_costs_a_second_pass_alone(data, settings, tmp_path):
    output = tmp_path / "out"
    train(settings("num_train_steps=2"), [data], str(output), None)
    for damage in ("{", "[" * 10000, "[]", '{"a": 1}'):
        (output / "verified.json").write_text(damage)
        train(settings("num_train_steps=2"), [data], str(output), None)
        assert len(json.loads((output / "verified.json").read_text())) == 2
