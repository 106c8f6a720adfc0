"""The masked LM loss leaves out the padded slots of a batch, and is the same."""

import numpy as np
import pytest

from pretrain.inputs.batches import all_batches
from pretrain.learning.masked_lm import MASKED_LM
from pretrain.model.bert import FLOAT32, init
from pretrain.model.heads import filled_slots, forward
from pretrain.runtime.devices import one_device
from pretrain.runtime.tensorflow import tf
from tests.pretrain.helpers import features_of


@pytest.fixture(scope="module")
def variables(model):
    return init(model, 1)


@pytest.fixture
def batch(info):
    return dict(next(iter(all_batches(one_device(), info, features_of(info), 4))))


def loss_and_gradients(variables, batch, model, fixed_shapes):
    mode = FLOAT32._replace(fixed_shapes=fixed_shapes)
    with tf.GradientTape() as tape:
        loss = MASKED_LM.sums(variables, batch, model, None, mode)["masked_lm_loss"]
    found = tape.gradient(loss, list(variables.values()))
    return loss.numpy(), [np.asarray(tf.convert_to_tensor(g)) for g in found if g is not None]


def test_without_the_padded_slots_loss_and_gradients_are_the_same(variables, batch, model):
    whole, gradients = loss_and_gradients(variables, batch, model, True)
    loss, others = loss_and_gradients(variables, batch, model, False)
    assert whole > 0
    assert loss == pytest.approx(whole, rel=1e-6)
    assert len(gradients) == len(others) > 10
    for gradient, other in zip(gradients, others):
        assert np.abs(gradient - other).max() <= 1e-5 * np.abs(gradient).max()


def test_a_batch_without_predictions_has_no_loss(variables, batch, model):
    batch["masked_lm_weights"] = tf.zeros_like(batch["masked_lm_weights"])
    loss, gradients = loss_and_gradients(variables, batch, model, False)
    assert loss == 0
    assert not any(np.any(gradient) for gradient in gradients)


def test_only_filled_slots_are_scored(variables, batch, model):
    slots = filled_slots(batch)
    every = forward(variables, batch, model).masked_lm.numpy()
    some = forward(variables, batch, model, slots=slots).masked_lm.numpy()
    filled = batch["masked_lm_weights"].numpy().ravel() > 0
    assert 0 < filled.sum() < len(filled)
    assert np.abs(every[filled] - some).max() < 1e-5
