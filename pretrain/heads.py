"""The two heads on top of BERT and their losses, as in google-research/bert's run_pretraining.py.

B batch, S sequence, P predictions, H hidden, V vocabulary.
"""

from typing import Dict, NamedTuple, Optional

from pretrain.bert import (
    EMBEDDINGS,
    Dropout,
    Variables,
    activation,
    dense,
    encode,
    layer_norm,
    pool,
)
from pretrain.config import BertConfig
from pretrain.devices import Tensor, tf


class Outputs(NamedTuple):
    """Logits of both heads."""

    masked_lm: Tensor  # float [B * P, V]
    pair: Tensor  # float [B, 2]


class Losses(NamedTuple):
    """Scalars."""

    total: Tensor
    masked_lm: Tensor  # mean over the masked pieces of the batch
    pair: Tensor  # mean over the sequences


def gather_positions(sequence: Tensor, positions: Tensor) -> Tensor:
    """The hidden vectors at the masked positions.

    sequence:  float [B, S, H]
    positions: int32 [B, P], padded with 0
    Returns    float [B * P, H]; the rows of padding repeat [CLS] and weigh 0 in the loss.
    """
    shape = tf.shape(sequence)
    flat = tf.reshape(positions + tf.range(shape[0])[:, None] * shape[1], [-1])
    return tf.gather(tf.reshape(sequence, [-1, sequence.shape[2]]), flat)


def forward(
    variables: Variables,
    batch: Dict[str, Tensor],
    config: BertConfig,
    dropout: Optional[Dropout] = None,
) -> Outputs:
    """Encode a batch and apply both heads. Only masked positions go through the MLM head, which is
    most of the cost.
    """
    sequence = encode(variables, batch, config, dropout)
    x = gather_positions(sequence, batch["masked_lm_positions"])
    x = activation(config)(dense(variables, "cls/predictions/transform/dense", x))
    x = layer_norm(variables, "cls/predictions/transform", x)
    masked_lm = (
        tf.matmul(x, variables[EMBEDDINGS], transpose_b=True)
        + variables["cls/predictions/output_bias"]
    )
    pair = tf.matmul(
        pool(variables, sequence),
        variables["cls/seq_relationship/output_weights"],
        transpose_b=True,
    )
    return Outputs(masked_lm, pair + variables["cls/seq_relationship/output_bias"])


def masked_lm_losses(outputs: Outputs, batch: Dict[str, Tensor]) -> Tensor:
    """Cross entropy of every prediction slot, padding included; float [B * P]."""
    labels = tf.reshape(batch["masked_lm_ids"], [-1])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=outputs.masked_lm)


def pair_losses(outputs: Outputs, batch: Dict[str, Tensor]) -> Tensor:
    """Cross entropy of the pair label of every sequence; float [B]."""
    labels = tf.reshape(batch["next_sentence_labels"], [-1])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=outputs.pair)


def losses(outputs: Outputs, batch: Dict[str, Tensor], pair_task: str) -> Losses:
    """L = L_mlm + L_pair, unweighted (MacBERT paper, Eq. 7); without a pair task L_pair is reported
    but not added.

    The loss is taken on every selected position, also on kept and replaced ones (MacBERT#1).
    """
    weights = tf.reshape(batch["masked_lm_weights"], [-1])
    # 1e-5 as in run_pretraining.py: a batch without any prediction gives 0, not NaN
    masked_lm = tf.reduce_sum(masked_lm_losses(outputs, batch) * weights) / (
        tf.reduce_sum(weights) + 1e-5
    )
    pair = tf.reduce_mean(pair_losses(outputs, batch))
    return Losses(masked_lm if pair_task == "none" else masked_lm + pair, masked_lm, pair)
