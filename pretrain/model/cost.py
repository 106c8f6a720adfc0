"""The cost of a model in numbers: weights, operations, memory.

S sequence, P predictions, E embedding, H hidden, F intermediate, V vocabulary, A heads, L layers.
"""

from typing import Mapping

import numpy as np

from pretrain.model.bert import Shape
from pretrain.model.config import BertConfig
from pretrain.model.electra import generator_config


def count(shapes: Mapping[str, Shape]) -> int:
    """Count the numbers in tensors of these shapes."""
    return sum(int(np.prod(shape)) for shape in shapes.values())


def encoder_flops(
    model: BertConfig, length: int, predictions: int, recompute: bool = False
) -> float:
    """Count the floating point operations of the matrix products of encoder and pooler for one
    sequence, forwards and backwards; the predictions cost nothing here.

    An ELECTRA has no pooler, and its embeddings are projected if they have another size.
    """
    h, f = model.hidden_size, model.intermediate_size
    layer = 2 * length * (4 * h * h + 2 * h * f) + 4 * length * length * h
    layers = model.num_hidden_layers * layer
    project = 2 * length * model.width * h if model.width != h else 0
    return 3.0 * (layers + project + model.has_pooler * 2 * h * h) + recompute * layers


def flops(model: BertConfig, length: int, predictions: int, recompute: bool = False) -> float:
    """Count as `encoder_flops` does, with those of the masked LM head."""
    h = model.hidden_size
    head = 2 * predictions * (h * h + h * model.vocab_size)
    return encoder_flops(model, length, predictions, recompute) + 3.0 * head


def state_bytes(weights: int, slots: int, precision: str, accumulates: bool = False) -> int:
    """Return the bytes of weights, their gradients and the optimizer's slots in float32, and of a
    copy of the weights in half precision; with `accumulates`, of a sum of gradients, too.

    weights, slots: how many numbers
    """
    copies = 8 if precision == "float32" else 10
    return weights * (copies + 4 * accumulates) + 4 * slots


def encoder_activation_bytes(
    model: BertConfig, length: int, predictions: int, precision: str, recompute: bool
) -> int:
    """Estimate the bytes that the encoder keeps of one sequence for the backward pass, after
    Korthikanti et al. 2022, arXiv 2205.05198: 34 S H + 5 A S^2 bytes a layer at two bytes a number.
    With `recompute` a layer keeps its input, and one layer at a time is whole.
    """
    size = 4 if precision == "float32" else 2
    h, layers = model.hidden_size, model.num_hidden_layers
    layer = (34 * length * h + 5 * model.num_attention_heads * length * length) * size // 2
    return layers * length * h * size + layer if recompute else layers * layer


def activation_bytes(
    model: BertConfig, length: int, predictions: int, precision: str, recompute: bool
) -> int:
    """Estimate as `encoder_activation_bytes` does, with the logits of the masked LM head: float32,
    four times over.
    """
    encoder = encoder_activation_bytes(model, length, predictions, precision, recompute)
    return encoder + 16 * predictions * model.vocab_size


def electra_flops(
    model: BertConfig, length: int, predictions: int, recompute: bool = False
) -> float:
    """Count as `encoder_flops` does, of generator and discriminator with their heads."""
    small, h, e = generator_config(model), model.hidden_size, model.width
    heads = 2 * predictions * (small.hidden_size * e + e * model.vocab_size)
    heads += 2 * length * (h * h + h)
    encoders = [encoder_flops(one, length, predictions, recompute) for one in (small, model)]
    return sum(encoders) + 3.0 * heads


def electra_activation_bytes(
    model: BertConfig, length: int, predictions: int, precision: str, recompute: bool
) -> int:
    """Estimate as `activation_bytes` does, of generator and discriminator."""
    small = generator_config(model)
    discriminator = encoder_activation_bytes(model, length, predictions, precision, recompute)
    return discriminator + activation_bytes(small, length, predictions, precision, recompute)
