"""The objective of fine-tuning on a classification, of one text or of a pair: cross entropy of the
label, as in google-research/bert's run_classifier.py.

The pooled [CLS] vector goes through dropout and one dense layer. Names of weights and features are
Google's.

B batch, S sequence, H hidden, K labels.
"""

from typing import Any, Dict, List, Mapping, Optional, Tuple

from data_gen.shared.dataset.dataset_info import DatasetInfo
from pretrain.learning.objective import (
    Batch,
    Evaluation,
    EvaluationContext,
    Loss,
    Objective,
    ObjectiveSettings,
    limits_of_sequence,
)
from pretrain.model.bert import (
    FLOAT32,
    Dropout,
    Mode,
    Shape,
    Variables,
    encode,
    encoder_shapes,
    no_dropout,
    pool,
)
from pretrain.model.config import BertConfig
from pretrain.model.cost import encoder_activation_bytes, encoder_flops
from pretrain.model.heads import class_logits
from pretrain.runtime.tensorflow import Tensor, tf

WEIGHTS, BIAS = "output_weights", "output_bias"
LABELS = "label_ids"


def _variables(model: BertConfig, settings: ObjectiveSettings) -> Mapping[str, Shape]:
    shapes: Dict[str, Shape] = dict(encoder_shapes(model))
    count = len(settings.labels)
    return {**shapes, WEIGHTS: (count, model.hidden_size), BIAS: (count,)}


def _features(info: DatasetInfo) -> Dict[str, Tuple[str, int]]:
    length = info.max_seq_length
    return {
        "input_ids": ("int64", length),
        "input_mask": ("int64", length),
        "segment_ids": ("int64", length),
        LABELS: ("int64", 1),
    }


def _limits(info: DatasetInfo, model: BertConfig, settings: ObjectiveSettings) -> Mapping[str, int]:
    return {**limits_of_sequence(model), LABELS: len(settings.labels)}


def logits(
    variables: Variables,
    batch: Batch,
    model: BertConfig,
    dropout: Optional[Dropout] = None,
    mode: Mode = FLOAT32,
) -> Tensor:
    """Score every label; float32 [B, K]."""
    pooled = pool(variables, encode(variables, batch, model, dropout, mode))
    # Google's rate is .1, whatever the model's; transformers' is the model's, .1 in all releases.
    pooled = (dropout or no_dropout)(pooled, model.hidden_dropout_prob, WEIGHTS)
    return class_logits(pooled, variables[WEIGHTS], variables[BIAS])


def _cross_entropies(scores: Tensor, batch: Batch) -> Tensor:
    labels = tf.reshape(batch[LABELS], [-1])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=scores)


def _sums(
    variables: Variables,
    batch: Batch,
    model: BertConfig,
    dropout: Optional[Dropout],
    mode: Mode,
) -> Dict[str, Tensor]:
    scores = logits(variables, batch, model, dropout, mode)
    return {"label_loss": tf.reduce_sum(_cross_entropies(scores, batch))}


def _count_examples(batch: Batch) -> Tensor:
    return tf.cast(tf.size(batch[LABELS]), tf.float32)


def _counts(variables: Variables, batch: Batch, context: EvaluationContext) -> Dict[str, Tensor]:
    scores, weights = logits(variables, batch, context.model), batch["example_weights"]
    predicted = tf.argmax(scores, axis=-1, output_type=tf.int32)
    right = tf.cast(tf.equal(predicted, batch[LABELS][:, 0]), tf.float32)
    return {
        "label_loss": tf.reduce_sum(weights * _cross_entropies(scores, batch)),
        "right": tf.reduce_sum(weights * right),
    }


def _figures(sums: Mapping[str, float], context: EvaluationContext) -> Dict[str, Any]:
    count = sums["examples"]
    return {"label_loss": sums["label_loss"] / count, "accuracy": sums["right"] / count}


def _log_text(figures: Mapping[str, Any]) -> str:
    return f"labels {figures['label_loss']:.3f} ({figures['accuracy']:.1%} right)"


def _lines(figures: Mapping[str, Any]) -> List[str]:
    return [f"labels: loss {figures['label_loss']:.3f}, accuracy {figures['accuracy']:.2%}"]


def _card_rows(figures: Mapping[str, Any]) -> List[Tuple[str, str]]:
    return [("accuracy", f"{figures['accuracy']:.4f}")]


CLASSIFICATION = Objective(
    variables=_variables,
    trains=lambda settings, name: True,
    features=_features,
    losses=lambda settings: {"label_loss": Loss(_count_examples)},
    sums=_sums,
    log_text=lambda means: f"labels {means['label_loss']:.3f}",
    loss_titles={"label_loss": "labels: loss"},
    evaluation=Evaluation(
        names=lambda context: ("label_loss", "right"),
        counts=_counts,
        figures=_figures,
        log_text=_log_text,
        lines=_lines,
        card_rows=_card_rows,
    ),
    flops=encoder_flops,
    activation_bytes=encoder_activation_bytes,
    limits=_limits,
)
