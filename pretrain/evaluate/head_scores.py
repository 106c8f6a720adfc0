"""Scores of a masked LM head: what it says of the pieces at asked positions.

B batch, P asked positions a sequence.
"""

import math
from typing import Dict, Iterable, NamedTuple

import numpy as np

from pretrain.checkpoint.load import Model
from pretrain.model.heads import forward
from pretrain.runtime.named_vector import NamedVector
from pretrain.runtime.tensorflow import Tensor, compiled, tf


class HeadScores(NamedTuple):
    """Scores of a masked LM head; accuracies are shares between 0 and 1."""

    accuracy: float
    top5_accuracy: float
    loss: float  # nats
    perplexity: float


class Question(NamedTuple):
    """A batch of sequences with the positions at which the head is asked."""

    batch: Dict[str, np.ndarray]  # as `heads.forward` takes it
    labels: np.ndarray  # int32 [B, P], the right answers
    weights: np.ndarray  # int32 [B, P]: 1, or 0 for padding


_SUMS = NamedVector(("labels", "loss", "first", "among five"))


class HeadProbe:
    """Asks the masked LM head of a model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._count_batch = compiled(self._count)

    def __call__(self, questions: Iterable[Question]) -> HeadScores:
        """Return the scores over all questions."""
        totals = np.zeros(len(_SUMS.names))
        for batch, labels, weights in questions:
            tensors = {name: tf.constant(array) for name, array in batch.items()}
            counts = self._count_batch(tensors, tf.constant(labels), tf.constant(weights))
            totals += counts.numpy()
        sums = {name: float(total) for name, total in _SUMS.unpack(totals).items()}
        count, loss = sums["labels"], sums["loss"] / sums["labels"]
        perplexity = math.exp(min(loss, 700.0))
        return HeadScores(sums["first"] / count, sums["among five"] / count, loss, perplexity)

    def _count(self, batch: Dict[str, Tensor], labels: Tensor, weights: Tensor) -> Tensor:
        """Sum over the labels of a batch. Returns a vector of `_SUMS`."""
        logits = forward(self._model.variables, batch, self._model.config).masked_lm
        labels, weights = tf.reshape(labels, [-1]), tf.cast(tf.reshape(weights, [-1]), tf.float32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        # The label ranks behind equal logits: a head with the same logit for all is not right.
        of_label = tf.gather(logits, labels[:, None], batch_dims=1)
        rank = tf.reduce_sum(tf.cast(logits >= of_label, tf.float32), axis=1)
        columns = {
            "labels": tf.ones_like(losses),
            "loss": losses,
            "first": tf.cast(rank <= 1.0, tf.float32),
            "among five": tf.cast(rank <= 5.0, tf.float32),
        }
        return _SUMS.pack({name: tf.reduce_sum(weights * x) for name, x in columns.items()})
