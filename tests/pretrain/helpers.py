"""Helpers of several tests of the trainer."""

import os
import socket

import numpy as np

from pretrain.learning.objective import mean_losses
from pretrain.learning.objectives import OBJECTIVES
from pretrain.model.bert import FLOAT32, variable_shapes

DATA = "tests/golden/dataset"

MODEL = {
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 16,
    "initializer_range": 0.02,
    "intermediate_size": 32,
    "max_position_embeddings": 48,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "type_vocab_size": 2,
    "vocab_size": 21128,
}
PLAIN = {**MODEL, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def free_ports(count):
    """Ports of this machine that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("localhost", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def scaled_weights(model):
    """The weights of a model with both heads, by `random_weights`."""
    return random_weights(variable_shapes(model))


def random_weights(shapes):
    """Weights far from the initial ones, so that a mistake anywhere shows: ten times as large, no
    zeros and ones.
    """
    weights = {}
    for i, (name, shape) in enumerate(shapes.items()):
        noise = np.random.RandomState(i).uniform(-0.2, 0.2, shape)
        weights[name] = (noise + (1.0 if name.endswith("gamma") else 0.0)).astype(np.float32)
    return weights


def features_of(info):
    """The features of a data set's records."""
    return OBJECTIVES["masked_lm"].features(info)


def losses_of_batch(variables, batch, model, config):
    """The mean losses of a whole batch by name, without dropout."""
    objective = OBJECTIVES[config.objective]
    losses = objective.losses(config)
    divisors = {name: loss.divisor(batch) for name, loss in losses.items()}
    return mean_losses(losses, objective.sums(variables, batch, model, None, FLOAT32), divisors)
