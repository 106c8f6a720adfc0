"""The spread of vectors over texts, on any batches and devices."""

import numpy as np
import pytest

from pretrain.checkpoint.load import load_model
from pretrain.evaluate.measure import Evaluator, evaluate
from pretrain.inputs.batches import all_batches
from pretrain.learning.masked_lm import MASKED_LM
from pretrain.learning.objective import Evaluation
from pretrain.learning.spread import (
    CLS,
    MEAN,
    NEARLY_CONSTANT,
    SpreadMeter,
    collapse,
    spread_lines,
    spread_rows,
    spread_sums,
    text_vectors,
)
from pretrain.model.bert import encode
from pretrain.runtime.devices import one_device
from pretrain.runtime.tensorflow import tf
from tests.pretrain.helpers import DATA, features_of


def expected(vectors):
    """Spread, length and share of float64 [texts, H], by the definition."""
    spread = np.sqrt(vectors.var(axis=0).mean())
    length = np.sqrt((vectors**2).mean())
    return {"spread": spread, "length": length, "share": spread / length}


def close(figures, tolerance):
    # A spread of nearly equal vectors is the rounding of float32 numbers near 1.
    return pytest.approx(figures, rel=tolerance, abs=1e-8)


def measured(batches):
    """The figures of batches of (vectors [B, K, H], weights [B])."""
    meter = SpreadMeter(["a", "b"])
    for vectors, weights in batches:
        parts = [tf.constant(vectors[:, row]) for row in range(2)]
        sums = spread_sums(parts, tf.constant(weights), lambda part: part)
        meter.add(float(weights.sum()), sums.numpy())
    return meter.figures()


@pytest.mark.parametrize("spread", [1.0, 1e-3, 1e-5])
def test_batches_of_any_size_give_the_figures_of_all_texts(spread):
    rng = np.random.RandomState(1)
    signs = np.sign(rng.normal(size=[1, 2, 24]))
    vectors = (signs + rng.normal(size=[100, 2, 24]) * [[[spread], [1.0]]]).astype(np.float32)
    weights = np.ones(100, np.float32)
    parts = np.split(vectors, [1, 30, 70]), np.split(weights, [1, 30, 70])
    figures = measured(zip(*parts))
    for row, name in enumerate("ab"):
        assert figures[name] == close(expected(vectors[:, row].astype(np.float64)), 1e-3)


def test_texts_without_weight_do_not_count():
    vectors = np.random.RandomState(2).normal(size=[10, 2, 4]).astype(np.float32)
    weights = np.array([1] * 7 + [0] * 3, np.float32)
    figures = measured([(vectors, weights)])
    assert figures["a"] == close(expected(vectors[:7, 0].astype(np.float64)), 1e-5)


def test_the_mean_leaves_out_padding():
    sequence = tf.constant([[[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]]])
    found = text_vectors(sequence, {"input_mask": tf.constant([[1, 1, 0]])})
    assert found[CLS].numpy().tolist() == [[1, 2]]
    assert found[MEAN].numpy().tolist() == [[2, 4]]


def _steady(batch):
    """Nearly constant vectors, float32 [B, 16]: a thousandth of their length differs."""
    return 1.0 + 1e-3 * tf.sin(tf.cast(batch["input_ids"][:, 1:17], tf.float32))


STEADY = MASKED_LM._replace(
    evaluation=Evaluation(
        names=lambda context: (),
        counts=lambda variables, batch, context: {"steady": _steady(batch)},
        figures=lambda sums, context: {},
        log_text=str,
        lines=lambda figures: [],
        card_rows=lambda figures: [],
        vectors=("steady",),
    )
)


@pytest.mark.parametrize("devices", [1, 2])
def test_any_objective_measures_the_spread_of_its_vectors_on_any_devices(
    devices, info, model, two_devices
):
    strategy = two_devices if devices == 2 else one_device()
    with strategy.scope():
        variables = {"any": tf.Variable(0.0)}
    # 78 examples in batches of 16 or 32: the last device of the last batch has none
    evaluator = Evaluator(strategy, variables, model, STEADY, info, mask=4, batch_size=16)
    vectors = []
    for batch in all_batches(one_device(), info, features_of(info), 1):
        vectors.append(_steady(batch).numpy().astype(np.float64))
    for _ in range(2):
        found = evaluator()
        assert found["examples"] == 78
        assert found["steady"] == close(expected(np.concatenate(vectors)), 1e-3)


def test_a_model_is_measured_by_its_last_layer(trained, info):
    model = load_model(trained)
    cls, mean = [], []
    for batch in all_batches(one_device(), info, features_of(info), 1):
        sequence = encode(model.variables, batch, model.config).numpy()[0].astype(np.float64)
        cls.append(sequence[0])
        mean.append(sequence[: int(batch["input_mask"].numpy().sum())].mean(axis=0))
    found = evaluate(model, DATA)
    assert found[CLS] == close(expected(np.array(cls)), 1e-4)
    assert found[MEAN] == close(expected(np.array(mean)), 1e-4)


def test_a_collapsed_model_is_told_in_words():
    steady = {"spread": 0.033, "length": 0.41, "share": 0.0805}
    other = {"spread": 0.27, "length": 0.48, "share": 0.5625}
    assert steady["share"] < NEARLY_CONSTANT < other["share"]
    figures = {CLS: steady, MEAN: other}
    assert spread_rows(figures) == [
        ("spread over texts: [CLS]", "0.033 of 0.41 (8.1%)"),
        ("spread over texts: mean of all positions", "0.27 of 0.48 (56.2%)"),
    ]
    lines = spread_lines(figures)
    assert lines[0] == "spread over texts: [CLS] 0.033 of 0.41 (8.1%)"
    assert lines[2].startswith("[CLS] is nearly the same for all texts (its spread is 8.1% of ")
    assert collapse({CLS: other, MEAN: steady}) == []
    assert spread_lines({"loss": 1.0}) == []
