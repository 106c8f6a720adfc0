"""The picture of a training: of any training, or a sentence."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from pretrain.train.loop import train
from tests.pretrain.helpers import DATA

SCRIPT = os.path.join("scripts", "learning_curve.py")


@pytest.fixture(scope="module")
def script(root):
    spec = importlib.util.spec_from_file_location("learning_curve", os.path.join(root, SCRIPT))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_training_without_held_out_data_has_its_losses(script, trained):
    losses, found, pairs = script.panels(trained).values()
    assert [step for step, _ in losses["words"]] == [5, 10, 15, 20]
    assert losses["pairs"][0][1] > 0
    assert not any(found.values())
    assert not any(pairs.values())


def test_what_was_held_out_is_drawn_from_the_start(script, settings, tmp_path):
    train(settings("num_train_steps=10"), [DATA], str(tmp_path), None, heldout=DATA)
    _, found, pairs = script.panels(str(tmp_path)).values()
    assert {"all", "kept"} <= set(found)
    assert [step for step, _ in found["all"]] == [0, 10]
    assert [step for step, _ in pairs["pairs"]] == [0, 10]


def run(*arguments):
    command = [sys.executable, SCRIPT, *arguments]
    done = subprocess.run(command, stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stderr.decode()


def test_no_training_is_a_sentence(tmp_path):
    code, said = run(str(tmp_path), str(tmp_path / "a.svg"))
    assert code == 1
    assert said.startswith(f"error: {tmp_path} has no line in metrics.jsonl: give the --output of")
    assert "Traceback" not in said
    assert run()[0] == 2


def test_the_picture(trained, tmp_path):
    path = tmp_path / "a.svg"
    code, said = run(trained, str(path))
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        assert code == 1
        assert said == "error: matplotlib is missing: pip install '.[plot]'\n"
        return
    assert code == 0
    assert b"<svg" in path.read_bytes()


def test_lines_of_another_objective(script, tmp_path):
    (tmp_path / "metrics.jsonl").write_text(json.dumps({"step": 5, "loss": 1.5}) + "\n")
    (tmp_path / "evaluations.jsonl").write_text(json.dumps({"step": 5, "dev": {}}) + "\n")
    losses, found, _ = script.panels(str(tmp_path)).values()
    assert losses == {"loss": [(5, 1.5)]}
    assert not any(found.values())
