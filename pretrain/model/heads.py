"""The two heads on top of BERT and their losses, as in google-research/bert's run_pretraining.py.

B batch, S sequence, P predictions, H hidden, V vocabulary.
"""

from typing import Dict, NamedTuple, Optional

from pretrain.config import BertConfig, TrainConfig
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
)
from pretrain.runtime.tensorflow import Tensor, tf


class Outputs(NamedTuple):
    """Logits of both heads."""

    masked_lm: Tensor  # float32 [B * P, V]
    pair: Tensor  # float32 [B, 2]


class Totals(NamedTuple):
    """What the losses of a whole batch are divided by, however many parts it is worked on in.
    Scalars.
    """

    masked: Tensor  # sum of masked_lm_weights
    sequences: Tensor


class Losses(NamedTuple):
    """Scalars. Of a part of a batch: its share; the shares of all parts sum up to the batch's."""

    total: Tensor
    masked_lm: Tensor  # mean over the masked pieces of the batch
    pair: Tensor  # mean over the sequences


def gather_positions(sequence: Tensor, positions: Tensor) -> Tensor:
    """The hidden vectors at the masked positions.

    sequence:  float [B, S, H]
    positions: int32 [B, P], padded with 0
    Returns    float [B * P, H]; the rows of padding repeat [CLS] and weigh 0 in the loss.
    """
    length, size = sequence.shape[1], sequence.shape[2]
    flat = tf.reshape(positions + tf.range(tf.shape(sequence)[0])[:, None] * length, [-1])
    return tf.gather(tf.reshape(sequence, [-1, size]), flat)


def forward(
    variables: Variables,
    batch: Dict[str, Tensor],
    config: BertConfig,
    dropout: Optional[Dropout] = None,
    mode: Mode = FLOAT32,
) -> Outputs:
    """Encode a batch and apply both heads. Only masked positions go through the MLM head, which is
    most of the cost.
    """
    sequence = encode(variables, batch, config, dropout, mode)
    masked = gather_positions(sequence, batch["masked_lm_positions"])
    return Outputs(
        piece_logits(variables, masked, config), pair_logits(variables, pool(variables, sequence))
    )


def piece_logits(variables: Variables, x: Tensor, config: BertConfig) -> Tensor:
    """The masked LM head: what may stand where these hidden vectors are; float [N, H] -> float32
    [N, V].
    """
    x = activation(config)(dense(variables, "cls/predictions/transform/dense", x))
    x = layer_norm(variables, "cls/predictions/transform", x)
    return _logits(x, variables[EMBEDDINGS], variables["cls/predictions/output_bias"])


def pair_logits(variables: Variables, pooled: Tensor) -> Tensor:
    """The pair head; float [B, H] -> float32 [B, 2]."""
    head = "cls/seq_relationship/output_"
    return _logits(pooled, variables[f"{head}weights"], variables[f"{head}bias"])


def _logits(x: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
    """float [N, H] and [classes, H] -> float32 [N, classes]."""
    products = tf.matmul(x, tf.cast(weights, x.dtype), transpose_b=True)
    return tf.nn.bias_add(tf.cast(products, tf.float32), bias)


def masked_lm_losses(outputs: Outputs, batch: Dict[str, Tensor]) -> Tensor:
    """Cross entropy of every prediction slot, padding included; float [B * P]."""
    labels = tf.reshape(batch["masked_lm_ids"], [-1])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=outputs.masked_lm)


def pair_losses(outputs: Outputs, batch: Dict[str, Tensor]) -> Tensor:
    """Cross entropy of the pair label of every sequence; float [B]."""
    labels = tf.reshape(batch["next_sentence_labels"], [-1])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=outputs.pair)


def totals(batch: Dict[str, Tensor]) -> Totals:
    """Count a batch, or a part of one."""
    weights = batch["masked_lm_weights"]
    return Totals(
        tf.reduce_sum(weights), tf.cast(tf.size(batch["next_sentence_labels"]), tf.float32)
    )


def losses(
    outputs: Outputs, batch: Dict[str, Tensor], config: TrainConfig, whole: Optional[Totals] = None
) -> Losses:
    """L = L_mlm + L_pair (MacBERT paper, Eq. 7), each with its weight of the settings; without a
    pair task L_pair is reported but not added.

    The loss is taken on every selected position, also on kept and replaced ones (MacBERT#1).
    `whole` counts the batch that this one is a part of.
    """
    whole = whole or totals(batch)
    weights = tf.reshape(batch["masked_lm_weights"], [-1])
    # 1e-5 as in run_pretraining.py: a batch without any prediction gives 0, not NaN
    masked_lm = tf.reduce_sum(masked_lm_losses(outputs, batch) * weights) / (whole.masked + 1e-5)
    pair = tf.reduce_sum(pair_losses(outputs, batch)) / whole.sequences
    total = config.masked_lm_loss_weight * masked_lm
    if config.pair_task != "none":
        total += config.pair_loss_weight * pair
    return Losses(total, masked_lm, pair)
