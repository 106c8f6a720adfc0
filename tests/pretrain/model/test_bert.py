"""The model against google-research/bert: its names, its shapes, its numbers."""

import dataclasses
import math

import numpy as np
import pytest

from pretrain.inputs.batches import all_batches
from pretrain.learning import masked_lm
from pretrain.learning.optimizers import init_slots
from pretrain.model.activations import gelu, gelu_erf
from pretrain.model.bert import (
    encode,
    init,
    initial_value,
    pool,
    seeded_dropout,
    variable_shapes,
)
from pretrain.model.config import read_bert_config
from pretrain.model.heads import Outputs, forward, masked_lm_losses, pair_losses
from pretrain.runtime.devices import one_device
from pretrain.runtime.tensorflow import compiled, is_version_1, tf
from tests.pretrain.helpers import features_of, losses_of_batch, scaled_weights


@pytest.mark.parametrize(
    ("name", "layers"), [("tiny", 2), ("small", 4), ("base", 12), ("large", 24)]
)
def test_the_number_of_variables_is_googles(name, layers):
    shapes = variable_shapes(read_bert_config(f"configs/models/{name}.json"))
    assert len(shapes) == 5 + 16 * layers + 9  # with two slots each and the step: 139 for 2 layers


def test_base_is_as_large_as_bert_base():
    shapes = variable_shapes(read_bert_config("configs/models/base.json"))
    encoder = {name: shape for name, shape in shapes.items() if name.startswith("bert/")}
    assert sum(int(np.prod(shape)) for shape in encoder.values()) == 102267648


def test_names_and_shapes_are_googles(model):
    shapes = variable_shapes(model)
    # from google-research/bert's modeling.py and run_pretraining.py
    assert shapes["bert/embeddings/word_embeddings"] == (21128, 16)
    assert shapes["bert/embeddings/LayerNorm/gamma"] == (16,)
    assert shapes["bert/encoder/layer_0/attention/self/query/kernel"] == (16, 16)
    assert shapes["bert/encoder/layer_1/attention/output/LayerNorm/beta"] == (16,)
    assert shapes["bert/encoder/layer_1/intermediate/dense/kernel"] == (16, 32)
    assert shapes["bert/encoder/layer_1/output/dense/kernel"] == (32, 16)
    assert shapes["bert/pooler/dense/bias"] == (16,)
    assert shapes["cls/predictions/transform/dense/kernel"] == (16, 16)
    assert shapes["cls/predictions/output_bias"] == (21128,)
    assert shapes["cls/seq_relationship/output_weights"] == (2, 16)
    variables = init(model, 1)
    assert {n: tuple(v.shape) for n, v in variables.items()} == dict(shapes)
    slots = init_slots("adamw", variables)
    assert tuple(slots["bert/pooler/dense/kernel/adam_v"].shape) == (16, 16)
    assert len(variables) + len(slots) + 1 == 139


def test_initial_weights_depend_on_seed_and_name_alone(model):
    name, shape = "bert/embeddings/word_embeddings", (21128, 16)
    values = initial_value(name, shape, model, 1)
    assert np.array_equal(values, initial_value(name, shape, model, 1))
    assert not np.array_equal(values, initial_value(name, shape, model, 2))
    assert not np.array_equal(values, initial_value("other", shape, model, 1))
    assert np.abs(values).max() <= 0.04  # cut at two standard deviations, as TensorFlow does
    assert values.std() == pytest.approx(0.02 * 0.88, rel=0.01)
    assert values[0, :3] == pytest.approx([0.025033, -0.010687, 0.022586], abs=1e-6)
    assert (initial_value("x/LayerNorm/gamma", (3,), model, 1) == 1).all()
    assert (initial_value("cls/predictions/output_bias", (3,), model, 1) == 0).all()


@pytest.fixture(scope="module")
def google():
    """The numbers of google-research/bert on TensorFlow 1.15.5; see tests/golden/README.md."""
    return dict(np.load("tests/golden/google_bert.npz"))


def test_outputs_are_googles(model, info, google, settings):
    variables = {name: tf.Variable(value) for name, value in scaled_weights(model).items()}
    batch = next(iter(all_batches(one_device(), info, features_of(info), 8)))
    outputs = forward(variables, batch, model)
    sequence = encode(variables, batch, model)
    assert np.array_equal(batch["input_ids"].numpy(), google["input_ids"])
    found = {
        "sequence": sequence,
        "pooled": pool(variables, sequence),
        "masked_lm_losses": masked_lm_losses(outputs, batch),
        "pair_losses": pair_losses(outputs, batch),
        "loss": losses_of_batch(variables, batch, model, settings())["loss"],
    }
    for name, value in found.items():
        assert np.abs(value.numpy() - google[name]).max() < 2e-5, name


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_gelu_has_a_slope_wherever_it_has_a_value(dtype):
    inputs = tf.cast(np.array([-300.0, -80, -20, -1, 0, 1, 20, 80, 300]), dtype)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = gelu(inputs)
    slopes = tf.cast(tape.gradient(outputs, inputs), tf.float32).numpy()
    assert slopes == pytest.approx([0, 0, 0, -0.083, 0.5, 1.083, 1, 1, 1], abs=0.01)


def test_the_exact_gelu_is_exact():
    x = np.linspace(-6, 6, 25)

    def value_and_slope(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = gelu_erf(inputs)
        return outputs, tape.gradient(outputs, inputs)

    share = np.array([0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x])
    density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    for jit_compile in {False, not is_version_1()}:
        run = compiled(value_and_slope, jit_compile)
        outputs, slopes = run(tf.constant(x, tf.float32))
        assert np.abs(outputs.numpy() - x * share).max() < 1e-6
        assert np.abs(slopes.numpy() - (share + x * density)).max() < 1e-6


@pytest.mark.parametrize("task", ["sop", "none"])
def test_the_loss_is_the_sum_of_those_trained(settings, monkeypatch, task):
    outputs = Outputs(tf.constant([[0.0, 1.0], [2.0, 0.0]]), tf.constant([[0.0, 3.0]]))
    monkeypatch.setattr(masked_lm, "forward", lambda *inputs: outputs)
    labels = {"masked_lm_ids": [[1, 1]], "next_sentence_labels": [[0]]}
    batch = {name: tf.constant(value) for name, value in labels.items()}
    batch["masked_lm_weights"] = tf.constant([[1.0, 0.0]])
    found = losses_of_batch({}, batch, None, settings(f"pair_task={task}"))
    assert float(found["masked_lm_loss"]) == pytest.approx(np.log(1 + np.exp(-1)), rel=1e-4)
    assert float(found["pair_loss"]) == pytest.approx(np.log(1 + np.exp(3)), rel=1e-4)
    total = float(found["masked_lm_loss"]) + (task == "sop") * float(found["pair_loss"])
    assert float(found["loss"]) == pytest.approx(total, rel=1e-5)


def test_dropout_repeats_itself_step_by_step():
    x = tf.ones([64, 64])

    def dropped(seed, step):
        dropout = seeded_dropout(seed, tf.constant(step, tf.int64), tf.constant(0))
        return [dropout(x, 0.1, place).numpy() for place in "ab"]

    first, second = dropped(1, 5)
    assert np.array_equal(dropped(1, 5), [first, second])
    assert not np.array_equal(first, second)
    other_part = seeded_dropout(1, tf.constant(5, tf.int64), tf.constant(1))
    assert not np.array_equal(first, other_part(x, 0.1, "a").numpy())
    assert not np.array_equal(first, dropped(1, 6)[0])
    assert not np.array_equal(first, dropped(2, 5)[0])
    assert (first == 0).mean() == pytest.approx(0.1, abs=0.02)
    assert first.max() == pytest.approx(1 / 0.9)


def test_dropout_is_where_bert_has_it(model, info):
    rates, places = [], set()

    def record(x, rate, place):
        rates.append(rate)
        places.add(place)
        return x

    config = dataclasses.replace(model, hidden_dropout_prob=0.3, attention_probs_dropout_prob=0.2)
    encode(
        init(config, 1),
        next(iter(all_batches(one_device(), info, features_of(info), 2))),
        config,
        record,
    )
    assert rates == [0.3] + [0.2, 0.3, 0.3] * 2  # embeddings; weights, attention, output a layer
    assert len(places) == len(rates)  # each has noise of its own


def test_padding_changes_nothing(model, info):
    variables = init(model, 1)
    batch = next(iter(all_batches(one_device(), info, features_of(info), 4)))
    mask = batch["input_mask"].numpy()
    other = np.where(mask == 1, batch["input_ids"].numpy(), 100)
    assert (mask == 0).any()
    changed = {**batch, "input_ids": tf.constant(other, tf.int32)}
    before, after = (encode(variables, b, model).numpy()[mask == 1] for b in (batch, changed))
    assert np.abs(before - after).max() < 1e-6
