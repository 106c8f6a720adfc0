"""The objective of fine-tuning on span extraction: cross entropies of the answer's first and last
piece, as in google-research/bert's run_squad.py.

A dense layer scores every position twice. The softmax runs over all positions of the batch,
padding included, as in Google's code and in transformers. Names of weights and features are
Google's.

B batch, S sequence, H hidden.
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
    size_of,
)
from pretrain.model.config import BertConfig
from pretrain.model.cost import encoder_activation_bytes, encoder_flops
from pretrain.model.heads import POOLER, class_logits
from pretrain.runtime.tensorflow import Tensor, tf

WEIGHTS, BIAS = "cls/squad/output_weights", "cls/squad/output_bias"
START, END = "start_positions", "end_positions"


def _variables(model: BertConfig, settings: ObjectiveSettings) -> Mapping[str, Shape]:
    shapes: Dict[str, Shape] = dict(encoder_shapes(model))
    return {**shapes, WEIGHTS: (2, model.hidden_size), BIAS: (2,)}


def _features(info: DatasetInfo) -> Dict[str, Tuple[str, int]]:
    length = info.max_seq_length
    return {
        "input_ids": ("int64", length),
        "input_mask": ("int64", length),
        "segment_ids": ("int64", length),
        START: ("int64", 1),
        END: ("int64", 1),
    }


def _limits(info: DatasetInfo, model: BertConfig, settings: ObjectiveSettings) -> Mapping[str, int]:
    return {**limits_of_sequence(model), START: info.max_seq_length, END: info.max_seq_length}


def logits(
    variables: Variables,
    batch: Batch,
    model: BertConfig,
    dropout: Optional[Dropout] = None,
    mode: Mode = FLOAT32,
) -> Tensor:
    """Score every position as the first and as the last piece of the answer; float32 [2, B, S]."""
    sequence = encode(variables, batch, model, dropout, mode)
    flat = tf.reshape(sequence, [-1, model.hidden_size])
    scores = class_logits(flat, variables[WEIGHTS], variables[BIAS])
    return tf.transpose(tf.reshape(scores, [-1, size_of(sequence, 1), 2]), [2, 0, 1])


def _cross_entropies(scores: Tensor, batch: Batch) -> Tensor:
    """Return the mean of the two cross entropies of every sequence, float32 [B]."""
    first, last = (
        tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.reshape(batch[name], [-1]), logits=scores[i]
        )
        for i, name in enumerate((START, END))
    )
    return (first + last) / 2.0


def _sums(
    variables: Variables,
    batch: Batch,
    model: BertConfig,
    dropout: Optional[Dropout],
    mode: Mode,
) -> Dict[str, Tensor]:
    scores = logits(variables, batch, model, dropout, mode)
    return {"span_loss": tf.reduce_sum(_cross_entropies(scores, batch))}


def _count_examples(batch: Batch) -> Tensor:
    return tf.cast(tf.size(batch[START]), tf.float32)


def _counts(variables: Variables, batch: Batch, context: EvaluationContext) -> Dict[str, Tensor]:
    scores, weights = logits(variables, batch, context.model), batch["example_weights"]
    found = tf.argmax(scores, axis=-1, output_type=tf.int32)
    right = tf.logical_and(
        tf.equal(found[0], batch[START][:, 0]), tf.equal(found[1], batch[END][:, 0])
    )
    return {
        "span_loss": tf.reduce_sum(weights * _cross_entropies(scores, batch)),
        "right": tf.reduce_sum(weights * tf.cast(right, tf.float32)),
    }


def _figures(sums: Mapping[str, float], context: EvaluationContext) -> Dict[str, Any]:
    count = sums["examples"]
    return {"span_loss": sums["span_loss"] / count, "windows_right": sums["right"] / count}


def _log_text(figures: Mapping[str, Any]) -> str:
    return f"spans {figures['span_loss']:.3f} ({figures['windows_right']:.1%} of windows right)"


def _lines(figures: Mapping[str, Any]) -> List[str]:
    share = figures["windows_right"]
    return [f"spans: loss {figures['span_loss']:.3f}, {share:.2%} of the windows right"]


def _card_rows(figures: Mapping[str, Any]) -> List[Tuple[str, str]]:
    return [("share of windows with the right span", f"{figures['windows_right']:.4f}")]


SPAN = Objective(
    variables=_variables,
    # Loaded and saved with the encoder, but nothing reads it here.
    trains=lambda settings, name: not name.startswith(POOLER),
    features=_features,
    losses=lambda settings: {"span_loss": Loss(_count_examples)},
    sums=_sums,
    log_text=lambda means: f"spans {means['span_loss']:.3f}",
    loss_titles={"span_loss": "spans: loss"},
    evaluation=Evaluation(
        names=lambda context: ("span_loss", "right"),
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
