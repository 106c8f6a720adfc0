"""Helpers of several tests of the trainer."""

import json
import os
import socket
import subprocess
import sys

import numpy as np

from pretrain.learning.objective import mean_losses
from pretrain.learning.objectives import OBJECTIVES
from pretrain.model.bert import FLOAT32, variable_shapes

DATA = "tests/golden/dataset"
ELECTRA = "tests/data/electra.json"  # a bert_config.json without dropout

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


def start_workers(sets, output):
    """Two processes of one training on this machine; `output`: of both, or of each."""
    hosts = [f"localhost:{port}" for port in free_ports(2)]
    outputs = [output] * 2 if isinstance(output, str) else output
    workers = []
    for index in range(2):
        command = [sys.executable, "-m", "pretrain", "train", "--config"]
        command += ["tests/data/defaults.yaml", "--data", DATA, "--heldout", DATA]
        command += ["--output", outputs[index]]
        command += [word for setting in sets for word in ("--set", setting)]
        task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(task), "PYTHONWARNINGS": "ignore"}
        workers.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE))
    return workers


def finish(workers):
    """Wait for the processes, which must end well."""
    errors = [worker.communicate(timeout=300)[1].decode() for worker in workers]
    for worker, error in zip(workers, errors):
        assert worker.returncode == 0, error


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
