"""BERT as functions over a dict of variables, by google-research/bert's names (modeling.py).

B batch, S sequence, H hidden, A attention heads, D hidden per head, F intermediate, V vocabulary.
"""

import math
import zlib
from collections import OrderedDict
from typing import Callable, Dict, Optional, Sequence, Tuple

import numpy as np

from pretrain.config import BertConfig
from pretrain.devices import Tensor, tf

Variables = Dict[str, Tensor]
Dropout = Callable[[Tensor, float], Tensor]

EMBEDDINGS = "bert/embeddings/word_embeddings"

_ACTIVATIONS: Dict[str, Callable[[Tensor], Tensor]] = {
    # Google's "gelu" is the tanh form; exact equality with its checkpoints needs it.
    "gelu": lambda x: (
        0.5 * x * (1.0 + tf.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)))
    ),
    "relu": tf.nn.relu,
}


def variable_shapes(config: BertConfig) -> "OrderedDict[str, Tuple[int, ...]]":
    """Name -> shape of every weight of encoder, pooler and both heads, in Google's order."""
    h, f = config.hidden_size, config.intermediate_size
    shapes: OrderedDict[str, Tuple[int, ...]] = OrderedDict()

    def dense(name: str, inputs: int, outputs: int) -> None:
        shapes[f"{name}/kernel"] = (inputs, outputs)
        shapes[f"{name}/bias"] = (outputs,)

    def layer_norm(name: str) -> None:
        shapes[f"{name}/LayerNorm/beta"] = (h,)
        shapes[f"{name}/LayerNorm/gamma"] = (h,)

    shapes[EMBEDDINGS] = (config.vocab_size, h)
    shapes["bert/embeddings/token_type_embeddings"] = (config.type_vocab_size, h)
    shapes["bert/embeddings/position_embeddings"] = (config.max_position_embeddings, h)
    layer_norm("bert/embeddings")
    for i in range(config.num_hidden_layers):
        layer = f"bert/encoder/layer_{i}"
        for name in ("query", "key", "value"):
            dense(f"{layer}/attention/self/{name}", h, h)
        dense(f"{layer}/attention/output/dense", h, h)
        layer_norm(f"{layer}/attention/output")
        dense(f"{layer}/intermediate/dense", h, f)
        dense(f"{layer}/output/dense", f, h)
        layer_norm(f"{layer}/output")
    dense("bert/pooler/dense", h, h)
    dense("cls/predictions/transform/dense", h, h)
    layer_norm("cls/predictions/transform")
    shapes["cls/predictions/output_bias"] = (config.vocab_size,)
    shapes["cls/seq_relationship/output_weights"] = (2, h)
    shapes["cls/seq_relationship/output_bias"] = (2,)
    return shapes


def initial_value(name: str, shape: Sequence[int], config: BertConfig, seed: int) -> np.ndarray:
    """A weight before training: truncated normal, LayerNorm's gamma 1, biases and beta 0.

    Drawn by NumPy from (seed, name): the same on every TensorFlow version and in any order.
    """
    if name.endswith("/gamma"):
        return np.ones(shape, np.float32)
    if name.endswith(("/bias", "/beta", "_bias")):
        return np.zeros(shape, np.float32)
    rng = np.random.RandomState([seed, zlib.crc32(name.encode())])
    values = rng.standard_normal(shape)
    while True:  # as TensorFlow's: what lies beyond two standard deviations is drawn again
        outside = np.abs(values) > 2
        if not outside.any():
            return (values * config.initializer_range).astype(np.float32)
        values[outside] = rng.standard_normal(int(outside.sum()))


def init(config: BertConfig, seed: int) -> Variables:
    """Make all variables with their initial values."""
    return {
        name: tf.Variable(initial_value(name, shape, config, seed), name=name)
        for name, shape in variable_shapes(config).items()
    }


def no_dropout(x: Tensor, rate: float) -> Tensor:
    """Leave `x` as it is: for evaluation."""
    return x


def seeded_dropout(seed: int, step: Tensor) -> Dropout:
    """Dropout whose noise depends on (seed, step, call) alone, so that a resumed training repeats
    it.
    """
    calls = [0]

    def dropout(x: Tensor, rate: float) -> Tensor:
        if not rate:
            return x
        calls[0] += 1
        key = tf.stack([tf.constant(seed * 1000 + calls[0], tf.int64), tf.cast(step, tf.int64)])
        kept = tf.random.stateless_uniform(tf.shape(x), seed=key) >= rate
        return tf.where(kept, x / (1.0 - rate), tf.zeros_like(x))

    return dropout


def dense(variables: Variables, name: str, x: Tensor) -> Tensor:
    """`x` times the kernel plus the bias; float [..., inputs] -> [..., outputs]."""
    kernel = variables[f"{name}/kernel"]
    flat = tf.matmul(tf.reshape(x, [-1, kernel.shape[0]]), kernel) + variables[f"{name}/bias"]
    return tf.reshape(flat, tf.concat([tf.shape(x)[:-1], [kernel.shape[1]]], axis=0))


def layer_norm(variables: Variables, name: str, x: Tensor) -> Tensor:
    """Normalize the last axis; epsilon is that of TF 1's contrib.layers, 1e-12."""
    mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
    gamma, beta = variables[f"{name}/LayerNorm/gamma"], variables[f"{name}/LayerNorm/beta"]
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-12)


def activation(config: BertConfig) -> Callable[[Tensor], Tensor]:
    """The function that `hidden_act` names."""
    return _ACTIVATIONS[config.hidden_act]


def encode(
    variables: Variables,
    batch: Dict[str, Tensor],
    config: BertConfig,
    dropout: Optional[Dropout] = None,
) -> Tensor:
    """Run the encoder.

    batch:   input_ids, input_mask, segment_ids: int32 [B, S]; where the mask is 0 nothing is
             attended to
    Returns  float [B, S, H], the last layer
    """
    drop = dropout or no_dropout
    x = _embed(variables, batch, config, drop)
    mask = (1.0 - tf.cast(batch["input_mask"][:, None, None, :], x.dtype)) * -10000.0
    for i in range(config.num_hidden_layers):
        layer = f"bert/encoder/layer_{i}"
        attended = _attend(variables, f"{layer}/attention/self", x, mask, config, drop)
        attended = dense(variables, f"{layer}/attention/output/dense", attended)
        attended = drop(attended, config.hidden_dropout_prob)
        x = layer_norm(variables, f"{layer}/attention/output", x + attended)
        inner = activation(config)(dense(variables, f"{layer}/intermediate/dense", x))
        outer = drop(dense(variables, f"{layer}/output/dense", inner), config.hidden_dropout_prob)
        x = layer_norm(variables, f"{layer}/output", x + outer)
    return x


def pool(variables: Variables, sequence: Tensor) -> Tensor:
    """The [CLS] vector through the pooler; float [B, S, H] -> [B, H]."""
    return tf.tanh(dense(variables, "bert/pooler/dense", sequence[:, 0, :]))


def _embed(
    variables: Variables, batch: Dict[str, Tensor], config: BertConfig, drop: Dropout
) -> Tensor:
    length = batch["input_ids"].shape[1]
    # As a tensor: the gradient of a lookup in a variable is of unknown shape when it meets that of
    # the MLM head.
    words = tf.gather(tf.identity(variables[EMBEDDINGS]), batch["input_ids"])
    # Two rows: a product is faster than a gather, above all backwards.
    kinds = tf.one_hot(batch["segment_ids"], config.type_vocab_size, dtype=words.dtype)
    types = tf.tensordot(kinds, variables["bert/embeddings/token_type_embeddings"], axes=1)
    positions = variables["bert/embeddings/position_embeddings"][:length]
    x = layer_norm(variables, "bert/embeddings", words + types + positions)
    return drop(x, config.hidden_dropout_prob)


def _attend(
    variables: Variables, name: str, x: Tensor, mask: Tensor, config: BertConfig, drop: Dropout
) -> Tensor:
    """Multi-head self-attention; float [B, S, H] -> [B, S, H]."""
    heads, size = config.num_attention_heads, config.hidden_size // config.num_attention_heads
    shape = tf.shape(x)

    def split(part: str) -> Tensor:  # [B, A, S, D]
        projected = tf.reshape(
            dense(variables, f"{name}/{part}", x), [shape[0], shape[1], heads, size]
        )
        return tf.transpose(projected, [0, 2, 1, 3])

    scores = tf.matmul(split("query"), split("key"), transpose_b=True) / math.sqrt(size) + mask
    weights = drop(tf.nn.softmax(scores), config.attention_probs_dropout_prob)
    mixed = tf.transpose(tf.matmul(weights, split("value")), [0, 2, 1, 3])
    return tf.reshape(mixed, shape)
