"""The two halves of an ELECTRA as models of their own, as Hugging Face has them, and back.

The discriminator is the model, the generator lies in the folder `generator` in it. Both have the
shared embeddings. Weights are named as by google-research/electra, each half in the scope
`electra`, as hugging_face.py takes them.
"""

import dataclasses
from typing import Dict, List, NamedTuple

import numpy as np

from data_gen.shared.errors import UserError
from pretrain.learning import classification
from pretrain.model.bert import (
    dense_shapes,
    embedding_shapes,
    encoder_shapes,
    layer_norm_shapes,
)
from pretrain.model.config import BertConfig
from pretrain.model.electra import (
    DISCRIMINATOR_HEAD,
    GENERATOR,
    GENERATOR_BIAS,
    GENERATOR_HEAD,
    generator_config,
)

FOLDER = "generator"

Weights = Dict[str, np.ndarray]


class Half(NamedTuple):
    """A model as transformers loads it."""

    config: BertConfig
    weights: Weights


def whole(config: BertConfig, weights: Weights) -> Dict[str, Half]:
    """Return a model that is one in other programs, too, by the folder for it: its own."""
    return {"": Half(config, weights)}


def halves(config: BertConfig, weights: Weights) -> Dict[str, Half]:
    """Return discriminator and generator, if it is there, each by its folder."""
    of_generator = (GENERATOR, GENERATOR_HEAD)
    rest = {name: x for name, x in weights.items() if not name.startswith(of_generator)}
    found = {"": Half(config, rest)}
    if len(rest) < len(weights):
        generator = {
            alone(name, config): x
            for name, x in weights.items()
            if name.startswith(of_generator) or name in embedding_shapes(config)
        }
        alone_config = dataclasses.replace(
            generator_config(config), generator_hidden_size=1.0, generator_layers=1.0
        )
        found[FOLDER] = Half(alone_config, generator)
    return found


def alone(name: str, config: BertConfig) -> str:
    """Return the name that a weight of the generator has in a model of its own."""
    if name.startswith(GENERATOR):
        return f"{config.model_type}/{name[len(GENERATOR) :]}"
    return name


def names_of_half(config: BertConfig) -> List[str]:
    """Return the names of the weights that a half may have as a model of its own."""
    return [
        *encoder_shapes(config),
        *dense_shapes(f"{GENERATOR_HEAD}dense", 0, 0),
        *layer_norm_shapes(GENERATOR_HEAD[:-1], 0),
        GENERATOR_BIAS,
        *dense_shapes(f"{DISCRIMINATOR_HEAD}dense", 0, 0),
        *dense_shapes(f"{DISCRIMINATOR_HEAD}dense_1", 0, 0),
    ]


def joined(config: BertConfig, discriminator: Weights, generator: Half, source: str) -> Half:
    """Put the halves together, the inverse of `halves`. Raises UserError where the generator has
    other embeddings or sizes than google-research/electra can give it.
    """
    small = generator.config
    config = dataclasses.replace(
        config,
        generator_hidden_size=small.hidden_size / config.hidden_size,
        generator_layers=small.num_hidden_layers / config.num_hidden_layers,
    )
    expected, names = generator_config(config), ("num_attention_heads", "intermediate_size")
    for name in names:
        if getattr(small, name) != getattr(expected, name):
            raise UserError(
                f"the generator in {source} has {name} {getattr(small, name)}, while of hidden "
                f"size {small.hidden_size} Google's code makes it {getattr(expected, name)}: "
                "import the discriminator alone"
            )
    weights = dict(discriminator)
    for name, array in generator.weights.items():
        if name not in embedding_shapes(config):
            scope = f"{config.model_type}/"
            weights[name.replace(scope, GENERATOR) if name.startswith(scope) else name] = array
        elif name not in discriminator or not np.array_equal(array, discriminator[name]):
            raise UserError(
                f"{name} of the generator in {source} is not that of the discriminator, while the "
                "two share it here: import the discriminator alone"
            )
    return Half(config, weights)


def classifier(config: BertConfig, weights: Weights) -> Dict[str, Half]:
    """Return a classifier for ElectraForSequenceClassification, which has a dense layer and a GELU
    before the one dense layer of Google's head.

    They are set so that nothing changes: the score of each label and its negative go through the
    GELU, and gelu(x) - gelu(-x) = x. Raises UserError for more labels than half the hidden size.
    """
    rows, bias = weights[classification.WEIGHTS], weights[classification.BIAS]
    count, size = rows.shape
    if 2 * count > size:
        raise UserError(
            f"ElectraForSequenceClassification has room for {size // 2} labels of a head without a "
            f"hidden layer, and this model has {count}: export it with --format tf1 or saved_model"
        )
    dense, out = np.zeros([size, size], np.float32), np.zeros([size, count], np.float32)
    dense[:, :count], dense[:, count : 2 * count] = rows.T, -rows.T
    out[:count], out[count : 2 * count] = np.eye(count), -np.eye(count)
    rest = {
        name: x
        for name, x in weights.items()
        if name not in (classification.WEIGHTS, classification.BIAS)
    }
    head = {"dense/kernel": dense, "dense/bias": np.zeros(size, np.float32)}
    head.update({"out_proj/kernel": out, "out_proj/bias": bias})
    return {"": Half(config, {**rest, **{f"classifier/{name}": x for name, x in head.items()}})}


TENSORS = {
    GENERATOR_BIAS: "generator_lm_head.bias",
    f"{DISCRIMINATOR_HEAD}dense_1/kernel": f"{DISCRIMINATOR_HEAD[:-1]}.dense_prediction.weight",
    f"{DISCRIMINATOR_HEAD}dense_1/bias": f"{DISCRIMINATOR_HEAD[:-1]}.dense_prediction.bias",
}
