"""Both optimizers against their definitions in NumPy, the schedule against a table."""

import numpy as np
import pytest

from pretrain.learning.optimizers import (
    OPTIMIZERS,
    Moment,
    apply_gradients,
    clip_factor,
    init_slots,
    slot_of,
    squared_norms,
)
from pretrain.learning.stages import Stage, learning_rate
from pretrain.runtime.tensorflow import tf

NAMES = ["layer/kernel", "layer/bias", "x/LayerNorm/gamma", "zero/kernel", "large/kernel"]
SHAPES = [(3, 4), (4,), (4,), (2, 2), (3, 4)]


def reference(name, weight, m, v, gradient, rate, lamb):
    """google-research/bert's AdamWeightDecayOptimizer; LAMB as in arXiv 1904.00962v3."""
    m = 0.9 * m + 0.1 * gradient
    v = 0.999 * v + 0.001 * gradient**2
    update = m / (np.sqrt(v) + 1e-6)
    if name.endswith("kernel"):
        update = update + 0.01 * weight
    if lamb:
        norms = np.linalg.norm(weight), np.linalg.norm(update)
        update = update * (norms[0] / norms[1] if all(norms) else 1.0)
    return weight - rate * update, m, v


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
@pytest.mark.parametrize("scale", [0.01, 10.0])  # below and above the norm that is clipped
def test_five_steps_are_those_of_the_definition(settings, optimizer, scale):
    config = settings(f"optimizer={optimizer}")
    rng = np.random.RandomState(0)
    weights = {n: rng.randn(*s).astype(np.float32) for n, s in zip(NAMES, SHAPES)}
    weights["zero/kernel"][:] = 0
    weights["large/kernel"] *= 100  # LAMB's ratio has no upper bound
    moments = {n: (np.zeros(s), np.zeros(s)) for n, s in zip(NAMES, SHAPES)}
    variables = {n: tf.Variable(w) for n, w in weights.items()}
    slots = init_slots(optimizer, variables)
    for step in range(5):
        gradients = {n: (scale * rng.randn(*s)).astype(np.float32) for n, s in zip(NAMES, SHAPES)}
        norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
        tensors = {n: tf.constant(g) for n, g in gradients.items()}
        rate = 0.1 / (step + 1)
        found = tf.sqrt(tf.reduce_sum(squared_norms(tensors)))
        assert float(found) == pytest.approx(norm, rel=1e-5)
        factor = clip_factor(config, found)
        moment = Moment(tf.constant(step, tf.int64), tf.constant(rate, tf.float32), factor)
        apply_gradients(config, variables, slots, tensors, moment)
        for name in NAMES:
            clipped = gradients[name] / max(norm, 1.0)
            weights[name], *moments[name] = reference(
                name, weights[name], *moments[name], clipped, rate, optimizer == "lamb"
            )
    first, second = (slot.name for slot in OPTIMIZERS[optimizer].slots)
    for name in NAMES:
        assert variables[name].numpy() == pytest.approx(weights[name], rel=2e-6, abs=1e-5)
        assert slots[f"{name}/{first}"].numpy() == pytest.approx(moments[name][0], abs=1e-6)
        assert slots[f"{name}/{second}"].numpy() == pytest.approx(moments[name][1], abs=1e-6)


def test_slots_have_the_names_of_the_released_optimizers():
    variables = {"a/kernel": tf.Variable([1.0])}
    assert sorted(init_slots("adamw", variables)) == ["a/kernel/adam_m", "a/kernel/adam_v"]
    assert sorted(init_slots("lamb", variables)) == ["a/kernel/lamb_m", "a/kernel/lamb_v"]


def test_a_slot_is_told_from_a_weight_by_its_name():
    assert slot_of("a/kernel/adam_m") == OPTIMIZERS["adamw"].slots[0]
    assert slot_of("a/kernel/lamb_v") == OPTIMIZERS["lamb"].slots[1]
    for name in ("a/kernel", "adam_m", "a/adam_m/kernel", "a/not_adam_m"):
        assert slot_of(name) is None


# step -> rate: warm-up of 10 to 1.0, then on the line from 1.0 at 0 to 0 at 100 (optimization.py)
TABLE = {0: 0.0, 5: 0.5, 9: 0.9, 10: 0.9, 50: 0.5, 99: 0.01, 100: 0.0}


@pytest.mark.parametrize("first_step", [0, 1000])
@pytest.mark.parametrize("step", sorted(TABLE))
def test_the_schedule_starts_anew_with_each_stage(first_step, step):
    stage = Stage(first_step, None, 8, 1.0, 100, 10)
    rate = learning_rate(stage, tf.constant(first_step + step, tf.int64))
    assert float(rate) == pytest.approx(TABLE[step], abs=1e-6)


def test_without_warm_up_the_rate_starts_at_its_peak():
    stage = Stage(0, None, 8, 1.0, 100, 0)
    assert float(learning_rate(stage, tf.constant(0, tf.int64))) == 1.0


def test_a_constant_rate_stays_after_the_warm_up():
    stage = Stage(0, None, 8, 1.0, 100, 10)
    rates = [float(learning_rate(stage, tf.constant(s, tf.int64), "constant")) for s in (5, 10, 99)]
    assert rates == pytest.approx([0.5, 1.0, 1.0])
