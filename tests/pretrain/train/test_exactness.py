"""A training of 20 steps is Google's, and the same one however it is spread over devices."""

import json
import os
import signal
import time

import numpy as np
import pytest

from pretrain.checkpoint import store
from pretrain.checkpoint.folder import EVALUATIONS
from pretrain.checkpoint.load import load_model
from pretrain.evaluate.measure import Evaluator, evaluate
from pretrain.inputs.batches import parse
from pretrain.model.bert import variable_shapes
from pretrain.runtime.devices import one_device
from pretrain.runtime.tensorflow import is_version_1, tf
from pretrain.train import loop
from pretrain.train.loop import train
from pretrain.train.state import new_state
from pretrain.train.step import TrainStep
from tests.conftest import ROOT
from tests.pretrain.helpers import DATA, features_of, finish, start_workers

STEPS = 20


@pytest.fixture(scope="module")
def google():
    """The end of google-research/bert's training; see tests/golden/README.md."""
    return dict(np.load("tests/golden/google_training.npz"))


def test_twenty_steps_are_googles(google, plain_model, info, settings):
    """The same initial weights and records in the same order, rate constant, no dropout."""
    config = settings("learning_rate=1.0e-3", "schedule=constant", "num_warmup_steps=0")
    state = new_state(one_device(), plain_model, config)
    for i, (name, shape) in enumerate(variable_shapes(plain_model).items()):
        noise = np.random.RandomState(i).uniform(-0.2, 0.2, shape)
        state.variables[name].assign((noise + name.endswith("gamma")).astype(np.float32))
    step = TrainStep(one_device(), plain_model, config, config.resolved_stages()[0], state)
    # As run_pretraining.py reads for an evaluation: in order, again and again.
    records = tf.data.TFRecordDataset(info.paths).repeat().batch(8).take(STEPS)
    batches = [parse(batch, features_of(info)) for batch in records]
    losses = [step({name: x[None, None] for name, x in b.items()}).sums["loss"] for b in batches]
    assert np.abs(losses - google.pop("losses")).max() < 2e-5
    tensors = state.tensors()
    assert set(tensors) == set(google)
    for name, expected in google.items():
        found = tensors[name].numpy().ravel()
        found = found[:: max(1, found.size // 1000)]
        assert np.abs(found - expected).max() <= 1e-5, name


@pytest.fixture(scope="module")
def arguments(plain_model_file):
    """Settings of 20 steps without dropout, at a rate that means something after 20 steps."""

    def make(*overrides):
        sets = ["learning_rate=1.0e-3", f"bert_config_file={plain_model_file}", *overrides]
        return [*sets, "train_batch_size=8", f"num_train_steps={STEPS}", "num_warmup_steps=2"]

    return make


@pytest.fixture(scope="module")
def on_one_device(arguments, settings, tmp_path_factory):
    """Optimizer -> the end of a training on one device."""

    def end(optimizer):
        output = str(tmp_path_factory.mktemp("one"))
        config = settings(*arguments(f"optimizer={optimizer}"))
        train(config, [os.path.join(ROOT, DATA)], output, None)
        return store.read(store.find(output))

    return {optimizer: end(optimizer) for optimizer in ("adamw", "lamb")}


def difference(folder, expected):
    found = store.read(store.find(str(folder)))
    assert set(found) == set(expected)
    return max(np.abs(found[name] - array).max() for name, array in expected.items())


@pytest.mark.parametrize(
    ("optimizer", "replicas", "overrides"),
    [
        ("adamw", 1, ["gradient_accumulation_steps=4"]),
        ("adamw", 1, ["steps_per_call=5", "recompute=true"]),
        ("adamw", 2, []),
        ("lamb", 2, ["gradient_accumulation_steps=2", "steps_per_call=5"]),
        ("lamb", 1, ["jit_compile=true", "gradient_accumulation_steps=2", "steps_per_call=5"]),
        ("adamw", 2, ["jit_compile=true", "recompute=true"]),
    ],
)
def test_the_way_of_working_changes_nothing(
    on_one_device,
    arguments,
    settings,
    tmp_path,
    two_devices,
    monkeypatch,
    optimizer,
    replicas,
    overrides,
):
    if "jit_compile=true" in overrides and tf.__version__.startswith("1."):
        pytest.skip("XLA of TensorFlow 1.15 lacks the stateless random numbers")
    if replicas == 2:
        monkeypatch.setattr(loop, "open_strategy", lambda tpu: two_devices)
    config = settings(*arguments(f"optimizer={optimizer}", *overrides))
    train(config, [DATA], str(tmp_path), None)
    assert difference(tmp_path, on_one_device[optimizer]) <= 1e-5


def require_equal(evaluation, expected):
    for name, value in evaluation.items():
        if isinstance(value, (float, dict)):
            # A spread of nearly equal vectors is the rounding of float32 numbers near 1.
            assert value == pytest.approx(expected[name], rel=1e-4, abs=1e-8), name
        else:
            assert value == expected[name]


def test_two_devices_evaluate_as_one(trained, info, two_devices):
    model = load_model(trained)
    with two_devices.scope():
        copies = {name: tf.Variable(variable) for name, variable in model.variables.items()}
    # 78 examples: the second batch of 64 is not full, and the last of its devices has none
    shared = Evaluator(two_devices, copies, model.config, model.objective, info, model.mask)
    expected = evaluate(model, DATA)
    for _ in range(2):
        require_equal(shared(), expected)


def test_two_processes_train_the_same_even_when_one_is_killed(on_one_device, arguments, tmp_path):
    sets = [*arguments("optimizer=adamw"), "log_steps=1", "save_checkpoints_steps=5"]
    output = str(tmp_path)
    workers = start_workers(sets, output)
    for line in workers[0].stderr:  # the chief reports
        if b"step 7 of 20" in line:
            break
    workers[1].kill()
    workers[1].communicate()
    if is_version_1():  # waits for the other for ever; a scheduler restarts a training whole
        time.sleep(1)
        workers[0].kill()
    said = workers[0].communicate(timeout=300)[1].decode()
    assert is_version_1() or "error: another process of this training is gone (" in said
    assert 5 <= int(store.latest(output).split("-")[-1]) < STEPS
    finish(start_workers(sets, output))
    assert difference(tmp_path, on_one_device["adamw"]) <= 1e-5
    lines = (tmp_path / EVALUATIONS).read_text().splitlines()
    found = [json.loads(line) for line in lines]
    assert [line.pop("step") for line in found] == [0, 5, 10, 15, 20]
    require_equal(found[-1], evaluate(load_model(output), DATA))


def test_two_processes_that_start_differently_are_told(arguments, settings, tmp_path):
    """As where --output is not a folder that both of them see."""
    sets = arguments("optimizer=adamw")
    outputs = [str(tmp_path / name) for name in "ab"]
    train(settings(*sets), [DATA], outputs[0], None)
    workers = start_workers(sets, outputs)
    said = [worker.communicate(timeout=300)[1].decode() for worker in workers]
    assert [worker.returncode for worker in workers] == [1, 1]
    for one in said:
        assert f"error: the processes of this training do not start alike (step: {STEPS}, 0)" in one


def test_two_processes_stop_together_when_one_is_asked_to(on_one_device, arguments, tmp_path):
    sets = [*arguments("optimizer=adamw"), "log_steps=1", "save_checkpoints_steps=10"]
    output = str(tmp_path)
    workers = start_workers(sets, output)
    for line in workers[0].stderr:
        if b"step 3 of 20" in line:
            break
    workers[1].send_signal(signal.SIGTERM)  # the one that writes nothing
    said = [worker.communicate(timeout=300)[1].decode() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], said
    assert "stopped by SIGTERM after step" in said[0]
    assert 3 < int(store.latest(output).split("-")[-1]) < 10
    finish(start_workers(sets, output))
    assert difference(tmp_path, on_one_device["adamw"]) <= 1e-5
