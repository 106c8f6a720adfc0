"""BERT as functions over a dict of variables, by google-research/bert's names (modeling.py).

B batch, S sequence, H hidden, A attention heads, D hidden per head, F intermediate, V vocabulary.
"""

import math
import zlib
from collections import OrderedDict
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pretrain.config import BertConfig
from pretrain.runtime.tensorflow import Tensor, tf

Variables = Dict[str, Tensor]
Dropout = Callable[[Tensor, float, str], Tensor]  # (x, rate, name of the place) -> x


class Mode(NamedTuple):
    """How to compute, which changes no weight's type: variables are float32."""

    dtype: str = "float32"  # of activations and products; sums over many numbers stay float32
    recompute: bool = False


FLOAT32 = Mode()

EMBEDDINGS = "bert/embeddings/word_embeddings"


def _gelu(x: Tensor) -> Tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Google's "gelu", the tanh form: x / 2 * (1 + tanh(u)) = x * sigmoid(2 u), with u =
    sqrt(2 / pi) * (x + 0.044715 x^3). Its own gradient needs half the passes over memory of the
    automatic one.
    """
    first, third = 2 * math.sqrt(2 / math.pi), 2 * math.sqrt(2 / math.pi) * 0.044715
    # In float32: TensorFlow's sigmoid of bfloat16 takes three times as long on a CPU.
    doubled = tf.cast(x * (first + third * tf.square(x)), tf.float32)
    gate = tf.cast(tf.sigmoid(doubled), x.dtype)

    def gradient(upstream: Tensor) -> Tensor:
        # Beyond 16 the gate is 0 or 1 and the slope without effect, but in float16 it overflows.
        z = tf.clip_by_value(x, -16.0, 16.0) if x.dtype == tf.float16 else x
        slope = z * (first + 3 * third * tf.square(z))
        return upstream * (gate * (1 + slope * (1 - gate)))

    return x * gate, gradient


gelu: Callable[[Tensor], Tensor] = tf.custom_gradient(_gelu)


def gelu_erf(x: Tensor) -> Tensor:
    """The exact GELU, x times the normal distribution's share below x: Hugging Face's "gelu"."""
    return x * (0.5 * (1.0 + tf.math.erf(x * math.sqrt(0.5))))


_ACTIVATIONS: Dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": gelu,
    "gelu_erf": gelu_erf,
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


def no_dropout(x: Tensor, rate: float, place: str) -> Tensor:
    """Leave `x` as it is: for evaluation."""
    return x


def seeded_dropout(seed: int, *keys: Tensor) -> Dropout:
    """Dropout whose noise depends on seed, keys (step, part of the batch) and place alone, so that
    a resumed training repeats it, and so does a layer that is computed twice.
    """
    mixed = tf.constant(seed, tf.int64)
    for key in keys:  # an odd multiplier, overflow welcome: distinct keys give distinct seeds
        mixed = mixed * 6364136223846793005 + tf.cast(key, tf.int64) + 1

    def dropout(x: Tensor, rate: float, place: str) -> Tensor:
        if not rate:
            return x
        noise_seed = tf.stack([mixed, tf.constant(zlib.crc32(place.encode()), tf.int64)])
        kept = tf.random.stateless_uniform(tf.shape(x), seed=noise_seed) >= rate
        return x * (tf.cast(kept, x.dtype) * (1.0 / (1.0 - rate)))

    return dropout


def size_of(x: Tensor, axis: int) -> Tensor:
    """The size of an axis: a number where it is known, which XLA and a TPU want, else a scalar of
    the graph.
    """
    known = x.shape[axis]
    return tf.shape(x)[axis] if known is None else known


def dense(variables: Variables, name: str, x: Tensor) -> Tensor:
    """`x` times the kernel plus the bias; float [..., inputs] -> [..., outputs]."""
    kernel = tf.cast(variables[f"{name}/kernel"], x.dtype)
    bias = tf.cast(variables[f"{name}/bias"], x.dtype)
    flat = tf.nn.bias_add(tf.matmul(tf.reshape(x, [-1, kernel.shape[0]]), kernel), bias)
    inner = [size_of(x, axis) for axis in range(1, len(x.shape) - 1)]
    return tf.reshape(flat, [-1, *inner, kernel.shape[1]])


def layer_norm(variables: Variables, name: str, x: Tensor) -> Tensor:
    """Normalize the last axis, in float32; epsilon is that of TF 1's contrib.layers, 1e-12."""
    wide = tf.cast(x, tf.float32)
    mean, variance = tf.nn.moments(wide, axes=[-1], keepdims=True)
    gamma, beta = variables[f"{name}/LayerNorm/gamma"], variables[f"{name}/LayerNorm/beta"]
    return tf.cast(tf.nn.batch_normalization(wide, mean, variance, beta, gamma, 1e-12), x.dtype)


def activation(config: BertConfig) -> Callable[[Tensor], Tensor]:
    """The function that `hidden_act` names."""
    return _ACTIVATIONS[config.hidden_act]


def encode(
    variables: Variables,
    batch: Dict[str, Tensor],
    config: BertConfig,
    dropout: Optional[Dropout] = None,
    mode: Mode = FLOAT32,
) -> Tensor:
    """Run the encoder.

    batch:   input_ids, input_mask, segment_ids: int32 [B, S]; where the mask is 0 nothing is
             attended to
    Returns  `mode.dtype` [B, S, H], the last layer
    """
    drop = dropout or no_dropout
    x = tf.cast(_embed(variables, batch, config, drop), mode.dtype)
    mask = (1.0 - tf.cast(batch["input_mask"][:, None, None, :], tf.float32)) * -10000.0
    for i in range(config.num_hidden_layers):
        prefix = f"bert/encoder/layer_{i}/"
        names = [name for name in variables if name.startswith(prefix)]

        def layer(x: Tensor, *weights: Tensor, i: int = i, names: Sequence[str] = names) -> Tensor:
            return _layer(dict(zip(names, weights)), i, x, mask, config, drop)

        run = recomputed(layer) if mode.recompute else layer
        x = run(x, *(tf.convert_to_tensor(variables[name]) for name in names))
    return x


def recomputed(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The same function of tensors, which keeps nothing but its arguments for the backward pass
    and is run once more there.
    """

    def run(*inputs: Tensor) -> Tuple[Tensor, Callable[[Tensor], List[Tensor]]]:
        def gradient(upstream: Tensor) -> List[Tensor]:
            with tf.control_dependencies([upstream]):  # not before it is needed
                again = [tf.identity(x) for x in inputs]
            with tf.GradientTape() as tape:
                tape.watch(again)
                output = function(*again)
            found: List[Tensor] = tape.gradient(output, again, upstream)
            return found

        return function(*inputs), gradient

    wrapped: Callable[..., Tensor] = tf.custom_gradient(run)
    return wrapped


def _layer(
    weights: Variables, i: int, x: Tensor, mask: Tensor, config: BertConfig, drop: Dropout
) -> Tensor:
    layer, rate = f"bert/encoder/layer_{i}", config.hidden_dropout_prob
    attended = _attend(weights, f"{layer}/attention/self", x, mask, config, drop)
    attended = dense(weights, f"{layer}/attention/output/dense", attended)
    attended = drop(attended, rate, f"{layer}/attention/output")
    x = layer_norm(weights, f"{layer}/attention/output", x + attended)
    inner = activation(config)(dense(weights, f"{layer}/intermediate/dense", x))
    outer = drop(dense(weights, f"{layer}/output/dense", inner), rate, f"{layer}/output")
    return layer_norm(weights, f"{layer}/output", x + outer)


def pool(variables: Variables, sequence: Tensor) -> Tensor:
    """The [CLS] vector through the pooler; float [B, S, H] -> [B, H]."""
    return tf.tanh(dense(variables, "bert/pooler/dense", sequence[:, 0, :]))


def _embed(
    variables: Variables, batch: Dict[str, Tensor], config: BertConfig, drop: Dropout
) -> Tensor:
    length = size_of(batch["input_ids"], 1)
    # As a tensor: the gradient of a lookup in a variable is of unknown shape when it meets that of
    # the MLM head.
    words = tf.gather(tf.identity(variables[EMBEDDINGS]), batch["input_ids"])
    # Two rows: a product is faster than a gather, above all backwards.
    kinds = tf.one_hot(batch["segment_ids"], config.type_vocab_size, dtype=words.dtype)
    types = tf.tensordot(kinds, variables["bert/embeddings/token_type_embeddings"], axes=1)
    positions = variables["bert/embeddings/position_embeddings"][:length]
    x = layer_norm(variables, "bert/embeddings", words + types + positions)
    return drop(x, config.hidden_dropout_prob, "bert/embeddings")


def _attend(
    variables: Variables, name: str, x: Tensor, mask: Tensor, config: BertConfig, drop: Dropout
) -> Tensor:
    """Multi-head self-attention; float [B, S, H] -> [B, S, H]."""
    heads, size = config.num_attention_heads, config.hidden_size // config.num_attention_heads
    length = size_of(x, 1)

    def split(part: str) -> Tensor:  # [B, A, S, D]
        projected = tf.reshape(dense(variables, f"{name}/{part}", x), [-1, length, heads, size])
        return tf.transpose(projected, [0, 2, 1, 3])

    products = tf.matmul(split("query"), split("key"), transpose_b=True)
    scores = tf.cast(products, tf.float32) * (1.0 / math.sqrt(size)) + mask
    weights = tf.cast(tf.nn.softmax(scores), x.dtype)
    weights = drop(weights, config.attention_probs_dropout_prob, name)
    mixed = tf.transpose(tf.matmul(weights, split("value")), [0, 2, 1, 3])
    return tf.reshape(mixed, [-1, length, heads * size])
