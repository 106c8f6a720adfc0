"""The spread of a model's vectors over texts: a measure of collapse, which no loss shows.

A classifier sees a text as one vector of the last layer: that of [CLS], or the mean over all
positions. If it is nearly the same for all texts, the classifier starts from little. Of each:

    length   square root of the mean square of an element
    spread   square root of the variance of an element over the texts, averaged over the elements
    share    spread / length, between 0 and 1

Any objective reports them: name the vectors in `Evaluation.vectors`, and let its `counts` return
`text_vectors`. The texts are those of the records, as the model sees them: with masked pieces.

B batch, S sequence, H hidden, K vectors of a text.
"""

import math
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from pretrain.runtime.tensorflow import Tensor, tf

CLS, MEAN = "cls_vector", "mean_vector"
VECTORS = {CLS: "[CLS]", MEAN: "mean of all positions"}  # name -> title

# A share of [CLS] below this is said in words. Measured on held-out records of length 128, dropout
# off: .10 after the 600 steps of tiny.yaml; .08 and .12 for two models whose [CLS], fine-tuned on
# ChnSentiCorp, did no better than random weights. Those have .01 (tiny.json) and .04 (small.json):
# [CLS] is the same piece in all texts, and has to learn to differ.
NEARLY_CONSTANT = 0.15


def text_vectors(sequence: Tensor, batch: Mapping[str, Tensor]) -> Dict[str, Tensor]:
    """Return the vectors of each text by the names in `VECTORS`, float32 [B, H].

    sequence: float [B, S, H], the last layer
    batch:    `input_mask`, int32 [B, S]: 0 for padding, which the mean leaves out
    """
    sequence = tf.cast(sequence, tf.float32)
    real = tf.cast(batch["input_mask"], tf.float32)[:, :, None]
    mean = tf.reduce_sum(sequence * real, axis=1) / tf.reduce_sum(real, axis=1)
    return {CLS: sequence[:, 0], MEAN: mean}


def spread_sums(
    vectors: Sequence[Tensor], weights: Tensor, total: Callable[[Tensor], Tensor]
) -> Tensor:
    """Sum vectors, and the squares of their distances from the mean of the whole batch.

    The mean is taken first: float32 loses the variance of a nearly constant vector in the
    difference of two large sums.

    vectors: K times float32 [B, H]
    weights: float32 [B], 1, or 0 for a text that does not count
    total:   the sum of a tensor over all devices; at least one text must count on some device
    Returns  float32 [K * 2 * H], the part of this device; `SpreadMeter.add` takes the sum of all
    """
    stacked, weights = tf.stack(vectors, axis=1), weights[:, None, None]  # [B, K, H]
    sums = tf.reduce_sum(weights * stacked, axis=0)
    mean = total(sums) / total(tf.reduce_sum(weights))
    squares = tf.reduce_sum(weights * tf.square(stacked - mean), axis=0)
    return tf.reshape(tf.stack([sums, squares], axis=1), [-1])


class SpreadMeter:
    """The spread of vectors over all batches of an evaluation."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._count = 0.0
        # of each element, float64 [K, H]: the mean, and the sum of squared distances from it
        self._mean: Any = 0.0
        self._squares: Any = 0.0

    def add(self, count: float, sums: np.ndarray) -> None:
        """Take a batch of `count` texts into account.

        sums: float [K * 2 * H], `spread_sums` of all devices
        """
        if not self._names:
            return
        of_batch = np.asarray(sums, np.float64).reshape([len(self._names), 2, -1])
        both = self._count + count
        apart = of_batch[:, 0] / count - self._mean
        self._squares = self._squares + of_batch[:, 1] + apart**2 * (self._count * count / both)
        self._mean = self._mean + apart * (count / both)
        self._count = both

    def figures(self) -> Dict[str, Dict[str, float]]:
        """Return spread, length and share of each vector by its name."""
        found = {}
        for row, name in enumerate(self._names):
            variance = self._squares[row] / self._count
            spread = math.sqrt(variance.mean())
            length = math.sqrt((variance + self._mean[row] ** 2).mean())
            share = spread / length if length else 0.0
            found[name] = {"spread": spread, "length": length, "share": share}
        return found


def spread_rows(figures: Mapping[str, Any]) -> List[Tuple[str, str]]:
    """Return (text, value) for those vectors that the figures of an evaluation hold, for a model
    card.
    """
    return [
        (f"spread over texts: {title}", _value(figures[name]))
        for name, title in VECTORS.items()
        if name in figures
    ]


def spread_lines(figures: Mapping[str, Any]) -> List[str]:
    """Return the same as lines for people."""
    return [*(f"{text} {value}" for text, value in spread_rows(figures)), *collapse(figures)]


def _value(figures: Mapping[str, float]) -> str:
    return f"{figures['spread']:.3g} of {figures['length']:.3g} ({figures['share']:.1%})"


def collapse(figures: Mapping[str, Any]) -> List[str]:
    """Return a sentence if the figures say that [CLS] is nearly constant."""
    if CLS not in figures or figures[CLS]["share"] >= NEARLY_CONSTANT:
        return []
    return [
        f"[CLS] is nearly the same for all texts (its spread is {figures[CLS]['share']:.1%} of its "
        f"length, less than {NEARLY_CONSTANT:.0%}): a classifier on it starts from little"
    ]
