"""A model with few pieces and strong opinions, as a folder that `predict` takes."""

import dataclasses
import json
import os

from pretrain.checkpoint import store
from pretrain.model.bert import init
from pretrain.model.config import BertConfig
from pretrain.model.electra import electra_shapes
from pretrain.runtime.tensorflow import tf
from tests.pretrain.helpers import random_weights

CHARACTERS = "天地人日月山水火木金"
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]", "。", "linux", "##ux", "##天"]
PIECES += CHARACTERS
CONFIG = BertConfig(
    vocab_size=len(PIECES),
    hidden_size=8,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=16,
    max_position_embeddings=40,
    hidden_act="gelu",
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    type_vocab_size=2,
    initializer_range=1.0,
)


class FakeTokenizer:
    """A tokenizer that needs no package: one character is one piece."""

    pieces = PIECES
    unk, cls, sep, mask = range(1, 5)
    reachable_ids = (6, 7, 8, *range(10, len(PIECES)))

    def encode(self, sentences):
        return [
            (
                [PIECES.index(c) if c in PIECES else self.unk for c in sentence],
                [(i, i + 1) for i in range(len(sentence))],
            )
            for sentence in sentences
        ]

    def join(self, pieces):
        return "".join(PIECES[i].replace("##", "") for i in pieces)


def write_model(folder, without=(), **config):
    """A checkpoint with random weights, less those whose names begin with `without`."""
    os.makedirs(str(folder), exist_ok=True)
    config = dataclasses.replace(CONFIG, **config)
    variables = init(config, seed=3)
    kept = {n: v for n, v in variables.items() if not n.startswith(tuple(without) or ("-",))}
    return _write(str(folder), config, kept)


def write_electra(folder):
    """An ELECTRA, with a discriminator of 40 positions whose logits spread widely around 0."""
    os.makedirs(str(folder), exist_ok=True)
    config = dataclasses.replace(
        CONFIG, model_type="electra", embedding_size=6, hidden_act="gelu_erf"
    )
    weights = random_weights(electra_shapes(config))
    weights["discriminator_predictions/dense_1/kernel"] *= 30
    weights["discriminator_predictions/dense_1/bias"][:] = -0.4
    return _write(str(folder), config, {n: tf.constant(w) for n, w in weights.items()})


def _write(folder, config, tensors):
    store.save(os.path.join(folder, "model.ckpt-1"), tensors)
    with open(os.path.join(folder, "bert_config.json"), "w") as handle:
        json.dump(config.as_json(), handle)
    with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8") as handle:
        handle.write("".join(piece + "\n" for piece in PIECES))
    return folder
