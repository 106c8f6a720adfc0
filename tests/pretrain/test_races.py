"""A few of the pairs of tests/campaigns/races.py, and the locks in one process."""

import os

import pytest

from data_gen.shared.errors import UserError
from data_gen.shared.outputs import lock_beside, lock_within, only_writer
from pretrain.__main__ import main
from pretrain.checkpoint import store
from pretrain.exchange.export_release import export_tf1
from pretrain.train.loop import train
from tests.campaigns.races import Races
from tests.pretrain.helpers import DATA
from tests.pretrain.small_model import write_model


def test_two_exports_into_one_output(tmp_path):
    Races(str(tmp_path), 1).into_one_output("export")


def test_a_training_holds_its_output_and_lets_others_read(settings, tmp_path, capsys):
    output, release = str(tmp_path / "model"), str(tmp_path / "release")

    def others(training):
        if training.step == 10:
            with pytest.raises(UserError, match="is being made by another run: wait for it"):
                train(settings(), [DATA], output, None)
            export_tf1(output, release)
            assert main(["evaluate", "--model", output, "--data", DATA]) == 0
        return {}

    train(settings(), [DATA], output, None, measure=others)
    assert "on 78 examples" in capsys.readouterr().out
    read = store.read(store.find(release))
    kept = store.without_slots(store.read(f"{output}/model.ckpt-10"))
    assert all((read[name] == kept[name]).all() for name in kept)
    assert ".lock" not in os.listdir(output)


def test_only_the_first_of_several_processes_takes_the_lock(settings, tmp_path, monkeypatch):
    output = str(tmp_path / "model")
    monkeypatch.setattr("pretrain.train.loop.is_chief", lambda: False)
    os.mkdir(output)
    with only_writer(output, lock_within(output)):  # held by the first
        train(settings("num_train_steps=2"), [DATA], output, None)


COMMANDS = {
    "export": ["export", "--format", "tf1", "--model"],
    "import": ["import", "--from", "tf1"],
    "extend": ["vocab", "extend", "--pieces", "星", "--model"],
    "shrink": ["vocab", "shrink", "--input", "README.md", "--model"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_new_folder_is_made_by_one(tmp_path, capsys, name):
    model, output = write_model(tmp_path / "model"), str(tmp_path / "out")
    with only_writer(output, lock_beside(output)):
        assert main([*COMMANDS[name], model, "--output", output]) == 1
        assert f"error: {output} is being made by another run: " in capsys.readouterr().err
    assert os.listdir(str(tmp_path)) == ["model"]


def test_a_finetuning_holds_its_output(tmp_path, capsys):
    model, output = write_model(tmp_path / "model"), str(tmp_path / "out")
    os.mkdir(output)
    command = ["finetune", "--task", "pair", "--data", "tests/data/finetuning/pair"]
    for more in ([], ["--features-only"]):
        with only_writer(output, lock_within(output)):
            assert main([*command, "--init", model, "--output", output, *more]) == 1
        assert f"error: {output} is being made by another run: " in capsys.readouterr().err
    assert os.listdir(output) == []
