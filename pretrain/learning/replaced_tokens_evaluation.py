"""Measures of replaced token detection: of the generator, and of the discriminator.

The discriminator calls a piece replaced at a probability above 1/2. The area under its curve (AUC)
is the share of pairs, a replaced piece and an original one, of which it scores the replaced one
higher: .5 is chance. It is taken from a histogram of the logits, pairs within a bin counted half.
Samples are the same for any devices and batches, since each is a function of the example's number.
"""

from typing import Any, Dict, List, Mapping, Tuple

from pretrain.learning.objective import Batch, Evaluation, EvaluationContext, share_of
from pretrain.learning.spread import VECTORS, text_vectors
from pretrain.model.bert import Variables, encode
from pretrain.model.electra import corrupt, scores_of
from pretrain.runtime.tensorflow import Tensor, tf

# Of the histogram: bins of a tenth, the logits beyond in the first and the last.
_BINS, _WIDTH = 240, 0.1
_CLASSES = ("original", "replaced")
_COUNTS = (
    *("masked", "generator_loss", "generator_right", "real", "discriminator_loss"),
    *("discriminator_right", "replaced", "called", "rightly_called"),
)
_HISTOGRAM = tuple(f"{name}_{i}" for name in _CLASSES for i in range(_BINS))


def _counts(variables: Variables, batch: Batch, context: EvaluationContext) -> Dict[str, Tensor]:
    seen = corrupt(variables, batch, context.model)
    sequence = encode(variables, seen.batch, context.model)
    found = scores_of(variables, sequence, context.model)
    examples = batch["example_weights"][:, None]
    ids = tf.reshape(batch["masked_lm_ids"], [-1])
    weights = tf.reshape(batch["masked_lm_weights"] * examples, [-1])
    real = tf.cast(batch["input_mask"], tf.float32) * examples
    right = _equal(tf.argmax(seen.scores, axis=-1, output_type=tf.int32), ids)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=ids, logits=seen.scores)
    told_losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=seen.labels, logits=found)
    called = tf.cast(found > 0, tf.float32)
    sums = {
        "masked": weights,
        "generator_loss": losses * weights,
        "generator_right": right * weights,
        "real": real,
        "discriminator_loss": told_losses * real,
        "discriminator_right": _equal(called, seen.labels) * real,
        "replaced": seen.labels * real,
        "called": called * real,
        "rightly_called": called * seen.labels * real,
    }
    counted = {name: tf.reduce_sum(values) for name, values in sums.items()}
    parts = (1.0 - seen.labels, seen.labels)
    bins = tf.concat([_histogram(found, real * part) for part in parts], axis=0)
    counted.update(zip(_HISTOGRAM, tf.unstack(bins)))
    return {**counted, **text_vectors(sequence, batch)}


def _equal(a: Tensor, b: Tensor) -> Tensor:
    return tf.cast(tf.equal(a, b), tf.float32)


def _histogram(scores: Tensor, weights: Tensor) -> Tensor:
    """Sum the weights of the scores in each bin, float32 [_BINS]."""
    place = tf.cast(tf.floor(scores / _WIDTH), tf.int32) + _BINS // 2
    place = tf.reshape(tf.clip_by_value(place, 0, _BINS - 1), [-1])
    return tf.math.unsorted_segment_sum(tf.reshape(weights, [-1]), place, _BINS)


def _figures(sums: Mapping[str, float], context: EvaluationContext) -> Dict[str, Any]:
    masked, real = sums["masked"], sums["real"]
    return {
        "masked_pieces": int(masked),
        "generator_loss": share_of(sums["generator_loss"], masked),
        "generator_accuracy": share_of(sums["generator_right"], masked),
        "replaced_share": share_of(sums["replaced"], masked),
        "discriminator_loss": share_of(sums["discriminator_loss"], real),
        "discriminator_accuracy": share_of(sums["discriminator_right"], real),
        "discriminator_auc": _auc(*_by_class(sums)),
        "discriminator_precision": share_of(sums["rightly_called"], sums["called"]),
        "discriminator_recall": share_of(sums["rightly_called"], sums["replaced"]),
    }


def _by_class(sums: Mapping[str, float]) -> List[List[float]]:
    return [[sums[f"{name}_{i}"] for i in range(_BINS)] for name in _CLASSES]


def _auc(originals: List[float], replaced: List[float]) -> float:
    """Return the share of pairs in the right order, those of one bin counted half; 0 without."""
    below, ordered = 0.0, 0.0
    for original, one in zip(originals, replaced):
        ordered += one * (below + original / 2)
        below += original
    return share_of(ordered, below * sum(replaced))


def _log_text(figures: Mapping[str, Any]) -> str:
    return (
        f"generator {figures['generator_loss']:.3f} ({figures['generator_accuracy']:.1%} right), "
        f"discriminator {figures['discriminator_loss']:.4f} "
        f"(AUC {figures['discriminator_auc']:.3f}, finds {figures['discriminator_recall']:.1%} of "
        "the replaced)"
    )


def _lines(figures: Mapping[str, Any]) -> List[str]:
    return [
        f"generator: loss {figures['generator_loss']:.3f}, accuracy "
        f"{figures['generator_accuracy']:.1%} of {figures['masked_pieces']:,} masked pieces; its "
        f"samples replace {figures['replaced_share']:.1%} of them",
        f"discriminator: loss {figures['discriminator_loss']:.4f}, accuracy "
        f"{figures['discriminator_accuracy']:.1%}, AUC {figures['discriminator_auc']:.4f}, "
        f"precision {figures['discriminator_precision']:.1%}, recall "
        f"{figures['discriminator_recall']:.1%}",
    ]


_TITLES = {
    "generator_loss": "generator: loss on the masked pieces",
    "generator_accuracy": "generator: accuracy on them",
    "replaced_share": "share of them that its samples replace",
    "discriminator_loss": "discriminator: loss",
    "discriminator_accuracy": "discriminator: accuracy on all pieces",
    "discriminator_auc": "discriminator: area under the curve",
    "discriminator_precision": "discriminator: precision of replaced",
    "discriminator_recall": "discriminator: recall of replaced",
}


def _card_rows(figures: Mapping[str, Any]) -> List[Tuple[str, str]]:
    return [(text, f"{figures[name]:.4g}") for name, text in _TITLES.items() if name in figures]


EVALUATION = Evaluation(
    names=lambda context: (*_COUNTS, *_HISTOGRAM),
    counts=_counts,
    figures=_figures,
    log_text=_log_text,
    lines=_lines,
    card_rows=_card_rows,
    vectors=tuple(VECTORS),
)
