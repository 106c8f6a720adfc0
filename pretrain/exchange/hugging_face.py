"""Translate Google's names, shapes and configuration of BERT into Hugging Face's, and back.

A dense kernel is [inputs, outputs] with Google and [outputs, inputs] with Hugging Face. The decoder
of the masked LM head is the word embedding in both; Hugging Face's files leave it out.
"""

import re
from typing import Any, Dict, Iterable, List, NamedTuple, Optional

import numpy as np

from data_gen.shared.errors import UserError
from data_gen.shared.json_text import parse_json
from pretrain.exchange.electra import names_of_half
from pretrain.exchange.forms import OF_BERT, Weights, form_of, head_names, loads_as
from pretrain.exchange.weight_files import Tensors
from pretrain.learning.objective import ObjectiveSettings
from pretrain.model.activations import ACTIVATIONS, from_hugging_face
from pretrain.model.bert import EMBEDDINGS, variable_shapes
from pretrain.model.config import MODEL_TYPES, BertConfig, bert_config_of
from pretrain.model.heads import OUTPUT_BIAS

CONFIG = "config.json"

_HEADS = head_names()
_DECODER = "cls.predictions.decoder."
# Google's last part of a name -> Hugging Face's
_LAST = {"kernel": "weight", "gamma": "weight", "beta": "bias", "bias": "bias"}

# Other values mean another architecture with BERT's name, or a variant that computes otherwise.
_REQUIRED: Dict[str, Any] = {
    "position_embedding_type": "absolute",
    "layer_norm_eps": 1e-12,
    "is_decoder": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
}


def hf_name(name: str) -> str:
    """Return Hugging Face's name of one of Google's weights."""
    if name in _HEADS:
        return _HEADS[name]
    parts = re.sub(r"/layer_(\d+)/", r"/layer/\1/", name).split("/")
    if parts[-1].endswith("_embeddings"):
        parts.append("weight")
    else:
        parts[-1] = _LAST[parts[-1]]
    return ".".join(parts)


def to_tensors(weights: Weights) -> Tensors:
    """Return Google's weights by Hugging Face's names."""
    return {
        hf_name(name): array.T if name.endswith("/kernel") else array
        for name, array in weights.items()
    }


class Found(NamedTuple):
    """The weights of a BERT in tensors of Hugging Face."""

    weights: Weights  # by Google's names
    left_over: List[str]  # tensors that are not used, by Hugging Face's names
    prefix: str  # that was taken off the names; empty if there was none


def from_tensors(tensors: Tensors, config: BertConfig, source: str) -> Found:
    """Return Hugging Face's tensors by Google's names, those of `BertModel` and old ones, too.

    Raises UserError if the masked LM head has its own decoder.
    """
    if not config.has_pooler:
        return _of_electra(tensors, config)
    prefix = prefix_of(tensors, "bert.", "embeddings.word_embeddings.weight", source)
    tensors = without_prefix(tensors, prefix)
    tensors = {_present_name(name): array for name, array in tensors.items()}
    names = {hf_name(name): name for name in variable_shapes(config)}
    bias = tensors.pop(f"{_DECODER}bias", None)
    if bias is not None:
        tensors.setdefault(_HEADS[OUTPUT_BIAS], bias)
    decoder = tensors.pop(f"{_DECODER}weight", None)
    embedding = tensors.get(hf_name(EMBEDDINGS))
    if decoder is not None and embedding is not None and not np.array_equal(decoder, embedding):
        raise UserError(
            f"the masked LM head of {source} has its own matrix, while BERT's is the word "
            "embedding: such a model cannot be imported"
        )
    weights = {}
    for name in names.keys() & tensors.keys():
        array, ours = tensors[name], names[name]
        weights[ours] = np.ascontiguousarray(array.T if ours.endswith("/kernel") else array)
    return Found(weights, sorted(tensors.keys() - names.keys()), prefix)


def _of_electra(tensors: Tensors, config: BertConfig) -> Found:
    """Return the tensors of either half by the names that it has in a model of its own."""
    # The head of the generator is tied to the embeddings.
    tensors = {n: x for n, x in tensors.items() if n != "generator_lm_head.weight"}
    names = {hf_name(name): name for name in names_of_half(config)}
    weights = {
        names[name]: np.ascontiguousarray(x.T if names[name].endswith("/kernel") else x)
        for name, x in tensors.items()
        if name in names
    }
    return Found(weights, sorted(tensors.keys() - names.keys()), "")


def prefix_of(names: Iterable[str], model: str, embedding: str, source: str) -> str:
    """Find what stands before the names of a BERT that is part of another model, or was saved by a
    wrapper: `module.`, `bert.` before `bert.embeddings`; empty for a BERT of its own.

    model:     the first part of a BERT's names, which those of its encoder alone may lack
    embedding: the end of the name of the word embedding
    Raises UserError if there are several models.
    """
    found = {name[: -len(embedding)] for name in names if name.endswith(embedding)}
    prefixes = {start[: -len(model)] if start.endswith(model) else start for start in found}
    if len(prefixes) > 1 and "" not in prefixes:
        raise UserError(
            f"{source} holds several models ({', '.join(sorted(prefixes))}): save the one to "
            "import alone"
        )
    return prefixes.pop() if len(prefixes) == 1 else ""


def without_prefix(tensors: Tensors, prefix: str) -> Tensors:
    """Return the tensors with `prefix` taken off the names that begin with it."""
    if not prefix:
        return tensors
    inner = {n[len(prefix) :]: x for n, x in tensors.items() if n.startswith(prefix)}
    return {**{n: x for n, x in tensors.items() if not n.startswith(prefix)}, **inner}


def _present_name(name: str) -> str:
    """Return the name in today's BertForPreTraining."""
    if name.startswith(("embeddings.", "encoder.", "pooler.")):
        name = f"bert.{name}"
    return re.sub(
        r"LayerNorm\.(gamma|beta)$", lambda match: f"LayerNorm.{_LAST[match.group(1)]}", name
    )


def to_config(
    config: BertConfig,
    weights: Weights,
    pad: Optional[int],
    settings: ObjectiveSettings = OF_BERT,
) -> Dict[str, Any]:
    """Return the content of config.json; `pad` is the id of [PAD]."""
    form = form_of(settings, config.model_type)
    of_type = {} if config.has_pooler else {"embedding_size": config.width}
    return {
        **config.as_json(),
        **form.config(settings),
        "architectures": [loads_as(form, weights)[-1]],
        "classifier_dropout": None,
        "hidden_act": ACTIVATIONS[config.hidden_act].hugging_face[0],
        "layer_norm_eps": 1e-12,
        "model_type": config.model_type,
        "pad_token_id": pad,
        "position_embedding_type": "absolute",
        "use_cache": True,
        **of_type,
    }


def from_config(path: str) -> BertConfig:
    """Read a config.json. Raises UserError if it is not of a BERT as this code computes it."""
    try:
        with open(path, "rb") as handle:
            values = parse_json(handle.read())
        require_bert(values, path)
        act, known_acts = values.get("hidden_act", "gelu"), from_hugging_face()
        if act not in list(known_acts):
            raise UserError(
                f"{path} is of a model with the activation {act}, not one of "
                f"{', '.join(known_acts)}: it cannot be imported"
            )
        return bert_config_of({**values, "hidden_act": known_acts[act]})
    except OSError as error:
        raise UserError(f"cannot read the model {path}: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is no config.json of a BERT: {error}") from error


def require_bert(values: Dict[str, Any], path: str) -> None:
    """Raise UserError for a configuration that is neither of a BERT nor of an ELECTRA."""
    model_type = values.get("model_type", BertConfig.model_type)
    if model_type not in list(MODEL_TYPES):
        raise UserError(
            f"{path} is of no BERT as Google's code computes it: its model_type is {model_type}, "
            f"which must be {BertConfig.model_type}, so it cannot be imported"
        )
    for name, wanted in _REQUIRED.items():
        value = values.get(name, wanted)
        if value != wanted:
            raise UserError(
                f"{path} is of no BERT as Google's code computes it: its {name} is {value}, which "
                f"must be {wanted}, so it cannot be imported"
            )
    size = values.get("hidden_size")
    if not MODEL_TYPES[model_type].has_pooler:
        return
    if values.get("embedding_size", size) != size:  # of ALBERT
        raise UserError(
            f"{path} is of no BERT: its embedding_size is {values['embedding_size']}, the "
            f"hidden_size {size}, so it cannot be imported"
        )
