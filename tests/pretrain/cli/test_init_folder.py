"""`--init FOLDER`: configuration and vocabulary are those of the folder, in every command."""

import json
import os
import shutil

import pytest

from pretrain.__main__ import main
from tests.pretrain.helpers import DATA, MODEL

SETS = ["train_batch_size=8", "num_train_epochs=null", "num_train_steps=2"]
SETS += ["save_checkpoints_steps=2"]


@pytest.fixture
def folder(trained, tmp_path):
    """A model folder, without what only a training needs."""
    for name in os.listdir(trained):
        if name.startswith("model.ckpt-20.") or name in ("bert_config.json", "vocab.txt"):
            os.makedirs(str(tmp_path / "base"), exist_ok=True)
            shutil.copy(os.path.join(trained, name), str(tmp_path / "base"))
    return str(tmp_path / "base")


@pytest.fixture
def run(info, tmp_path, capsys):
    """Train on with the preset `continue`; returns exit code and what was said."""
    pair_task = info.manifest["config"]["pair_task"]

    def train(init, *sets):
        every = [*SETS, f"pair_task={pair_task}", *sets]
        command = ["train", "--config", "configs/pretrain/continue.yaml", "--init", init]
        command += ["--data", DATA, "--output", str(tmp_path / "out")]
        code = main([*command, *(word for one in every for word in ("--set", one))])
        return code, capsys.readouterr().err

    return train


def test_configuration_and_vocabulary_are_those_of_the_folder(folder, run, tmp_path):
    code, said = run(folder)
    assert code == 0, said
    assert f"from {folder}: bert_config.json and vocab.txt (bert_config_file and" in said
    assert "weights loaded, 0 new, 0 left" in said
    with open(str(tmp_path / "out" / "run.json"), encoding="utf-8") as handle:
        assert json.load(handle)["model"] == MODEL
    assert run(os.path.join(folder, "model.ckpt-20"))[0] == 0  # the same by its prefix


def test_a_file_that_is_set_counts(folder, run, tmp_path):
    shallow = tmp_path / "shallow.json"
    shallow.write_text(json.dumps({**MODEL, "num_hidden_layers": 1}))
    code, said = run(folder, f"bert_config_file={shallow}")
    assert code == 0, said
    assert f"from {folder}: vocab.txt (vocab_file; --set takes others)" in said
    assert "0 new, 16 left" in said


@pytest.mark.parametrize(
    ("name", "setting"), [("bert_config.json", "bert_config_file"), ("vocab.txt", "vocab_file")]
)
def test_a_file_that_is_missing(folder, run, name, setting):
    os.remove(os.path.join(folder, name))
    path = os.path.join(folder, name)
    assert run(folder) == (
        1,
        f"error: {path} is missing: put it beside the checkpoint, or name one with --set "
        f"{setting}=FILE\n",
    )


def test_data_of_another_vocabulary_are_refused_alike(folder, run, tmp_path, capsys):
    path = os.path.join(folder, "vocab.txt")
    with open(path, "a", encoding="utf-8") as handle:
        handle.write("[another]\n")
    code, trained = run(folder)
    evaluated = main(["evaluate", "--model", folder, "--data", DATA])
    assert (code, evaluated) == (1, 1)
    sentence = f"build them with --set vocab_file={path}, or take the model that they were made for"
    for said in (trained, capsys.readouterr().err):
        assert said.splitlines()[-1].endswith(sentence)
        assert f"but {path}, the model's, is " in said


def test_the_plan_is_of_the_folders_model(folder, capsys):
    command = ["plan", "--config", "configs/pretrain/continue.yaml", "--init", folder, "--json"]
    assert main([*command, "--data", DATA]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["weights"] < 1_000_000
