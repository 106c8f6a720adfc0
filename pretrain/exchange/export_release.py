"""Export a trained checkpoint in the forms that other programs load."""

import dataclasses
import os
from typing import Any, Callable, Dict, Optional

from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import read_vocabulary
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import (
    MODEL,
    RUN,
    SENTENCEPIECE,
    TOKENIZER,
    VOCAB,
    new_folder,
    objective_of,
    read_run,
    write_json,
)
from pretrain.checkpoint.load import load_model
from pretrain.exchange.forms import form_of
from pretrain.exchange.hf_tokenizer import write_tokenizer
from pretrain.exchange.hugging_face import CONFIG, to_config, to_tensors
from pretrain.exchange.model_card import model_card
from pretrain.exchange.release import TF1_PREFIX, Release, describe_absent, read_release
from pretrain.exchange.saved_model import write_saved_model
from pretrain.exchange.weight_files import SAFETENSORS, write_tensors
from pretrain.learning.objectives import DEFAULTS
from pretrain.model.activations import ACTIVATIONS
from pretrain.model.config import BertConfig, read_bert_config
from pretrain.model.electra import GENERATOR, GENERATOR_HEAD
from pretrain.model.heads import PAIR_CLASSIFIER
from pretrain.runtime import files
from pretrain.runtime.log import log
from pretrain.runtime.tensorflow import tf

_PROPOSALS = 5  # of a SavedModel for a position


def export_tf1(source: str, output: str) -> str:
    """Write a release as Google and HFL ship it: bert_model.ckpt.*, bert_config.json, vocab.txt,
    and the tokenizer's settings. Returns the prefix.

    The weights keep both heads and the pooler (their lack is the most frequent complaint about
    released models) and lose the optimizer's slots. A fine-tuned model keeps its objective and its
    labels in a run.json, which `predict` and `export` read.

    Raises UserError if `output` is not empty or a URL, or the source lacks a file.
    """
    with new_folder(output) as folder:
        release = read_release(source)
        for name in (VOCAB, TOKENIZER, SENTENCEPIECE):
            path = os.path.join(release.folder, name)
            if files.exists(path):
                files.copy(path, os.path.join(folder, name))
        write_json(os.path.join(folder, MODEL), _googles(release.config))
        if release.form.of_task:
            write_json(os.path.join(folder, RUN), _run_of_task(release))
        store.save(
            os.path.join(folder, TF1_PREFIX),
            {name: tf.constant(array) for name, array in release.weights.items()},
        )
    _log_absent(release)
    return os.path.join(output, TF1_PREFIX)


def _run_of_task(release: Release) -> Dict[str, Any]:
    """Return what a use of the head needs: the objective, and the length of its sequences."""
    kept = {"config": dataclasses.asdict(release.settings)}
    data = read_run(release.folder).get("data_statistics")
    return {**kept, "data_statistics": data} if data else kept


def _googles(config: BertConfig) -> Dict[str, Any]:
    """Return the content of a bert_config.json for Google's code."""
    if not config.has_pooler:  # of an ELECTRA Google's code reads no such file
        return config.as_json()
    nearest = ACTIVATIONS[config.hidden_act].google
    if nearest != config.hidden_act:
        log(
            f"hidden_act: Google's code has no {config.hidden_act}, so bert_config.json says "
            f"{nearest}; the outputs of this model will differ a little there"
        )
        config = dataclasses.replace(config, hidden_act=nearest)
    return config.as_json()


def export_hf(source: str, output: str) -> str:
    """Write a folder of Hugging Face: config.json, model.safetensors, the tokenizer's files and a
    model card. Returns the folder.

    Raises UserError as `export_tf1` does, and if a package is missing.
    """
    with new_folder(output) as folder:
        release = read_release(source)
        left_out = release.form.leaves_out
        release = release._replace(
            weights={n: w for n, w in release.weights.items() if not n.startswith(tuple(left_out))}
        )
        _write_hf(release, folder, os.path.basename(os.path.abspath(output)))
    for sentence in left_out.values():
        log(sentence)
    _log_absent(release)
    return output


def _write_hf(release: Release, folder: str, name: str) -> None:
    """Write the files of Hugging Face; `name` is that of the model card."""
    pieces = read_vocabulary(release.vocab_file)
    if len(pieces) > release.config.vocab_size:
        raise UserError(
            f"{release.vocab_file} has {len(pieces)} pieces, the embedding "
            f"{release.config.vocab_size} rows: put the vocab.txt of this very model there"
        )
    pad = pieces.index("[PAD]")
    positions = release.config.max_position_embeddings
    for name_within, half in release.form.halves(release.config, release.weights).items():
        within = os.path.join(folder, name_within)
        files.make_folder(within)
        config = to_config(half.config, half.weights, pad, release.settings)
        write_tensors(os.path.join(within, SAFETENSORS), to_tensors(half.weights))
        write_json(os.path.join(within, CONFIG), config)
        files.copy(release.vocab_file, os.path.join(within, VOCAB))
        write_tokenizer(within, release.vocab_file, release.tokenizer, positions)
    files.write_text(os.path.join(folder, "README.md"), model_card(release, name))


def _log_absent(release: Release) -> None:
    for sentence in describe_absent(release.weights, release.settings, release.config.model_type):
        log(sentence)


def export_saved_model(source: str, output: str, count: Optional[int] = None) -> str:
    """Write a TF2 SavedModel; see `saved_model`. Returns the folder.

    count: number of pieces to propose, default 5; of a model with the masked LM head
    Raises UserError on TensorFlow 1.15, if the checkpoint lacks its head or the pooler, or as
    `export_tf1` does.
    """
    with new_folder(output) as folder:
        source_folder = os.path.dirname(store.find(source))
        bert = read_bert_config(files.local_copy(os.path.join(source_folder, MODEL)))
        form = form_of(objective_of(source_folder), bert.model_type)
        if count and form.of_task:
            raise UserError(f"{source} is fine-tuned and proposes no pieces: leave out --count")
        if count and not bert.has_pooler:
            raise UserError(f"{source} is an ELECTRA and proposes no pieces: leave out --count")
        objective = None if form.of_task else DEFAULTS[bert.model_type]
        may_lack = (PAIR_CLASSIFIER, GENERATOR, GENERATOR_HEAD)
        model = load_model(source, may_lack=may_lack, objective=objective)
        count = count or _PROPOSALS
        if count > model.config.vocab_size:
            raise UserError(
                f"--count {count} is more than the vocabulary has: give at most "
                f"{model.config.vocab_size}"
            )
        write_saved_model(model, folder, form.signatures(model, count))
    return output


FORMATS: Dict[str, Callable[..., str]] = {
    "tf1": export_tf1,
    "hf": export_hf,
    "saved_model": export_saved_model,
}
