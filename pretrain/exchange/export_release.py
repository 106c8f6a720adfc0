"""Export a trained checkpoint in the forms that other programs load."""

import dataclasses
import os
from typing import Any, Callable, Dict

from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import read_vocabulary
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import (
    MODEL,
    SENTENCEPIECE,
    TOKENIZER,
    VOCAB,
    new_folder,
    write_json,
)
from pretrain.checkpoint.load import load_model
from pretrain.exchange.hf_tokenizer import write_tokenizer
from pretrain.exchange.hugging_face import CONFIG, to_config, to_tensors
from pretrain.exchange.model_card import model_card
from pretrain.exchange.release import TF1_PREFIX, describe_absent, read_release
from pretrain.exchange.saved_model import write_saved_model
from pretrain.exchange.weight_files import SAFETENSORS, write_tensors
from pretrain.learning.objectives import DEFAULT
from pretrain.model.activations import ACTIVATIONS
from pretrain.model.config import BertConfig
from pretrain.model.heads import PAIR_CLASSIFIER
from pretrain.runtime import files
from pretrain.runtime.log import log
from pretrain.runtime.tensorflow import tf


def export_tf1(source: str, output: str) -> str:
    """Write a release as Google and HFL ship it: bert_model.ckpt.*, bert_config.json, vocab.txt,
    and the tokenizer's settings. Returns the prefix.

    The weights keep both heads and the pooler (their lack is the most frequent complaint about
    released models) and lose the optimizer's slots. Raises UserError if `output` is not empty or a
    URL, or the source lacks a file.
    """
    release = read_release(source)
    with new_folder(output) as folder:
        for name in (VOCAB, TOKENIZER, SENTENCEPIECE):
            path = os.path.join(release.folder, name)
            if files.exists(path):
                files.copy(path, os.path.join(folder, name))
        write_json(os.path.join(folder, MODEL), _googles(release.config))
        store.save(
            os.path.join(folder, TF1_PREFIX),
            {name: tf.constant(array) for name, array in release.weights.items()},
        )
    _log_absent(release.weights)
    return os.path.join(output, TF1_PREFIX)


def _googles(config: BertConfig) -> Dict[str, Any]:
    """Return the content of a bert_config.json for Google's code."""
    nearest = ACTIVATIONS[config.hidden_act].google
    if nearest != config.hidden_act:
        log(
            f"hidden_act: Google's code has no {config.hidden_act}, so bert_config.json says "
            f"{nearest}; the outputs of this model will differ a little there"
        )
        config = dataclasses.replace(config, hidden_act=nearest)
    return dataclasses.asdict(config)


def export_hf(source: str, output: str) -> str:
    """Write a folder of Hugging Face: config.json, model.safetensors, the tokenizer's files and a
    model card. Returns the folder.

    Raises UserError as `export_tf1` does, and if a package is missing.
    """
    release = read_release(source)
    pieces = read_vocabulary(release.vocab_file)
    if len(pieces) > release.config.vocab_size:
        raise UserError(
            f"{release.vocab_file} has {len(pieces)} pieces, the embedding "
            f"{release.config.vocab_size} rows: put the vocab.txt of this very model there"
        )
    config = to_config(release.config, release.weights, pieces.index("[PAD]"))
    with new_folder(output) as folder:
        write_tensors(os.path.join(folder, SAFETENSORS), to_tensors(release.weights))
        write_json(os.path.join(folder, CONFIG), config)
        files.copy(release.vocab_file, os.path.join(folder, VOCAB))
        positions = release.config.max_position_embeddings
        write_tokenizer(folder, release.vocab_file, release.tokenizer, positions)
        name = os.path.basename(os.path.abspath(output))
        files.write_text(os.path.join(folder, "README.md"), model_card(release, name))
    _log_absent(release.weights)
    return output


def _log_absent(weights: Dict[str, Any]) -> None:
    for sentence in describe_absent(weights):
        log(sentence)


def export_saved_model(source: str, output: str, count: int = 5) -> str:
    """Write a TF2 SavedModel that proposes `count` pieces; see `saved_model`. Returns the folder.

    Raises UserError on TensorFlow 1.15, if the checkpoint lacks the masked LM head or the pooler,
    or as `export_tf1` does.
    """
    model = load_model(source, may_lack=(PAIR_CLASSIFIER,), objective=DEFAULT)
    if count > model.config.vocab_size:
        raise UserError(
            f"--count {count} is more than the vocabulary has: give at most "
            f"{model.config.vocab_size}"
        )
    with new_folder(output) as folder:
        write_saved_model(model, folder, count)
    return output


FORMATS: Dict[str, Callable[..., str]] = {
    "tf1": export_tf1,
    "hf": export_hf,
    "saved_model": export_saved_model,
}
