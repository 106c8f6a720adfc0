"""BERT's own bert_config.json as a dataclass."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Dict

from data_gen.shared.errors import UserError
from data_gen.shared.settings import require_one_of
from pretrain.model.activations import ACTIVATIONS


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

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type is int and not (isinstance(value, int) and value > 0):
                raise ValueError(f"{field.name} must be a whole number above 0, not {value}")
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is no multiple of num_attention_heads "
                f"{self.num_attention_heads}"
            )
        require_one_of("hidden_act", self.hidden_act, list(ACTIVATIONS))


def read_bert_config(path: str) -> BertConfig:
    """Read a bert_config.json. Keys of other tools (`pooler_type`, `directionality`, ...) are
    ignored.

    Raises UserError if the file cannot be read or does not describe a model.
    """
    known = {field.name for field in dataclasses.fields(BertConfig)}
    try:
        with open(path, encoding="utf-8") as handle:
            values: Dict[str, Any] = json.load(handle)
        return BertConfig(**{name: value for name, value in values.items() if name in known})
    except OSError as error:
        raise UserError(f"cannot read the model {path}: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is no bert_config.json: {error}") from error
