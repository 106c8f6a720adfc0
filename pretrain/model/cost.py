"""What a model costs, in numbers: weights, operations, memory.

S sequence, P predictions, H hidden, F intermediate, V vocabulary, A heads, L layers.
"""

from pretrain.config import BertConfig


def weights(model: BertConfig) -> int:
    """Numbers in all weights, pooler and both heads included."""
    h, f = model.hidden_size, model.intermediate_size
    layer = 4 * (h * h + h) + (h * f + f) + (f * h + h) + 4 * h
    embeddings = (model.vocab_size + model.type_vocab_size + model.max_position_embeddings) * h
    heads = 2 * (h * h + h) + 2 * h + model.vocab_size + 2 * h + 2
    return embeddings + 2 * h + model.num_hidden_layers * layer + heads


def flops(model: BertConfig, length: int, predictions: int, recompute: bool = False) -> float:
    """Floating point operations of the matrix products of one sequence, forwards and backwards."""
    h, f = model.hidden_size, model.intermediate_size
    layer = 2 * length * (4 * h * h + 2 * h * f) + 4 * length * length * h
    head = 2 * predictions * (h * h + h * model.vocab_size) + 2 * h * h
    return 3.0 * (model.num_hidden_layers * layer + head) + recompute * (
        model.num_hidden_layers * layer
    )


def state_bytes(model: BertConfig, precision: str, accumulates: bool = False) -> int:
    """Weights, two slots and gradients in float32, and copies of the weights in half precision; a
    sum of the gradients where they are accumulated.
    """
    return weights(model) * ((16 if precision == "float32" else 18) + 4 * accumulates)


def activation_bytes(
    model: BertConfig, length: int, predictions: int, precision: str, recompute: bool
) -> int:
    """What one sequence keeps for the backward pass: an estimate after Korthikanti et al. 2022,
    arXiv 2205.05198, 34 S H + 5 A S^2 bytes a layer at two bytes a number. Recomputed, a layer
    keeps its input, and one is whole at a time. The logits are float32, four times over.
    """
    size = 4 if precision == "float32" else 2
    h, layers = model.hidden_size, model.num_hidden_layers
    layer = (34 * length * h + 5 * model.num_attention_heads * length * length) * size // 2
    kept = layers * length * h * size + layer if recompute else layers * layer
    return kept + 16 * predictions * model.vocab_size
