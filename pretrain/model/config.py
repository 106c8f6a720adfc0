"""bert_config.json, of a BERT or an ELECTRA, as a dataclass."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Dict, NamedTuple, Optional, Tuple

from data_gen.shared.errors import UserError
from data_gen.shared.json_text import parse_json
from data_gen.shared.settings import require_one_of
from pretrain.model.activations import ACTIVATIONS

# The largest that is taken for meant: no model of this form is near them, and a file that says more
# would only fill the memory.
_MOST = {
    "vocab_size": 1 << 24,
    "hidden_size": 1 << 16,
    "num_hidden_layers": 256,
    "num_attention_heads": 1 << 12,
    "intermediate_size": 1 << 18,
    "max_position_embeddings": 1 << 16,
    "type_vocab_size": 1 << 12,
    "embedding_size": 1 << 16,
}
# Least and most of the other numbers.
_RANGES: Dict[str, Tuple[float, float]] = {
    "hidden_dropout_prob": (0.0, 0.99),
    "attention_probs_dropout_prob": (0.0, 0.99),
    "initializer_range": (0.0, 100.0),
    "generator_hidden_size": (0.001, 16.0),
    "generator_layers": (0.001, 16.0),
}


class ModelType(NamedTuple):
    """The parts of an encoder in which the types differ."""

    has_pooler: bool  # else the vector of [CLS] is taken as it is


# By the name that Hugging Face has for the type, which is the scope of Google's names of weights.
MODEL_TYPES = {"bert": ModelType(has_pooler=True), "electra": ModelType(has_pooler=False)}


@dataclass(frozen=True)
class BertConfig:
    """The content of bert_config.json, by Google's names."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    # Of an ELECTRA alone. The sizes are those of the discriminator; the last two are the shares
    # that its generator has of them, by the names of google-research/electra.
    model_type: str = "bert"  # a name in MODEL_TYPES
    embedding_size: Optional[int] = None  # null: hidden_size
    generator_hidden_size: float = 0.25
    generator_layers: float = 1.0

    def __post_init__(self) -> None:
        require_one_of("model_type", self.model_type, list(MODEL_TYPES))
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is None and field.default is None:
                continue
            if field.name in _MOST:
                _require_whole(field.name, value)
            elif field.name in _RANGES:
                _require_in_range(field.name, value)
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is no multiple of num_attention_heads "
                f"{self.num_attention_heads}"
            )
        require_one_of("hidden_act", self.hidden_act, list(ACTIVATIONS))

    @property
    def has_pooler(self) -> bool:
        """True if a dense layer follows on the vector of [CLS]."""
        return MODEL_TYPES[self.model_type].has_pooler

    @property
    def width(self) -> int:
        """The length of an embedding."""
        return self.embedding_size or self.hidden_size

    def as_json(self) -> Dict[str, Any]:
        """Return the content of bert_config.json; of a BERT, with Google's names alone."""
        values = dataclasses.asdict(self)
        if self.model_type == BertConfig.model_type:
            return {name: value for name, value in values.items() if name not in _OF_ELECTRA}
        return values


_OF_ELECTRA = ("model_type", "embedding_size", "generator_hidden_size", "generator_layers")


def _require_whole(name: str, value: Any) -> None:
    if type(value) is not int or value < 1:
        raise ValueError(f"{name} must be a whole number above 0, not {str(value)[:40]}")
    if value > _MOST[name]:
        raise ValueError(f"{name} must be at most {_MOST[name]:,}, not {str(value)[:40]}")


def _require_in_range(name: str, value: Any) -> None:
    least, most = _RANGES[name]
    if type(value) not in (int, float) or not least <= value <= most:
        raise ValueError(f"{name} must be from {least:g} to {most:g}, not {str(value)[:40]}")


def read_bert_config(path: str) -> BertConfig:
    """Read a bert_config.json. Keys of other tools (`pooler_type`, `directionality`, ...) are
    ignored.

    Raises UserError if the file cannot be read or does not describe a model.
    """
    try:
        with open(path, "rb") as handle:
            return bert_config_of(parse_json(handle.read()))
    except OSError as error:
        raise UserError(f"cannot read the model {path}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path} is no bert_config.json: {error}") from error


def bert_config_of(values: Any) -> BertConfig:
    """Return the configuration in a JSON object. Raises ValueError where it does not describe a
    model.
    """
    if not isinstance(values, dict):
        raise ValueError("it is no JSON object")
    known = {field.name: field for field in dataclasses.fields(BertConfig)}
    missing = [n for n, f in known.items() if n not in values and f.default is dataclasses.MISSING]
    if missing:
        raise ValueError(f"{missing[0]} is missing")
    found = {name: value for name, value in values.items() if name in known}
    if found.get("model_type") not in MODEL_TYPES or found["model_type"] == BertConfig.model_type:
        # The type of another tool, or an ALBERT's embedding_size: not for us to read.
        found = {name: value for name, value in found.items() if name not in _OF_ELECTRA}
    return BertConfig(**found)
