"""ELECTRA: a generator that fills masked positions, and a discriminator that finds its pieces, by
the names of google-research/electra (run_pretraining.py).

The two share the embeddings, which lie in the discriminator's scope. The sizes of `BertConfig` are
those of the discriminator.

B batch, S sequence, P predictions, E embedding, H hidden, V vocabulary, N rows.
"""

import dataclasses
from collections import OrderedDict
from typing import Dict, NamedTuple, Optional

from pretrain.model.bert import (
    FLOAT32,
    Dropout,
    Mode,
    Shape,
    Variables,
    activation,
    dense,
    dense_shapes,
    embedding_shapes,
    encode,
    layer_norm,
    layer_norm_shapes,
    layer_shapes,
    size_of,
    word_embeddings,
)
from pretrain.model.config import BertConfig
from pretrain.model.heads import class_logits, gather_positions
from pretrain.model.noise import uniforms
from pretrain.runtime.tensorflow import Tensor, tf

# The names of the weights of each part begin with these.
GENERATOR = "generator/"
GENERATOR_HEAD = "generator_predictions/"
GENERATOR_BIAS = f"{GENERATOR_HEAD}output_bias"
DISCRIMINATOR_HEAD = "discriminator_predictions/"

_GROUP = 128  # pieces that are drawn as one first


class Corrupted(NamedTuple):
    """Sequences in which the generator has put pieces."""

    batch: Dict[str, Tensor]  # as the discriminator sees it
    labels: Tensor  # float32 [B, S]: 1 where a piece is not the original
    scores: Tensor  # of the generator, float32 [B * P, V]
    samples: Tensor  # int32 [B * P]: the pieces that it put there


def generator_config(config: BertConfig) -> BertConfig:
    """Return the sizes of the generator, by Google's rule: heads of 64, and four times the hidden
    size between. Raises ValueError where its heads do not divide its hidden size.
    """
    hidden = round(config.hidden_size * config.generator_hidden_size)
    return dataclasses.replace(
        config,
        embedding_size=config.width,
        hidden_size=hidden,
        num_hidden_layers=round(config.num_hidden_layers * config.generator_layers),
        num_attention_heads=max(1, hidden // 64),
        intermediate_size=4 * hidden,
    )


def electra_shapes(config: BertConfig) -> "OrderedDict[str, Shape]":
    """Return name -> shape of every weight of both halves, in Google's order."""
    generator, h, e = generator_config(config), config.hidden_size, config.width
    shapes = embedding_shapes(config)
    shapes.update(layer_shapes(generator, GENERATOR[:-1]))
    shapes.update(dense_shapes(f"{GENERATOR_HEAD}dense", generator.hidden_size, e))
    shapes.update(layer_norm_shapes(GENERATOR_HEAD[:-1], e))
    shapes[GENERATOR_BIAS] = (config.vocab_size,)
    shapes.update(layer_shapes(config, config.model_type))
    shapes.update(dense_shapes(f"{DISCRIMINATOR_HEAD}dense", h, h))
    shapes.update(dense_shapes(f"{DISCRIMINATOR_HEAD}dense_1", h, 1))
    return shapes


def original_ids(batch: Dict[str, Tensor]) -> Tensor:
    """Restore the text of records from labels and positions, int32 [B, S]."""
    return put(batch, tf.reshape(batch["masked_lm_ids"], [-1]))


def put(batch: Dict[str, Tensor], pieces: Tensor) -> Tensor:
    """Return `input_ids` with other pieces, int32 [B * P], at the masked positions."""
    ids, positions = batch["input_ids"], batch["masked_lm_positions"]
    rows, length = tf.shape(ids)[0], size_of(ids, 1)
    # Padding of the predictions goes to a column of its own, which is cut off again.
    columns = tf.where(
        batch["masked_lm_weights"] > 0, positions, tf.fill(tf.shape(positions), length)
    )
    places = tf.range(rows)[:, None] * (length + 1) + columns
    flat = tf.reshape(tf.pad(ids, [[0, 0], [0, 1]]), [-1])
    changed = tf.tensor_scatter_nd_update(flat, tf.reshape(places, [-1, 1]), pieces)
    return tf.reshape(changed, [rows, length + 1])[:, :-1]


def generator_scores(
    variables: Variables,
    batch: Dict[str, Tensor],
    config: BertConfig,
    dropout: Optional[Dropout] = None,
    mode: Mode = FLOAT32,
) -> Tensor:
    """Score all pieces at the masked positions of a batch with [MASK]; float32 [B * P, V]."""
    small = generator_config(config)
    sequence = encode(variables, batch, small, dropout, mode, GENERATOR[:-1])
    x = gather_positions(sequence, batch["masked_lm_positions"])
    x = activation(config)(dense(variables, f"{GENERATOR_HEAD}dense", x))
    x = layer_norm(variables, GENERATOR_HEAD[:-1], x)
    return class_logits(x, variables[word_embeddings(config)], variables[GENERATOR_BIAS])


def discriminator_scores(
    variables: Variables,
    batch: Dict[str, Tensor],
    config: BertConfig,
    dropout: Optional[Dropout] = None,
    mode: Mode = FLOAT32,
) -> Tensor:
    """Score each position: the logit of its piece being replaced; float32 [B, S]."""
    return scores_of(variables, encode(variables, batch, config, dropout, mode), config)


def scores_of(variables: Variables, sequence: Tensor, config: BertConfig) -> Tensor:
    """Apply the discriminator's head to the last layer; float [B, S, H] -> float32 [B, S]."""
    x = activation(config)(dense(variables, f"{DISCRIMINATOR_HEAD}dense", sequence))
    return tf.cast(dense(variables, f"{DISCRIMINATOR_HEAD}dense_1", x)[:, :, 0], tf.float32)


def corrupt(
    variables: Variables,
    batch: Dict[str, Tensor],
    config: BertConfig,
    dropout: Optional[Dropout] = None,
    mode: Mode = FLOAT32,
) -> Corrupted:
    """Let the generator put a piece at each masked position. No gradient goes through its choice.

    batch: as `learning.replaced_tokens` prepares it, with [MASK] at the masked positions and with
           `noise_seed`, an int64 scalar
    """
    scores = generator_scores(variables, batch, config, dropout, mode)
    samples = choose(scores, batch)
    ids = put(batch, samples)
    labels = tf.cast(tf.not_equal(ids, original_ids(batch)), tf.float32)
    return Corrupted({**batch, "input_ids": ids}, labels, scores, samples)


def choose(scores: Tensor, batch: Dict[str, Tensor]) -> Tensor:
    """Draw a piece for each masked position of a prepared batch by the softmax of its scores,
    float32 [B * P, V]; int32 [B * P]. Equal scores, seeds and numbers get equal pieces.
    """
    predictions = batch["masked_lm_ids"].shape[1]
    noise = -(-scores.shape[1] // _GROUP) + _GROUP  # numbers for a position
    draws = uniforms(batch["noise_seed"], batch["example_numbers"], predictions * noise)
    return sample(scores, tf.reshape(draws, [-1, noise]))


def sample(scores: Tensor, draws: Tensor) -> Tensor:
    """Draw a piece of each row by the softmax of its scores, int32 [N]: the largest score with
    Gumbel noise, first among groups of pieces, then within one, which takes little noise. Rounding
    hardly ever changes the largest, while it would the place on a line of cumulated shares.

    scores: float32 [N, V]
    draws:  float32 [N, groups + _GROUP], uniform in (0, 1)
    """
    count, noise = scores.shape[1], -tf.math.log(-tf.math.log(draws))
    padded = tf.pad(tf.stop_gradient(scores), [[0, 0], [0, -count % _GROUP]], constant_values=-1e9)
    groups = tf.reshape(padded, [-1, -(-count // _GROUP), _GROUP])
    of_groups = tf.reduce_logsumexp(groups, axis=2)
    group = _largest(of_groups + noise[:, : groups.shape[1]])
    inside = tf.gather(groups, group[:, None], batch_dims=1)[:, 0]
    return group * _GROUP + _largest(inside + noise[:, groups.shape[1] :])


def _largest(x: Tensor) -> Tensor:
    return tf.argmax(x, axis=1, output_type=tf.int32)
