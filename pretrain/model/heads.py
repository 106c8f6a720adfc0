"""The two heads on top of BERT and their cross entropies, as in google-research/bert's
run_pretraining.py.

B batch, S sequence, P predictions, H hidden, V vocabulary.
"""

from typing import Dict, NamedTuple, Optional

from pretrain.model.bert import (
    EMBEDDINGS,
    FLOAT32,
    Dropout,
    Mode,
    Variables,
    activation,
    dense,
    encode,
    layer_norm,
    pool,
    size_of,
)
from pretrain.model.config import BertConfig
from pretrain.runtime.tensorflow import Tensor, tf

# The names of the weights of each part begin with these.
MASKED_LM_HEAD = "cls/predictions/"
OUTPUT_BIAS = f"{MASKED_LM_HEAD}output_bias"
POOLER = "bert/pooler/"
PAIR_CLASSIFIER = "cls/seq_relationship/"
PAIR_HEAD = (POOLER, PAIR_CLASSIFIER)  # with a gradient from the pair task alone


class Outputs(NamedTuple):
    """Logits of both heads."""

    masked_lm: Tensor  # float32 [B * P, V], or of some slots [N, V]
    pair: Tensor  # float32 [B, 2]


def gather_positions(sequence: Tensor, positions: Tensor, slots: Optional[Tensor] = None) -> Tensor:
    """Gather the hidden vectors at the masked positions.

    sequence:  float [B, S, H]
    positions: int32 [B, P], padded with 0
    slots:     of `filled_slots`
    Returns    float [B * P, H]; the rows of padding repeat [CLS] and weigh 0 in the loss. With
               `slots` [N, H], these rows alone.
    """
    length, size = size_of(sequence, 1), sequence.shape[2]
    places = positions + tf.range(tf.shape(sequence)[0])[:, None] * length
    return tf.gather(tf.reshape(sequence, [-1, size]), at_slots(places, slots))


def filled_slots(batch: Dict[str, Tensor]) -> Tensor:
    """Return the numbers of the prediction slots that are no padding, int64 [N]. Nearly a third of
    28 is, and the masked LM head is most of the cost of a small model.
    """
    return tf.where(tf.reshape(batch["masked_lm_weights"], [-1]) > 0)[:, 0]


def at_slots(values: Tensor, slots: Optional[Tensor]) -> Tensor:
    """Return what stands in some prediction slots, [B, P] -> [N]; in all, [B * P], without
    `slots`.
    """
    flat = tf.reshape(values, [-1])
    return flat if slots is None else tf.gather(flat, slots)


def forward(
    variables: Variables,
    batch: Dict[str, Tensor],
    config: BertConfig,
    dropout: Optional[Dropout] = None,
    mode: Mode = FLOAT32,
    slots: Optional[Tensor] = None,
) -> Outputs:
    """Encode a batch and apply both heads; see `apply_heads`."""
    sequence = encode(variables, batch, config, dropout, mode)
    return apply_heads(variables, sequence, batch, config, slots)


def apply_heads(
    variables: Variables,
    sequence: Tensor,
    batch: Dict[str, Tensor],
    config: BertConfig,
    slots: Optional[Tensor] = None,
) -> Outputs:
    """Apply both heads to the last layer, float [B, S, H]. Only masked positions go through the
    masked LM head; with `slots` of `filled_slots` only those, N instead of B * P.
    """
    masked = gather_positions(sequence, batch["masked_lm_positions"], slots)
    return Outputs(
        piece_logits(variables, masked, config), pair_logits(variables, pool(variables, sequence))
    )


def piece_logits(variables: Variables, x: Tensor, config: BertConfig) -> Tensor:
    """Apply the masked LM head; float [N, H] -> logits of all pieces, float32 [N, V]."""
    x = activation(config)(dense(variables, "cls/predictions/transform/dense", x))
    x = layer_norm(variables, "cls/predictions/transform", x)
    return class_logits(x, variables[EMBEDDINGS], variables[OUTPUT_BIAS])


def pair_logits(variables: Variables, pooled: Tensor) -> Tensor:
    """Apply the pair head; float [B, H] -> float32 [B, 2]."""
    head = "cls/seq_relationship/output_"
    return class_logits(pooled, variables[f"{head}weights"], variables[f"{head}bias"])


def class_logits(x: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
    """Multiply float [N, H] by [classes, H], add [classes]; float32 [N, classes]."""
    products = tf.matmul(x, tf.cast(weights, x.dtype), transpose_b=True)
    return tf.nn.bias_add(tf.cast(products, tf.float32), bias)


def masked_lm_losses(
    outputs: Outputs, batch: Dict[str, Tensor], slots: Optional[Tensor] = None
) -> Tensor:
    """Return the cross entropy of every prediction slot that was scored; float [B * P], padding
    included, or with `slots` [N].
    """
    labels = at_slots(batch["masked_lm_ids"], slots)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=outputs.masked_lm)


def pair_losses(outputs: Outputs, batch: Dict[str, Tensor]) -> Tensor:
    """Return the cross entropy of the pair label of every sequence; float [B]."""
    labels = tf.reshape(batch["next_sentence_labels"], [-1])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=outputs.pair)
