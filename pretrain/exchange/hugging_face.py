"""Google's names, shapes and configuration of BERT as Hugging Face's, and back.

A dense kernel is [inputs, outputs] with Google and [outputs, inputs] with Hugging Face. The decoder
of the masked LM head is the word embedding in both; Hugging Face's files leave it out.
"""

import dataclasses
import json
import re
from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np

from data_gen.shared.errors import UserError
from pretrain.config import BertConfig
from pretrain.exchange.release import Weights, absent_parts
from pretrain.exchange.weight_files import Tensors
from pretrain.model.bert import EMBEDDINGS, variable_shapes

CONFIG = "config.json"

# Google's "gelu" is the tanh form, Hugging Face's the exact one: where the name stayed when a model
# was converted, the two differ by up to 1e-3 in a hidden vector.
_ACTIVATIONS = {"gelu": "gelu_new", "gelu_erf": "gelu", "relu": "relu"}
_FROM_ACTIVATIONS = {
    **{theirs: ours for ours, theirs in _ACTIVATIONS.items()},
    "gelu_pytorch_tanh": "gelu",
}

_HEADS = {
    "cls/predictions/output_bias": "cls.predictions.bias",
    "cls/seq_relationship/output_weights": "cls.seq_relationship.weight",
    "cls/seq_relationship/output_bias": "cls.seq_relationship.bias",
}
_DECODER = "cls.predictions.decoder."
# Google's last part of a name -> ours of Hugging Face
_LAST = {"kernel": "weight", "gamma": "weight", "beta": "bias", "bias": "bias"}

# What tells another architecture with BERT's name, or a variant that computes otherwise.
_REQUIRED: Dict[str, Any] = {
    "model_type": "bert",
    "position_embedding_type": "absolute",
    "layer_norm_eps": 1e-12,
    "is_decoder": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
}


def hf_name(name: str) -> str:
    """Hugging Face's name of one of Google's weights."""
    if name in _HEADS:
        return _HEADS[name]
    parts = re.sub(r"/layer_(\d+)/", r"/layer/\1/", name).split("/")
    if parts[-1].endswith("_embeddings"):
        parts.append("weight")
    else:
        parts[-1] = _LAST[parts[-1]]
    return ".".join(parts)


def to_tensors(weights: Weights) -> Tensors:
    """Google's weights by Hugging Face's names."""
    return {
        hf_name(name): array.T if name.endswith("/kernel") else array
        for name, array in weights.items()
    }


class Found(NamedTuple):
    """What tensors of Hugging Face hold of a BERT."""

    weights: Weights  # by Google's names
    left_over: List[str]  # tensors of no use here, by Hugging Face's


def from_tensors(tensors: Tensors, config: BertConfig, source: str) -> Found:
    """Hugging Face's tensors by Google's names, those of `BertModel` and old ones, too.

    Raises UserError where the masked LM head has a decoder of its own.
    """
    tensors = {_present_name(name): array for name, array in tensors.items()}
    names = {hf_name(name): name for name in variable_shapes(config)}
    bias = tensors.pop(f"{_DECODER}bias", None)
    if bias is not None:
        tensors.setdefault(_HEADS["cls/predictions/output_bias"], bias)
    decoder = tensors.pop(f"{_DECODER}weight", None)
    embedding = tensors.get(hf_name(EMBEDDINGS))
    if decoder is not None and embedding is not None and not np.array_equal(decoder, embedding):
        raise UserError(
            f"the masked LM head of {source} has a matrix of its own, where BERT's is the word "
            "embedding: such a model cannot be imported"
        )
    weights = {}
    for name in names.keys() & tensors.keys():
        array, ours = tensors[name], names[name]
        weights[ours] = np.ascontiguousarray(array.T if ours.endswith("/kernel") else array)
    return Found(weights, sorted(tensors.keys() - names.keys()))


def _present_name(name: str) -> str:
    """The name in today's BertForPreTraining."""
    if name.startswith(("embeddings.", "encoder.", "pooler.")):
        name = f"bert.{name}"
    return re.sub(
        r"LayerNorm\.(gamma|beta)$", lambda match: f"LayerNorm.{_LAST[match.group(1)]}", name
    )


def to_config(config: BertConfig, weights: Weights, pad: Optional[int]) -> Dict[str, Any]:
    """The content of config.json; `pad` is the id of [PAD]."""
    return {
        **dataclasses.asdict(config),
        "architectures": [_architecture(weights)],
        "classifier_dropout": None,
        "hidden_act": _ACTIVATIONS[config.hidden_act],
        "layer_norm_eps": 1e-12,
        "model_type": "bert",
        "pad_token_id": pad,
        "position_embedding_type": "absolute",
        "use_cache": True,
    }


def _architecture(weights: Weights) -> str:
    absent = absent_parts(weights)
    if not absent:
        return "BertForPreTraining"
    return "BertModel" if "cls/predictions/" in absent else "BertForMaskedLM"


def from_config(path: str) -> BertConfig:
    """Read a config.json. Raises UserError where it is of no BERT that this code computes."""
    known = {field.name for field in dataclasses.fields(BertConfig)}
    try:
        with open(path, encoding="utf-8") as handle:
            values = json.load(handle)
        require_bert(values, path)
        ours = {name: value for name, value in values.items() if name in known}
        act = ours.get("hidden_act", "gelu")
        if act not in _FROM_ACTIVATIONS:
            raise UserError(
                f"{path} is of a model with the activation {act}, which is none of "
                f"{', '.join(_FROM_ACTIVATIONS)}: it cannot be imported"
            )
        return BertConfig(**{**ours, "hidden_act": _FROM_ACTIVATIONS[act]})
    except OSError as error:
        raise UserError(f"cannot read the model {path}: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is no config.json of a BERT: {error}") from error


def require_bert(values: Dict[str, Any], path: str) -> None:
    """Raise UserError where a configuration says something that makes it no BERT."""
    for name, wanted in _REQUIRED.items():
        value = values.get(name, wanted)
        if value != wanted:
            raise UserError(
                f"{path} is of no BERT as Google's code computes it: its {name} is {value}, which "
                f"must be {wanted}, so it cannot be imported"
            )
    size = values.get("hidden_size")
    if values.get("embedding_size", size) != size:  # of ALBERT and ELECTRA
        raise UserError(
            f"{path} is of no BERT: its embedding_size is {values['embedding_size']}, the "
            f"hidden_size {size}, so it cannot be imported"
        )
