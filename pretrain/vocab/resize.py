"""Write a model with another vocabulary to a new folder.

The rows of the new vocabulary are made of rows of the old one, in the word embeddings, the masked
LM head's bias, and the optimizer's slots of both. All other arrays stay the same, to the bit.
WordPiece only: a SentencePiece model holds its pieces and their scores itself.
"""

import json
import os
import tempfile
from typing import Any, Dict, Iterable, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import (
    MODEL,
    TOKENIZER,
    VOCAB,
    tokenizer_kind,
    tokenizer_settings,
    write_json,
)
from pretrain.learning.optimizers import Slot, slot_of
from pretrain.model.bert import initial_value, word_embeddings
from pretrain.model.config import BertConfig, read_bert_config
from pretrain.model.electra import GENERATOR_BIAS
from pretrain.model.heads import OUTPUT_BIAS
from pretrain.runtime import files
from pretrain.runtime.tensorflow import tf
from pretrain.text.tokenizer import load_tokenizer

ID_MAP = "id_map.tsv"

_BIASES = (OUTPUT_BIAS, GENERATOR_BIAS)  # with a number for each piece, as the embeddings have rows
_SHOWN = 10  # pieces that a sentence names


class ModelToResize(NamedTuple):
    """A checkpoint with its vocabulary and its settings."""

    prefix: str
    arrays: Dict[str, np.ndarray]
    model: BertConfig
    config: Dict[str, Any]  # all of bert_config.json
    settings: Dict[str, Any]  # tokenizer_config.json
    tokenizer: Any  # data_gen.tokenization.tokenizer.Tokenizer


class EmbeddingRow(NamedTuple):
    """A piece of the new vocabulary; its row is the mean of rows of the old one, or, without any,
    an initial value.
    """

    piece: str
    ids: Tuple[int, ...]
    new: bool = False


def open_model(path: str) -> ModelToResize:
    """Read a checkpoint with the files beside it.

    Raises UserError if something is missing, or the vocabulary is SentencePiece's or does not fit
    the embeddings.
    """
    prefix, arrays = store.read_found(path)
    folder = os.path.dirname(prefix)
    settings = tokenizer_settings(folder)
    if tokenizer_kind(settings) != "wordpiece":
        raise UserError(
            f"{folder} is of a model with {settings['tokenizer_class']}, whose pieces lie in its "
            "own file: only WordPiece vocabularies can be extended or shrunk"
        )
    path = files.local_copy(os.path.join(folder, MODEL))
    model, config = read_bert_config(path), json.loads(files.read_text(path))
    source = ModelToResize(prefix, arrays, model, config, settings, load_tokenizer(folder))
    pieces = len(source.tokenizer.pieces)
    rows = len(source.arrays.get(word_embeddings(model), ()))
    if rows != pieces:
        raise UserError(
            f"{os.path.join(folder, VOCAB)} has {pieces:,} pieces, but the word embeddings of "
            f"{prefix} have {rows:,} rows: give the vocab.txt that belongs to the checkpoint"
        )
    for name, array in arrays.items():
        if _row_kind(name, model) and len(array) != rows:
            raise UserError(
                f"{name} has {len(array):,} rows in {prefix}, the word embeddings {rows:,}: the "
                "checkpoint is damaged, so give another"
            )
    return source


class _RowKind(NamedTuple):
    """The meaning of the rows of an array: one for each piece, of a weight or of its slot."""

    weight: str
    slot: Optional[Slot]


def _row_kind(name: str, model: BertConfig) -> Optional[_RowKind]:
    """Return the kind of an array with a row for each piece; None for any other array."""
    slot = slot_of(name)
    weight = name.rpartition("/")[0] if slot else name
    if weight not in (word_embeddings(model), *_BIASES):
        return None
    if slot:
        shape = (model.vocab_size, model.width)[: 1 if weight in _BIASES else 2]
        if slot.shape(shape)[:1] != shape[:1]:
            return None  # such as the means over all rows of a factored moment
    return _RowKind(weight, slot)


def tokenizer_of(pieces: Sequence[str], settings: Dict[str, Any]) -> Any:
    """Make the tokenizer of other pieces."""
    with tempfile.TemporaryDirectory() as folder:
        _write_vocabulary(folder, pieces, settings)
        return load_tokenizer(folder)


def _write_vocabulary(folder: str, pieces: Iterable[str], settings: Dict[str, Any]) -> None:
    files.write_text(os.path.join(folder, VOCAB), "".join(f"{piece}\n" for piece in pieces))
    write_json(os.path.join(folder, TOKENIZER), settings)


def write_model(
    source: ModelToResize, folder: str, rows: Sequence[EmbeddingRow], id_map: bool = False
) -> Tuple[int, int]:
    """Write a model with these rows into an empty folder. Returns the number of its weights before
    and after.
    """
    arrays = {
        name: _resized(name, array, rows, source.model) for name, array in source.arrays.items()
    }
    _write_vocabulary(folder, (row.piece for row in rows), source.settings)
    write_json(os.path.join(folder, MODEL), {**source.config, "vocab_size": len(rows)})
    if id_map:
        ids = [f"{row.ids[0]}\t{i}\t{row.piece}\n" for i, row in enumerate(rows)]
        files.write_text(os.path.join(folder, ID_MAP), "".join(["old\tnew\tpiece\n", *ids]))
    prefix = os.path.join(folder, os.path.basename(source.prefix))
    store.save(prefix, {name: tf.constant(array) for name, array in arrays.items()})
    if store.latest(folder):
        store.tidy(folder, keep=1)
    before, after = (
        sum(int(array.size) for array in store.without_slots(tensors).values())
        for tensors in (source.arrays, arrays)
    )
    return before, after


def _resized(
    name: str, array: np.ndarray, rows: Sequence[EmbeddingRow], model: BertConfig
) -> np.ndarray:
    kind = _row_kind(name, model)
    if not kind:
        return array
    made = array[[row.ids[0] if row.ids else 0 for row in rows]]
    for i, row in enumerate(rows):
        if row.new:
            made[i] = _new_row(kind, array, row, model)
    return made


def _new_row(kind: _RowKind, array: np.ndarray, row: EmbeddingRow, model: BertConfig) -> Any:
    # The momentum of other rows says nothing about the direction of this one.
    if kind.slot and kind.slot.is_momentum:
        return 0
    if row.ids:
        return array[list(row.ids)].mean(axis=0)
    if kind.weight not in _BIASES and not kind.slot:
        return initial_value(f"the row of {row.piece}", array.shape[1:], model, seed=0)
    return 0


def named(pieces: Sequence[str]) -> str:
    """Return the first of some pieces, for a sentence."""
    more = f" and {len(pieces) - _SHOWN:,} more" if len(pieces) > _SHOWN else ""
    return ", ".join(map(repr, pieces[:_SHOWN])) + more
