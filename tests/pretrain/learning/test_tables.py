"""A new optimizer, activation or objective is one entry of its table; every command takes it."""

import json
import os

import numpy as np
import pytest

from data_gen.shared.errors import UserError
from pretrain.__main__ import main
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import EVALUATIONS, METRICS, RUN, read_journal
from pretrain.checkpoint.load import load_model
from pretrain.evaluate.measure import evaluate
from pretrain.exchange.export_release import export_tf1
from pretrain.exchange.hugging_face import from_config, to_config
from pretrain.learning.masked_lm import MASKED_LM
from pretrain.learning.objective import Evaluation, Loss
from pretrain.learning.objectives import OBJECTIVES
from pretrain.learning.optimizers import OPTIMIZERS, Optimizer, Slot
from pretrain.model.activations import ACTIVATIONS, Activation
from pretrain.model.bert import encode, variable_shapes
from pretrain.plan.estimate import estimate
from pretrain.runtime.tensorflow import tf
from pretrain.train import loop
from pretrain.train.loop import train
from pretrain.train.step import TrainStep
from tests.pretrain.helpers import DATA, MODEL

SETS = ("num_train_steps=8", "save_checkpoints_steps=3", "log_steps=1", "learning_rate=1.0e-3")


@pytest.fixture
def interrupted(monkeypatch, tmp_path):
    """Trains twice: whole, and killed in step 6 and resumed from the checkpoint of step 3. Both
    must end the same. Gives the folder.
    """

    def run(config):
        whole, output = str(tmp_path / "whole"), str(tmp_path / "resumed")
        train(config, [DATA], whole, None, heldout=DATA)
        original, calls = TrainStep.__call__, []

        def killed_in_step_6(self, batches, stop):
            calls.append(batches)
            if len(calls) == 6:
                raise KeyboardInterrupt
            return original(self, batches, stop)

        with monkeypatch.context() as patch:
            patch.setattr(TrainStep, "__call__", killed_in_step_6)
            with pytest.raises(KeyboardInterrupt):
                train(config, [DATA], output, None, heldout=DATA)
        assert store.latest(output).endswith("-3")
        train(config, [DATA], output, None, heldout=DATA)
        first, second = (store.read(store.find(folder)) for folder in (whole, output))
        assert first.keys() == second.keys()
        for name, array in first.items():
            assert np.array_equal(array, second[name]), name
        assert read_journal(whole, EVALUATIONS) == read_journal(output, EVALUATIONS)
        return output

    return run


# --- optimizers


def _momentum(settings, weight, moment):
    """Momentum SGD with a factored second slot, as Adafactor has it, and the step."""
    gradient = weight.gradient * moment.factor
    momentum, rows = weight.slots["toy_momentum"], weight.slots["toy_rows"]
    momentum.assign(settings.beta_1 * momentum + gradient)
    rows.assign_add(tf.reduce_sum(tf.square(gradient), axis=list(range(1, len(gradient.shape)))))
    later = tf.cast(moment.step + 1, tf.float32)
    weight.value.assign_sub(moment.rate * momentum / later)


@pytest.fixture
def toy_optimizer(monkeypatch):
    slots = Slot("toy_momentum", is_momentum=True), Slot("toy_rows", lambda shape: shape[:1])
    monkeypatch.setitem(OPTIMIZERS, "toy", Optimizer(slots, _momentum))


def test_an_optimizer(toy_optimizer, interrupted, settings, model, tmp_path, capsys):
    config = settings(*SETS, "optimizer=toy", "num_warmup_steps=0")
    output = interrupted(config)
    arrays = store.read(store.find(output))
    shapes = variable_shapes(model)
    for name, shape in shapes.items():
        assert arrays[f"{name}/toy_momentum"].shape == shape
        assert arrays[f"{name}/toy_rows"].shape == shape[:1]
    assert len(arrays) == 3 * len(shapes) + 1
    assert np.abs(arrays["bert/pooler/dense/kernel/toy_momentum"]).max() > 0
    lines = read_journal(output, EVALUATIONS)
    assert lines[-1]["masked_lm_loss"] < lines[0]["masked_lm_loss"]
    assert evaluate(load_model(output), DATA)["masked_lm_loss"] == pytest.approx(
        lines[-1]["masked_lm_loss"], rel=1e-5
    )
    released = store.read(export_tf1(output, str(tmp_path / "release")))
    assert {name: array.shape for name, array in released.items()} == dict(shapes)
    capsys.readouterr()
    train(settings(*SETS), [DATA], str(tmp_path / "next"), output)
    assert f"{len(shapes)} weights loaded, 0 new, 0 left" in capsys.readouterr().err


def test_the_slots_of_an_optimizer_are_in_the_plan(toy_optimizer, settings):
    adamw, toy = (
        estimate(settings(f"optimizer={name}"), "h100", 1, 0.3) for name in ("adamw", "toy")
    )
    weights = adamw["weights"]
    assert adamw["state_gib"] == round(16 * weights / 2**30, 2)
    assert toy["stages"][0]["gib_a_device"] <= adamw["stages"][0]["gib_a_device"]


def test_a_wrong_optimizer_names_all_of_the_table(toy_optimizer, settings):
    with pytest.raises(UserError, match="optimizer must be one of adamw, lamb, toy, not sgd"):
        settings("optimizer=sgd")


# --- activations


@pytest.fixture
def toy_activation(monkeypatch):
    silu = Activation(lambda x: x * tf.sigmoid(x), ("silu", "swish"), "gelu")
    monkeypatch.setitem(ACTIVATIONS, "toy", silu)


def test_an_activation(toy_activation, interrupted, settings, tmp_path, capsys):
    path = tmp_path / "model.json"
    path.write_text(json.dumps({**MODEL, "hidden_act": "toy"}))
    output = interrupted(settings(*SETS, f"bert_config_file={path}"))
    model = load_model(output)
    assert model.config.hidden_act == "toy"
    found = evaluate(model, DATA)
    other = model._replace(config=model.config.__class__(**MODEL))
    assert found["masked_lm_loss"] != evaluate(other, DATA)["masked_lm_loss"]
    export_tf1(output, str(tmp_path / "release"))
    assert "Google's code has no toy, so bert_config.json says gelu" in capsys.readouterr().err
    theirs = to_config(model.config, {}, 0)
    assert theirs["hidden_act"] == "silu"
    for name in ("silu", "swish"):
        path.write_text(json.dumps({**theirs, "hidden_act": name}))
        assert from_config(str(path)) == model.config


# --- objectives


def _replaced(batch):
    """1 where a masked piece is not the original, float32 [B, P]; and which of them count."""
    seen = tf.gather(batch["input_ids"], batch["masked_lm_positions"], batch_dims=1)
    return tf.cast(tf.not_equal(seen, batch["masked_lm_ids"]), tf.float32)


def _toy_scores(variables, batch, model, dropout=None, mode=None):
    """Logits, float32 [B, P]: is the piece at a masked position a replaced one?"""
    options = {} if mode is None else {"mode": mode}
    sequence = tf.cast(encode(variables, batch, model, dropout, **options), tf.float32)
    hidden = tf.gather(sequence, batch["masked_lm_positions"], batch_dims=1)
    return tf.tensordot(hidden, variables["toy/kernel"], axes=[[2], [0]]) + variables["toy/bias"]


def _toy_sums(variables, batch, model, dropout, mode):
    scores = _toy_scores(variables, batch, model, dropout, mode)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=_replaced(batch), logits=scores)
    return {
        "toy_loss": tf.reduce_sum(losses * batch["masked_lm_weights"]),
        "length": tf.cast(tf.reduce_sum(batch["input_mask"]), tf.float32),
    }


def _toy_losses(settings):
    return {
        "toy_loss": Loss(lambda batch: tf.reduce_sum(batch["masked_lm_weights"]), weight=50.0),
        "length": Loss(lambda batch: tf.cast(tf.size(batch["input_mask"]), tf.float32), weight=0.0),
    }


def _toy_counts(variables, batch, context):
    scores = _toy_scores(variables, batch, context.model)
    weights = batch["masked_lm_weights"] * batch["example_weights"][:, None]
    right = tf.cast(tf.equal(scores > 0, _replaced(batch) > 0), tf.float32)
    return {"right": tf.reduce_sum(weights * right), "all": tf.reduce_sum(weights)}


def _encoder_and_toy(model, settings):
    bert = {n: s for n, s in variable_shapes(model).items() if n.startswith(("bert/e", "toy"))}
    return {**bert, "toy/kernel": (model.hidden_size,), "toy/bias": (1,), "toy/idle": (3,)}


TOY = MASKED_LM._replace(
    variables=_encoder_and_toy,
    trains=lambda settings, name: name != "toy/idle",
    features=lambda info: {
        name: feature
        for name, feature in MASKED_LM.features(info).items()
        if name != "next_sentence_labels"
    },
    losses=_toy_losses,
    sums=_toy_sums,
    log_text=lambda means: f"toy {means['toy_loss']:.3f}",
    loss_titles={"toy_loss": "toy: loss"},
    evaluation=Evaluation(
        names=lambda context: ("right", "all"),
        counts=_toy_counts,
        figures=lambda sums, context: {"toy_accuracy": sums["right"] / sums["all"]},
        log_text=lambda figures: f"toy {figures['toy_accuracy']:.1%} right",
        lines=lambda figures: [f"toy accuracy {figures['toy_accuracy']:.1%}"],
        card_rows=lambda figures: [("toy accuracy", f"{figures['toy_accuracy']:.4g}")],
    ),
    flops=lambda model, length, predictions, recompute: 1e9 * length,
)


@pytest.fixture
def toy_objective(monkeypatch):
    monkeypatch.setitem(OBJECTIVES, "toy", TOY)


def test_an_objective(toy_objective, interrupted, settings, model, tmp_path, capsys):
    output = interrupted(settings(*SETS, "objective=toy", "num_warmup_steps=0"))
    said = capsys.readouterr().err
    assert "step 8 of 8: loss " in said
    assert "(toy 0." in said
    assert "held-out: toy " in said
    arrays = store.read(store.find(output))
    trained = [name for name in _encoder_and_toy(model, None) if name != "toy/idle"]
    assert set(arrays) >= {f"{name}/adam_m" for name in trained}
    assert not [name for name in arrays if name.startswith(("cls/", "bert/pooler"))]
    assert np.abs(arrays["toy/kernel"]).max() > 0
    lines = read_journal(output, METRICS)
    assert lines[-1]["loss"] == pytest.approx(50 * lines[-1]["toy_loss"], rel=1e-5)
    assert lines[-1]["toy_loss"] < lines[0]["toy_loss"]
    assert 0 < lines[0]["length"] <= 1
    last = read_journal(output, EVALUATIONS)[-1]
    assert set(last) == {"step", "examples", "toy_accuracy"}
    capsys.readouterr()
    assert main(["evaluate", "--model", output, "--data", DATA]) == 0
    assert f"toy accuracy {last['toy_accuracy']:.1%}" in capsys.readouterr().out
    released = store.read(export_tf1(output, str(tmp_path / "release")))
    assert set(released) == set(_encoder_and_toy(model, None))


@pytest.mark.parametrize(
    ("replicas", "overrides"),
    [
        (1, ["gradient_accumulation_steps=4"]),
        (2, ["gradient_accumulation_steps=2", "steps_per_call=2"]),
    ],
)
def test_an_objective_is_the_same_on_any_devices(
    toy_objective,
    settings,
    plain_model_file,
    two_devices,
    tmp_path,
    monkeypatch,
    replicas,
    overrides,
):
    sets = [*SETS[:1], "save_checkpoints_steps=8", "log_steps=2", *SETS[3:], "objective=toy"]
    sets.append(f"bert_config_file={plain_model_file}")
    train(settings(*sets), [DATA], str(tmp_path / "one"), None)
    if replicas == 2:
        monkeypatch.setattr(loop, "open_strategy", lambda tpu: two_devices)
    train(settings(*sets, *overrides), [DATA], str(tmp_path / "other"), None)
    first, second = (store.read(store.find(str(tmp_path / n))) for n in ("one", "other"))
    for name, array in first.items():
        assert np.abs(array - second[name]).max() < 1e-5, name
    for one, other in zip(*(read_journal(str(tmp_path / n), METRICS) for n in ("one", "other"))):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-4)
        assert one["length"] == pytest.approx(other["length"], rel=1e-5)


def test_an_objective_trains_in_half_precision(toy_objective, settings, one_step, model):
    _, step, batch = one_step(model, "objective=toy", "precision=float16")
    outcome = step(batch)
    assert (outcome.steps, outcome.failed) == (1, "")
    assert outcome.sums["skipped_steps"] == 0


def test_an_objective_has_its_own_plan(toy_objective, settings):
    (stage,) = estimate(settings("objective=toy"), "h100", 1, 0.3, [DATA])["stages"]
    assert stage["flops_per_step"] == 8 * 48e9


def test_commands_for_the_heads_of_bert_say_what_a_model_lacks(toy_objective, settings, tmp_path):
    output = str(tmp_path / "out")
    train(settings(*SETS, "objective=toy"), [DATA], output, None)
    with pytest.raises(UserError, match=r"lacks .*, which this command needs"):
        load_model(output, objective="masked_lm")


def test_an_objective_of_another_version_is_an_error(trained, tmp_path):
    for name in os.listdir(trained):
        os.symlink(os.path.join(trained, name), str(tmp_path / name))
    os.remove(str(tmp_path / RUN))
    (tmp_path / RUN).write_text(json.dumps({"config": {"objective": "later"}}))
    with pytest.raises(UserError, match="trained with the objective later, not one of masked_lm"):
        load_model(str(tmp_path))
