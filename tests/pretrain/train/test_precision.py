"""Half precision: what is computed in it, and what stays float32."""

import numpy as np
import pytest

from pretrain.checkpoint import store
from pretrain.checkpoint.folder import METRICS, read_journal
from pretrain.inputs.batches import all_batches, training_batches
from pretrain.model.bert import Mode, encode, init
from pretrain.model.heads import forward
from pretrain.runtime.devices import one_device
from pretrain.runtime.tensorflow import tf
from pretrain.train.loop import train
from pretrain.train.state import new_state
from pretrain.train.step import TrainStep
from tests.pretrain.helpers import DATA, ELECTRA, features_of

HALVES = ["bfloat16", "float16"]


@pytest.mark.parametrize("precision", HALVES)
def test_a_training_in_half_precision_learns_the_same(settings, tmp_path, precision):
    ends = {}
    for name in ("float32", precision):
        output = str(tmp_path / name)
        train(settings(f"precision={name}", "learning_rate=0.005"), [DATA], output, None)
        ends[name] = store.read(store.find(output))
    scaling = {"loss_scale", "loss_scale_steps"} if precision == "float16" else set()
    assert set(ends[precision]) == set(ends["float32"]) | scaling
    step = ends[precision].pop("global_step")
    assert step == 20
    assert {array.dtype for array in ends[precision].values()} == {np.dtype(np.float32)}
    kernel = "cls/predictions/transform/dense/kernel"
    assert np.abs(ends[precision][kernel] - ends["float32"][kernel]).mean() < 0.004


@pytest.mark.parametrize("precision", HALVES)
def test_an_electra_learns_as_well_in_half_precision(settings, tmp_path, precision):
    """Its samples differ after a step, by rounding; killed and resumed: test_resume.py."""
    sets = ["objective=replaced_tokens", f"bert_config_file={ELECTRA}", "learning_rate=0.005"]
    journals = {}
    for name in ("float32", precision):
        output = str(tmp_path / name)
        train(settings(*sets, "log_steps=1", f"precision={name}"), [DATA], output, None)
        journals[name] = read_journal(output, METRICS)
    for part in ("loss", "generator_loss", "discriminator_loss"):
        whole, half = ([line[part] for line in journals[name]] for name in ("float32", precision))
        assert np.isfinite(half).all()
        assert half[0] == pytest.approx(whole[0], rel=2e-3)
    ends = {name: (lines[0]["loss"], lines[-1]["loss"]) for name, lines in journals.items()}
    (first, whole), (_, half) = ends["float32"], ends[precision]
    assert first - half > 0.7 * (first - whole)
    # The scale of the loss finds its place in a few steps.
    assert sum(line.get("skipped_steps", 0) for line in journals[precision]) <= 6


@pytest.mark.parametrize("precision", HALVES)
def test_activations_are_half_and_logits_whole(model, info, precision):
    variables, batch = (
        init(model, 1),
        next(iter(all_batches(one_device(), info, features_of(info), 4))),
    )
    mode = Mode(precision)
    assert encode(variables, batch, model, mode=mode).dtype.name == precision
    outputs = forward(variables, batch, model, mode=mode)
    whole = forward(variables, batch, model)
    assert outputs.masked_lm.dtype == outputs.pair.dtype == tf.float32
    assert 0 < np.abs(outputs.masked_lm.numpy() - whole.masked_lm.numpy()).max() < 0.02


def test_an_overflow_skips_the_update_and_halves_the_scale(one_step, model):
    state, step, batch = one_step(model, "precision=float16", "num_warmup_steps=0")
    scale = state.scaling["loss_scale"]
    scale.assign(2.0**100)
    kernel = state.variables["bert/pooler/dense/kernel"]
    before = kernel.numpy()
    outcome = step(batch)
    assert (outcome.steps, outcome.failed) == (1, "")
    assert (outcome.sums["skipped_steps"], outcome.sums["gradient_norm"]) == (1, 0)
    assert np.array_equal(kernel.numpy(), before)
    assert float(scale.numpy()) == 2.0**99
    scale.assign(2.0**10)
    assert step(batch).sums["skipped_steps"] == 0
    assert not np.array_equal(kernel.numpy(), before)
    assert int(state.step.numpy()) == 2


def test_the_scale_grows_after_enough_good_steps(one_step, model):
    state, step, batch = one_step(model, "precision=float16")
    state.scaling["loss_scale_steps"].assign(1999.0)
    first = float(state.scaling["loss_scale"].numpy())
    step(batch)
    assert float(state.scaling["loss_scale"].numpy()) == 2 * first
    assert float(state.scaling["loss_scale_steps"].numpy()) == 0


def test_the_scale_of_the_loss_does_not_show_in_the_update(one_step, plain_model):
    norms = []
    for scale in (1.0, 1024.0):
        state, step, batch = one_step(plain_model, "precision=float16")
        state.scaling["loss_scale"].assign(scale)
        norms.append(step(batch).sums["gradient_norm"])
    assert norms[0] == pytest.approx(norms[1], rel=0.01)


def test_the_step_compiles_with_static_shapes(settings, model, info):
    """A TPU needs it: XLA takes the whole step, several times a call and in parts."""
    sets = ["steps_per_call=5", "gradient_accumulation_steps=2", "precision=bfloat16"]
    config = settings(*sets, "jit_compile=true")
    if tf.__version__.startswith("1."):
        pytest.skip("XLA of TensorFlow 1.15 lacks the stateless random numbers")
    stage = config.resolved_stages()[0]
    batches = training_batches(one_device(), info, features_of(info), stage, 1, 0, 5)
    assert all(x.shape.is_fully_defined() for x in next(batches).values())
    step = TrainStep(one_device(), model, config, stage, new_state(one_device(), model, config))
    outcome = step(next(batches))
    assert (outcome.steps, outcome.failed) == (5, "")
