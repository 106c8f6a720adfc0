"""A training that is stopped anywhere, in any way, ends as one that never was."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from data_gen.shared.errors import UserError
from pretrain.__main__ import main
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import METRICS
from pretrain.runtime import devices
from pretrain.runtime.tensorflow import tf
from pretrain.train.loop import train
from pretrain.train.step import TrainStep
from tests.pretrain.helpers import DATA

SETS = ["log_steps=1", "save_checkpoints_steps=3"]


@pytest.fixture(scope="module")
def whole(settings, root, tmp_path_factory):
    """The folder of an uninterrupted training, with dropout."""
    output = str(tmp_path_factory.mktemp("whole"))
    train(settings(*SETS), [os.path.join(root, DATA)], output, None)
    return output


def assert_same_training(whole, output):
    first, second = (store.read(store.find(folder)) for folder in (whole, output))
    assert set(first) == set(second)
    for name, array in first.items():
        assert np.array_equal(array, second[name]), name
    assert losses(whole) == losses(output)


def losses(folder):
    with open(os.path.join(folder, METRICS), encoding="utf-8") as handle:
        return [(line["step"], line["loss"]) for line in map(json.loads, handle)]


def command(model_file, output):
    sets = [f"bert_config_file={model_file}", "learning_rate=0.02", "train_batch_size=8"]
    sets += ["num_train_steps=20", "num_warmup_steps=2", *SETS]
    words = ["train", "--config", "tests/data/defaults.yaml", "--data", DATA, "--output", output]
    return words + [word for setting in sets for word in ("--set", setting)]


@pytest.mark.parametrize(
    ("objective", "precision"),
    [
        ("masked_lm", "float32"),
        ("replaced_tokens", "float32"),
        ("replaced_tokens", "float16"),
    ],
)
def test_killed_at_random_moments_it_ends_the_same(
    objective, precision, model_file, electra_file, tmp_path
):
    rng = random.Random(1)
    model = {"masked_lm": model_file, "replaced_tokens": electra_file}[objective]
    sets = ["--set", f"objective={objective}", "--set", f"precision={precision}"]
    whole, output = str(tmp_path / "whole"), str(tmp_path / "killed")
    assert main([*command(model, whole), *sets]) == 0
    arguments = [sys.executable, "-m", "pretrain", *command(model, output), *sets]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    for _ in range(3):
        process = subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE)
        steps = rng.randrange(2, 7)
        for line in process.stderr:
            steps -= line.startswith(b"step ")
            if not steps:
                break
        time.sleep(rng.random() / 20)
        process.kill()
        process.communicate()
    assert store.latest(output) is not None
    assert main([*command(model, output), *sets]) == 0
    assert_same_training(whole, output)


def test_sigterm_saves_and_ends_well(whole, model_file, tmp_path, capsys, monkeypatch):
    original, calls = TrainStep.__call__, []

    def terminated_in_step_7(self, batch, stop):
        calls.append(batch)
        if len(calls) == 7:  # neither 7 nor 8 has a checkpoint without it
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, batch, stop)

    monkeypatch.setattr(TrainStep, "__call__", terminated_in_step_7)
    assert main(command(model_file, str(tmp_path))) == 0
    captured = capsys.readouterr()
    stopped = re.search(r"stopped by SIGTERM after step (\d+); the same command", captured.err)
    assert stopped.group(1) in "78"
    assert captured.out == ""
    assert store.latest(str(tmp_path)).endswith(f"model.ckpt-{stopped.group(1)}")
    assert main(command(model_file, str(tmp_path))) == 0
    assert_same_training(whole, str(tmp_path))


def copy_of(whole, tmp_path):
    output = str(tmp_path / "copy")
    shutil.copytree(whole, output)
    return output


def cut(folder, step):
    path = os.path.join(folder, f"model.ckpt-{step}.data-00000-of-00001")
    with open(path, "r+b") as handle:
        handle.truncate(os.path.getsize(path) // 2)


def test_a_truncated_newest_checkpoint_is_passed_over(whole, settings, tmp_path, capsys):
    output = copy_of(whole, tmp_path)
    cut(output, 20)
    train(settings(*SETS), [DATA], output, None)
    assert (
        "model.ckpt-20 is damaged or lacks a file, so its steps are done again"
        in capsys.readouterr().err
    )
    assert_same_training(whole, output)
    assert os.path.exists(os.path.join(output, "model.ckpt-20.index.damaged"))


def test_nothing_is_trained_anew_where_every_checkpoint_is_damaged(whole, settings, tmp_path):
    output = copy_of(whole, tmp_path)
    for step in store.saved_steps(output):
        cut(output, step)
    with pytest.raises(UserError, match=r"every checkpoint of .* is damaged"):
        train(settings(*SETS), [DATA], output, None)


@pytest.mark.parametrize("end", [".index", ".data-00000-of-00001", ""])
def test_a_checkpoint_whose_files_are_lost_is_not_forgotten(whole, settings, tmp_path, capsys, end):
    """As after a copy that missed some."""
    output = copy_of(whole, tmp_path)

    def lose(step):
        for name in os.listdir(output):
            if name.startswith(f"model.ckpt-{step}{end or '.'}"):
                os.remove(os.path.join(output, name))

    lose(20)
    train(settings(*SETS), [DATA], output, None)
    assert "model.ckpt-20 is damaged or lacks a file" in capsys.readouterr().err
    assert_same_training(whole, output)
    for step in store.saved_steps(output):
        lose(step)
    with pytest.raises(UserError, match=r"every checkpoint of .* lacks a file: copy them again"):
        train(settings(*SETS), [DATA], output, None)


def test_the_newest_are_kept_and_every_so_many_steps_one(settings, tmp_path):
    config = settings(
        "save_checkpoints_steps=2", "keep_checkpoints=2", "keep_checkpoint_every_steps=6"
    )
    train(config, [DATA], str(tmp_path), None)
    assert sorted(store.saved_steps(str(tmp_path))) == [6, 12, 18, 20]
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "model.ckpt-20")


def test_steps_a_call_that_do_not_meet_the_checkpoint_are_refused(whole, settings, tmp_path):
    output = copy_of(whole, tmp_path)
    cut(output, 20)
    cut(output, 18)
    sets = ["steps_per_call=2", "log_steps=2", "save_checkpoints_steps=2"]
    with pytest.raises(UserError, match=r"is at step 15, no multiple of .* set steps_per_call=1"):
        train(settings(*sets), [DATA], output, None)


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_what_is_no_number_stops_before_the_update(one_step, model, precision):
    state, step, batch = one_step(model, f"precision={precision}")
    state.variables["bert/pooler/dense/bias"].assign(tf.fill([16], float("nan")))
    other = state.variables["bert/encoder/layer_0/intermediate/dense/kernel"]
    before = other.numpy()
    outcome = step(batch)
    assert (outcome.steps, outcome.failed) == (0, "the loss")
    assert np.array_equal(other.numpy(), before)
    assert int(state.step.numpy()) == 0


def test_the_tensor_that_is_no_number_is_named(one_step, model):
    state, step, batch = one_step(model, "precision=float16", "frozen=[embeddings]")
    state.scaling["loss_scale"].assign(float("nan"))
    outcome = step(batch)
    assert outcome.steps == 0
    assert outcome.failed == ("the gradient of bert/encoder/layer_0/attention/self/query/kernel")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (tf.errors.ResourceExhaustedError, r"too little memory \(OOM.* recompute=true"),
        (tf.errors.UnavailableError, r"another process .* is gone \(OOM.* start all again"),
    ],
)
def test_errors_of_devices_say_what_to_do(settings, tmp_path, monkeypatch, error, sentence):
    def fail(*inputs):
        monkeypatch.setattr(devices, "processes", lambda: (2, 0))
        raise error(None, None, "{{node a}} OOM when allocating [Op:b]")

    monkeypatch.setattr(TrainStep, "__call__", fail)
    with pytest.raises(UserError, match=sentence):
        train(settings(), [DATA], str(tmp_path), None)


def test_the_last_good_checkpoint_stays_and_is_named(settings, tmp_path, monkeypatch):
    original, calls = TrainStep.__call__, []

    def poisoned_in_step_7(self, batch, stop):
        calls.append(batch)
        if len(calls) == 7:
            self._state.variables["bert/pooler/dense/bias"].assign(tf.fill([16], float("nan")))
        return original(self, batch, stop)

    monkeypatch.setattr(TrainStep, "__call__", poisoned_in_step_7)
    with pytest.raises(UserError, match=r"the loss is NaN or infinite in step 7; .*model\.ckpt-6"):
        train(settings(*SETS), [DATA], str(tmp_path), None)
    assert sorted(store.saved_steps(str(tmp_path))) == [3, 6]


def test_weights_that_are_no_numbers_are_not_saved(tmp_path):
    with pytest.raises(UserError, match="a/kernel is NaN or infinite after step 3"):
        store.save_step(str(tmp_path), 3, {"a/kernel": tf.constant([1.0, np.inf])}, 5)
    assert os.listdir(str(tmp_path)) == []
