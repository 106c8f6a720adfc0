"""Replaced token detection: 20 steps are Google's, and the same however they are done."""

import os
import signal

import numpy as np
import pytest

from pretrain.__main__ import main
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import EVALUATIONS, METRICS, read_journal
from pretrain.checkpoint.load import load_model
from pretrain.evaluate.measure import Evaluator, evaluate
from pretrain.inputs.batches import parse
from pretrain.learning.objectives import OBJECTIVES
from pretrain.model import electra
from pretrain.model.config import read_bert_config
from pretrain.runtime.devices import one_device
from pretrain.runtime.tensorflow import tf
from pretrain.train import loop
from pretrain.train.loop import train
from pretrain.train.state import new_state
from pretrain.train.step import TrainStep
from tests.pretrain.helpers import DATA, ELECTRA, finish, random_weights, start_workers

STEPS = 20
SETS = ["objective=replaced_tokens", f"bert_config_file={ELECTRA}", "learning_rate=1.0e-3"]
# Where the noise of the samples decides: rounding would flip one of them now and then.
SETS += ["train_batch_size=8", f"num_train_steps={STEPS}", "num_warmup_steps=2"]


def handed_samples(ids, step):
    """The samples of the golden training: some are the originals."""
    place = np.arange(ids.shape[1]) + step
    return np.where((ids + place) % 3 == 0, ids, (ids * 7 + place * 13) % 21128)


@pytest.fixture
def samples_handed_in(monkeypatch):
    """The batch's `handed` in place of what the generator would draw."""
    monkeypatch.setattr(electra, "choose", lambda _, batch: tf.reshape(batch["handed"], [-1]))


def test_twenty_steps_are_googles(samples_handed_in, info, settings):
    """The same initial weights, records, masked positions and samples, rate constant, no dropout:
    see tests/golden/README.md.
    """
    google = dict(np.load("tests/golden/google_electra.npz"))
    config = settings(*SETS, "schedule=constant", "num_warmup_steps=0")
    model, objective = read_bert_config(ELECTRA), OBJECTIVES["replaced_tokens"]
    state = new_state(one_device(), model, config)
    for name, weights in random_weights(objective.variables(model, config)).items():
        state.variables[name].assign(weights)
    step = TrainStep(one_device(), model, config, config.resolved_stages()[0], state)
    records = tf.data.TFRecordDataset(info.paths).repeat().batch(8).take(STEPS)
    losses = []
    for number, record in enumerate(records):
        batch = parse(record, objective.features(info))
        ids = batch["masked_lm_ids"].numpy()
        batch["handed"] = tf.constant(handed_samples(ids, number), tf.int32)
        batch["example_numbers"] = tf.range(8)
        sums = step({name: x[None, None] for name, x in batch.items()}).sums
        losses.append([sums["loss"], sums["generator_loss"]])
    assert np.abs(np.array(losses) - google.pop("losses")).max() < 5e-5
    tensors = state.tensors()
    assert set(tensors) == {*google, store.GLOBAL_STEP}
    for name, expected in google.items():
        found = tensors[name].numpy().ravel()
        found = found[:: max(1, found.size // 150)]
        assert np.abs(found - expected).max() <= 1e-5, name


@pytest.fixture(scope="module")
def whole(settings, root, tmp_path_factory):
    """The folder of a training on one device."""
    output = str(tmp_path_factory.mktemp("whole"))
    sets = [*SETS, "save_checkpoints_steps=10", "log_steps=1"]
    train(settings(*sets), [os.path.join(root, DATA)], output, None, heldout=f"{root}/{DATA}")
    return output


def difference(one, other):
    first, second = (store.read(store.find(folder)) for folder in (one, other))
    assert set(first) == set(second)
    return max(np.abs(first[name] - array).max() for name, array in second.items())


@pytest.mark.parametrize(
    ("replicas", "overrides"),
    [
        (1, ["gradient_accumulation_steps=4"]),
        (1, ["steps_per_call=5", "recompute=true"]),
        (1, ["pad_to=8", "gradient_accumulation_steps=2"]),
        (2, []),
        (2, ["gradient_accumulation_steps=2", "steps_per_call=5"]),
        (1, ["jit_compile=true", "gradient_accumulation_steps=2"]),
    ],
)
def test_the_way_of_working_changes_nothing(
    whole, settings, tmp_path, two_devices, monkeypatch, replicas, overrides
):
    if "jit_compile=true" in overrides and tf.__version__.startswith("1."):
        pytest.skip("XLA of TensorFlow 1.15 lacks the stateless random numbers")
    if replicas == 2:
        monkeypatch.setattr(loop, "open_strategy", lambda tpu: two_devices)
    train(settings(*SETS, *overrides), [DATA], str(tmp_path), None)
    assert difference(str(tmp_path), whole) <= 1e-5
    ends = [read_journal(folder, METRICS)[-1] for folder in (str(tmp_path), whole)]
    names = ["generator_accuracy", "replaced_share", "discriminator_accuracy"]
    assert ends[0].keys() >= set(names)


def test_two_processes_train_the_same(whole, tmp_path):
    finish(start_workers([*SETS, "log_steps=1", "save_checkpoints_steps=5"], str(tmp_path)))
    assert difference(str(tmp_path), whole) <= 1e-5
    line = read_journal(str(tmp_path), EVALUATIONS)[-1]
    expected = evaluate(load_model(whole), DATA)
    for name, value in line.items():
        if isinstance(value, float):
            assert value == pytest.approx(expected[name], rel=1e-3), name


def test_stopped_and_resumed_it_ends_the_same_to_the_bit(
    whole, settings, electra_file, tmp_path, monkeypatch
):
    """With dropout, too; after step 7, which has no checkpoint but that of the stop."""
    sets = [*SETS, f"bert_config_file={electra_file}", "save_checkpoints_steps=10"]
    outputs = [str(tmp_path / name) for name in ("whole", "stopped")]
    train(settings(*sets), [DATA], outputs[0], None)
    original, calls = TrainStep.__call__, []

    def stopped_in_step_7(self, batch, stop):
        calls.append(batch)
        if len(calls) == 7:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, batch, stop)

    monkeypatch.setattr(TrainStep, "__call__", stopped_in_step_7)
    assert train(settings(*sets), [DATA], outputs[1], None) is None
    assert store.saved_steps(outputs[1]) != store.saved_steps(outputs[0])
    train(settings(*sets), [DATA], outputs[1], None)
    assert difference(*outputs) == 0
    assert difference(outputs[0], whole) > 1e-4  # the dropout was on


def test_its_seed_decides_the_samples(whole, settings, tmp_path):
    """The same initial weights and data with other noise end elsewhere."""
    start = str(tmp_path / "start")
    train(settings(*SETS, "num_train_steps=2"), [DATA], start, None)
    ends = []
    for seed in (1, 2):
        output = str(tmp_path / str(seed))
        sets = [*SETS, f"random_seed={seed}", "train_batch_size=78"]  # all examples in each batch
        train(settings(*sets), [DATA], output, start)
        ends.append(output)
    assert difference(*ends) > 1e-4


def test_two_devices_evaluate_as_one_and_find_every_measure(whole, info, two_devices):
    model = load_model(whole)
    with two_devices.scope():
        copies = {name: tf.Variable(variable) for name, variable in model.variables.items()}
    shared = Evaluator(two_devices, copies, model.config, model.objective, info, model.mask)()
    alone = evaluate(model, DATA)
    for name, value in shared.items():
        if isinstance(value, float):
            assert value == pytest.approx(alone[name], rel=1e-3), name
    journal = read_journal(whole, EVALUATIONS)
    assert [line["step"] for line in journal] == [0, 10, 20]
    measures = ("auc", "precision", "recall", "accuracy", "loss")
    assert journal[-1].keys() >= {f"discriminator_{name}" for name in measures}
    assert journal[-1]["generator_loss"] < journal[0]["generator_loss"]


def test_its_commands(whole, capsys):
    arguments = ["--set", "objective=replaced_tokens", "--set", f"bert_config_file={ELECTRA}"]
    config = ["--config", "tests/data/defaults.yaml"]
    assert main(["plan", *config, *arguments, "--device", "h100", "--data", DATA]) == 0
    assert "weights" in capsys.readouterr().out
    assert main(["evaluate", "--model", whole, "--data", DATA]) == 0
    said = capsys.readouterr().out
    assert "of 457 masked pieces; its samples replace" in said
    assert "AUC" in said
