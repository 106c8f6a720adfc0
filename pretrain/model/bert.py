"""BERT as functions over a dict of variables, by google-research/bert's names (modeling.py).

The scope of a name is `bert`; of an ELECTRA, `electra`, and for its generator `generator`.

B batch, S sequence, E embedding, H hidden, A attention heads, D hidden per head, F intermediate,
V vocabulary.
"""

import math
import zlib
from collections import OrderedDict
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pretrain.model.activations import ACTIVATIONS
from pretrain.model.config import BertConfig
from pretrain.model.noise import mixed_seed
from pretrain.runtime.tensorflow import Tensor, tf

Shape = Tuple[int, ...]
Variables = Dict[str, Tensor]
Dropout = Callable[[Tensor, float, str], Tensor]  # (x, rate, name of the place) -> x


class Mode(NamedTuple):
    """The precision, memory and shapes of the computation. Variables are float32 in any case."""

    dtype: str = "float32"  # of activations and products; sums over many numbers stay float32
    recompute: bool = False
    fixed_shapes: bool = True  # no shape depends on the values of a batch: XLA needs that


FLOAT32 = Mode()

EMBEDDINGS = "bert/embeddings/word_embeddings"


def dense_shapes(name: str, inputs: int, outputs: int) -> Dict[str, Shape]:
    """Return name -> shape of the weights of a dense layer."""
    return {f"{name}/kernel": (inputs, outputs), f"{name}/bias": (outputs,)}


def layer_norm_shapes(name: str, size: int) -> Dict[str, Shape]:
    """Return name -> shape of the weights of a LayerNorm."""
    return {f"{name}/LayerNorm/beta": (size,), f"{name}/LayerNorm/gamma": (size,)}


def word_embeddings(config: BertConfig) -> str:
    """Return the name of the word embeddings."""
    return f"{config.model_type}/embeddings/word_embeddings"


def encoder_shapes(config: BertConfig) -> "OrderedDict[str, Shape]":
    """Return name -> shape of every weight of embeddings, encoder and pooler, in Google's order."""
    shapes = embedding_shapes(config)
    shapes.update(layer_shapes(config, config.model_type))
    if config.has_pooler:
        shapes.update(dense_shapes("bert/pooler/dense", config.hidden_size, config.hidden_size))
    return shapes


def embedding_shapes(config: BertConfig) -> "OrderedDict[str, Shape]":
    """Return name -> shape of the weights of the embeddings, which lie in the model's own scope."""
    shapes: OrderedDict[str, Shape] = OrderedDict()
    prefix, e = f"{config.model_type}/embeddings", config.width
    shapes[f"{prefix}/word_embeddings"] = (config.vocab_size, e)
    shapes[f"{prefix}/token_type_embeddings"] = (config.type_vocab_size, e)
    shapes[f"{prefix}/position_embeddings"] = (config.max_position_embeddings, e)
    shapes.update(layer_norm_shapes(prefix, e))
    return shapes


def layer_shapes(config: BertConfig, scope: str) -> "OrderedDict[str, Shape]":
    """Return name -> shape of the weights of the layers in a scope, and of the projection of the
    embeddings if they have another size.
    """
    h, f = config.hidden_size, config.intermediate_size
    shapes: OrderedDict[str, Shape] = OrderedDict()
    if config.width != h:
        shapes.update(dense_shapes(f"{scope}/embeddings_project", config.width, h))
    for i in range(config.num_hidden_layers):
        layer = f"{scope}/encoder/layer_{i}"
        for name in ("query", "key", "value"):
            shapes.update(dense_shapes(f"{layer}/attention/self/{name}", h, h))
        shapes.update(dense_shapes(f"{layer}/attention/output/dense", h, h))
        shapes.update(layer_norm_shapes(f"{layer}/attention/output", h))
        shapes.update(dense_shapes(f"{layer}/intermediate/dense", h, f))
        shapes.update(dense_shapes(f"{layer}/output/dense", f, h))
        shapes.update(layer_norm_shapes(f"{layer}/output", h))
    return shapes


def variable_shapes(config: BertConfig) -> "OrderedDict[str, Shape]":
    """Return name -> shape of every weight of encoder, pooler and both heads, in Google's
    order.
    """
    h, shapes = config.hidden_size, encoder_shapes(config)
    shapes.update(dense_shapes("cls/predictions/transform/dense", h, h))
    shapes.update(layer_norm_shapes("cls/predictions/transform", h))
    shapes["cls/predictions/output_bias"] = (config.vocab_size,)
    shapes["cls/seq_relationship/output_weights"] = (2, h)
    shapes["cls/seq_relationship/output_bias"] = (2,)
    return shapes


def initial_value(name: str, shape: Sequence[int], config: BertConfig, seed: int) -> np.ndarray:
    """Return a weight before training: truncated normal, LayerNorm's gamma 1, biases and beta 0; of
    the dense layers for which google-research/electra names no distribution, TensorFlow's uniform.

    Drawn by NumPy from (seed, name): the same on every TensorFlow version and in any order.
    """
    if name.endswith("/gamma"):
        return np.ones(shape, np.float32)
    if name.endswith(("/bias", "/beta", "_bias")):
        return np.zeros(shape, np.float32)
    rng = np.random.RandomState([seed, zlib.crc32(name.encode())])
    if name.endswith(_UNIFORM):
        bound = math.sqrt(6.0 / sum(shape))
        return rng.uniform(-bound, bound, shape).astype(np.float32)
    values = rng.standard_normal(shape)
    while True:  # as TensorFlow: values beyond two standard deviations are drawn again
        outside = np.abs(values) > 2
        if not outside.any():
            return (values * config.initializer_range).astype(np.float32)
        values[outside] = rng.standard_normal(int(outside.sum()))


_UNIFORM = ("embeddings_project/kernel", "discriminator_predictions/dense_1/kernel")


def init(config: BertConfig, seed: int, shapes: Optional[Mapping[str, Shape]] = None) -> Variables:
    """Make variables with their initial values: of these names and shapes, default all of
    `variable_shapes`.
    """
    return {
        name: tf.Variable(initial_value(name, shape, config, seed), name=name)
        for name, shape in (shapes or variable_shapes(config)).items()
    }


def no_dropout(x: Tensor, rate: float, place: str) -> Tensor:
    """Leave `x` as it is: for evaluation."""
    return x


def seeded_dropout(seed: int, *keys: Tensor) -> Dropout:
    """Return dropout whose noise depends on seed, keys (step, micro batch) and place alone: a
    resumed training repeats it, and so does a layer that is computed twice.
    """
    mixed = mixed_seed(seed, *keys)

    def dropout(x: Tensor, rate: float, place: str) -> Tensor:
        if not rate:
            return x
        noise_seed = tf.stack([mixed, tf.constant(zlib.crc32(place.encode()), tf.int64)])
        kept = tf.random.stateless_uniform(tf.shape(x), seed=noise_seed) >= rate
        return x * (tf.cast(kept, x.dtype) * (1.0 / (1.0 - rate)))

    return dropout


def size_of(x: Tensor, axis: int) -> Tensor:
    """Return the size of an axis: a number if it is known, which XLA and a TPU want, else a scalar
    of the graph.
    """
    known = x.shape[axis]
    return tf.shape(x)[axis] if known is None else known


def dense(variables: Variables, name: str, x: Tensor) -> Tensor:
    """Multiply `x` by the kernel and add the bias; float [..., inputs] -> [..., outputs]."""
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
    """Return the function that `hidden_act` names."""
    return ACTIVATIONS[config.hidden_act].function


def encode(
    variables: Variables,
    batch: Dict[str, Tensor],
    config: BertConfig,
    dropout: Optional[Dropout] = None,
    mode: Mode = FLOAT32,
    scope: Optional[str] = None,
) -> Tensor:
    """Run the encoder.

    batch:   input_ids, input_mask, segment_ids: int32 [B, S]; positions with mask 0 are not
             attended to
    scope:   of the layers, if it is another than the model's own, in which the embeddings lie
    Returns  `mode.dtype` [B, S, H], the last layer
    """
    drop, scope = dropout or no_dropout, scope or config.model_type
    x = tf.cast(_embed(variables, batch, config, drop, scope), mode.dtype)
    if config.width != config.hidden_size:
        x = dense(variables, f"{scope}/embeddings_project", x)
    mask = (1.0 - tf.cast(batch["input_mask"][:, None, None, :], tf.float32)) * -10000.0
    for i in range(config.num_hidden_layers):
        prefix = f"{scope}/encoder/layer_{i}/"
        names = [name for name in variables if name.startswith(prefix)]

        def layer(
            x: Tensor, *weights: Tensor, name: str = prefix[:-1], names: Sequence[str] = names
        ) -> Tensor:
            return _layer(dict(zip(names, weights)), name, x, mask, config, drop)

        run = recomputed(layer) if mode.recompute else layer
        x = run(x, *(tf.convert_to_tensor(variables[name]) for name in names))
    return x


def recomputed(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Wrap a function of tensors so that it keeps only its arguments for the backward pass, and is
    run once more there.
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
    weights: Variables, layer: str, x: Tensor, mask: Tensor, config: BertConfig, drop: Dropout
) -> Tensor:
    rate = config.hidden_dropout_prob
    attended = _attend(weights, f"{layer}/attention/self", x, mask, config, drop)
    attended = dense(weights, f"{layer}/attention/output/dense", attended)
    attended = drop(attended, rate, f"{layer}/attention/output")
    x = layer_norm(weights, f"{layer}/attention/output", x + attended)
    inner = activation(config)(dense(weights, f"{layer}/intermediate/dense", x))
    outer = drop(dense(weights, f"{layer}/output/dense", inner), rate, f"{layer}/output")
    return layer_norm(weights, f"{layer}/output", x + outer)


def pool(variables: Variables, sequence: Tensor) -> Tensor:
    """Put the [CLS] vector through the pooler, if there is one; float [B, S, H] -> [B, H]."""
    first = sequence[:, 0, :]
    if "bert/pooler/dense/kernel" not in variables:
        return first
    return tf.tanh(dense(variables, "bert/pooler/dense", first))


def _embed(
    variables: Variables, batch: Dict[str, Tensor], config: BertConfig, drop: Dropout, scope: str
) -> Tensor:
    prefix = f"{config.model_type}/embeddings"
    length = size_of(batch["input_ids"], 1)
    # As a tensor: the gradient of a lookup in a variable has an unknown shape when it meets that of
    # the MLM head.
    words = tf.gather(tf.identity(variables[word_embeddings(config)]), batch["input_ids"])
    # Two rows: a product is faster than a gather, above all backwards.
    kinds = tf.one_hot(batch["segment_ids"], config.type_vocab_size, dtype=words.dtype)
    types = tf.tensordot(kinds, variables[f"{prefix}/token_type_embeddings"], axes=1)
    positions = variables[f"{prefix}/position_embeddings"][:length]
    x = layer_norm(variables, prefix, words + types + positions)
    return drop(x, config.hidden_dropout_prob, f"{scope}/embeddings")


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
