"""All runs of a fine-tuning, one seed after the other, and their results.

OUTPUT/finetune.json   what the runs depend on; another fine-tuning is refused
OUTPUT/model/          bert_config.json, vocab.txt and the tokenizer's files
OUTPUT/features/       see `features`, unless they are given
OUTPUT/run-SEED/       see `run`
OUTPUT/results.json    when all runs are done; see `pretrain.results`
"""

import dataclasses
import hashlib
import json
import os
import shutil
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from data_gen.shared.errors import UserError
from data_gen.shared.files import file_sha256
from data_gen.shared.settings import differences
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import (
    FINETUNE,
    MODEL,
    SENTENCEPIECE,
    TOKENIZER,
    VOCAB,
    held,
    tokenizer_kind,
    tokenizer_settings,
    write_json,
)
from pretrain.finetune.config import FinetuneSettings
from pretrain.finetune.features import Features, read_features, write_features
from pretrain.finetune.kinds import KINDS
from pretrain.finetune.run import Setup, in_words, run
from pretrain.model.config import read_bert_config
from pretrain.results.files import FORMAT, NAME
from pretrain.runtime import files
from pretrain.runtime.devices import processes
from pretrain.runtime.log import log
from pretrain.tasks.labels import labels_of, require_labels
from pretrain.tasks.split import split
from pretrain.tasks.task import find_parts
from pretrain.tasks.tasks import TASKS
from pretrain.train.loop import Training

NAME_OF_NONE = "none"  # of a model with random weights


class Source(NamedTuple):
    """The model to fine-tune."""

    checkpoint: str  # as the user gave it
    random: bool = False  # random weights of its shape instead: a baseline


class Data(NamedTuple):
    """The data to fine-tune on."""

    task: str
    folder: str  # of the task's files, or of features
    are_features: bool = False
    dev_share: float = 0.0  # taken from train for a dev part, where the data have none


def finetune(
    data: Data,
    source: Source,
    output: str,
    settings: FinetuneSettings,
    seeds: Sequence[int],
    inside: Optional[Training] = None,
) -> Optional[Dict[str, Any]]:
    """Fine-tune once for each seed, going on where an earlier call was stopped. Returns the content
    of results.json; None if SIGTERM came before the end.

    Raises UserError if data, model and settings do not belong together, `output` holds another
    fine-tuning, or another process writes there. Ctrl-C raises KeyboardInterrupt; what is trained
    is saved.
    """
    if processes()[0] > 1:
        raise UserError("finetune runs in one process, on all its devices: unset TF_CONFIG")
    with held(output), files.room_for(output):
        return _all_runs(data, source, output, settings, seeds, inside)


def write_features_only(data: Data, source: Source, output: str, settings: FinetuneSettings) -> str:
    """Make the features of a fine-tuning. Returns their folder. Raises UserError as `finetune`."""
    with held(output), files.room_for(output):
        return prepare(data, source, output, settings).features.folder


def _all_runs(
    data: Data,
    source: Source,
    output: str,
    settings: FinetuneSettings,
    seeds: Sequence[int],
    inside: Optional[Training],
) -> Optional[Dict[str, Any]]:
    setup = prepare(data, source, output, settings)
    runs: List[Dict[str, Any]] = []
    for number, seed in enumerate(seeds, 1):
        log(f"run {number} of {len(seeds)}, seed {seed}")
        result = run(setup, seed, os.path.join(output, f"run-{seed}"), inside)
        if result is None:
            return None
        runs.append(result)
        part = "test" if "test" in result else "dev"
        if part in result:
            log(
                f"seed {seed}, epoch {result['best_epoch']}, {part}: "
                f"{in_words(data.task, result[part])}"
            )
    results = _results(setup, source, settings, runs)
    write_json(os.path.join(output, NAME), results)
    return results


def prepare(data: Data, source: Source, output: str, settings: FinetuneSettings) -> Setup:
    """Make or open the features, and claim the output folder, which the caller holds."""
    prefix = store.find(source.checkpoint) if not source.random else None
    base = os.path.join(output, "model")
    _copy_model(source, base, settings)
    features = (
        _given_features(data, base, settings)
        if data.are_features
        else _own_features(data, base, output, settings)
    )
    _claim(output, features, settings, prefix)
    return Setup(features, settings, base, prefix)


def _copy_model(source: Source, base: str, settings: FinetuneSettings) -> None:
    """Copy the files beside the checkpoint; the configuration with the dropout of the settings."""
    folder = source.checkpoint
    if not files.exists(os.path.join(folder, MODEL)):
        folder = os.path.dirname(store.find(source.checkpoint))
    for name in (MODEL, VOCAB):
        if not files.exists(os.path.join(folder, name)):
            raise UserError(
                f"{os.path.join(folder, name)} is missing: put it beside the checkpoint"
            )
    config = read_bert_config(files.local_copy(os.path.join(folder, MODEL)))
    if settings.max_seq_length > config.max_position_embeddings:
        raise UserError(
            f"max_seq_length is {settings.max_seq_length}, but {folder} has "
            f"{config.max_position_embeddings} positions: set it to at most as many"
        )
    if settings.dropout is not None:
        rate = settings.dropout
        config = dataclasses.replace(
            config, hidden_dropout_prob=rate, attention_probs_dropout_prob=rate
        )
    files.make_folder(base)
    write_json(os.path.join(base, MODEL), config.as_json())
    for name in (VOCAB, TOKENIZER, SENTENCEPIECE):
        if files.exists(os.path.join(folder, name)):
            files.copy(os.path.join(folder, name), os.path.join(base, name))


def _given_features(data: Data, base: str, settings: FinetuneSettings) -> Features:
    features = read_features(data.folder)
    wanted = {
        "task": data.task,
        "vocab_sha256": file_sha256(os.path.join(base, VOCAB)),
        "settings": settings.of_features,
    }
    different = [name for name, value in wanted.items() if features.description[name] != value]
    if different:
        raise UserError(
            f"the features in {data.folder} differ in {', '.join(different)}: make them with the "
            "same task, model and settings"
        )
    return features


def _own_features(data: Data, base: str, output: str, settings: FinetuneSettings) -> Features:
    """Read the task's files and write their features, or open those of an earlier call."""
    task, paths = TASKS[data.task], find_parts(TASKS[data.task], data.folder)
    about: Dict[str, Any] = {
        "task": data.task,
        "vocab_sha256": file_sha256(os.path.join(base, VOCAB)),
        "tokenizer": _tokenizer(base),
        "settings": settings.of_features,
        "dev_share": data.dev_share,
        "files": {part: file_sha256(path) for part, path in paths.items()},
    }
    folder = os.path.join(output, "features")
    if os.path.isdir(folder):
        with_labels = _described(folder)
        if {name: with_labels.get(name) for name in about} == about:
            return read_features(folder)
        shutil.rmtree(folder)
    from pretrain.text.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(base)
    parts: Dict[str, Sequence[Any]] = {part: task.read(path) for part, path in paths.items()}
    if "dev" not in parts and data.dev_share:
        parts["train"], parts["dev"] = split(parts["train"], data.dev_share, 0)
    if set(parts) == {"train"}:
        raise UserError(
            f"{data.folder} has neither a dev nor a test part, so no run could be measured: give "
            "--dev-share 0.1"
        )
    labels = _labels(data.task, parts, paths)
    about["labels"] = labels
    about["parts"] = {
        part: {"examples": len(examples), "sha256": about["files"].get(part)}
        for part, examples in parts.items()
    }
    for part, examples in parts.items():
        log(f"{part}: {len(examples):,} examples")
    return write_features(folder, data.task, parts, labels, settings, tokenizer, about)


def _described(folder: str) -> Dict[str, Any]:
    try:
        return read_features(folder).description
    except UserError:  # left by a call that was killed
        return {}


def _tokenizer(base: str) -> Dict[str, Any]:
    """Return the tokenizer by the names of a build's settings."""
    found = tokenizer_settings(base)
    return {
        "tokenizer": {"name": tokenizer_kind(found)},
        "do_lower_case": found["do_lower_case"],
    }


def _labels(task: str, parts: Dict[str, Sequence[Any]], paths: Dict[str, str]) -> List[str]:
    """Return the labels in order. Raises UserError for one that the training data do not have."""
    if not KINDS[TASKS[task].objective].has_labels:
        return []
    labels = list(TASKS[task].labels or labels_of(parts["train"], paths["train"]))
    for part, examples in parts.items():
        if part == "test" and all(example.label is None for example in examples):
            continue  # as published: predictions alone
        require_labels(examples, labels, paths.get(part, paths["train"]))
    return labels


def _claim(
    output: str, features: Features, settings: FinetuneSettings, prefix: Optional[str]
) -> None:
    """Note what the runs depend on. Raises UserError if the folder has runs of something else."""
    index = files.read_bytes(f"{prefix}.index") if prefix else b""
    described = {
        "task": features.task,
        "features": {p: features.info(p).fingerprint for p in features.description["parts"]},
        "settings": dataclasses.asdict(settings),
        "init_sha256": hashlib.sha256(index).hexdigest() if prefix else None,
    }
    path = os.path.join(output, FINETUNE)
    if files.exists(path):
        before = json.loads(files.read_text(path))
        different = differences(described, before)
        if different and any(name.startswith("run-") for name in files.names(output)):
            raise UserError(
                f"{output} holds another fine-tuning ({different}): choose another --output"
            )
    write_json(path, described)


def _results(
    setup: Setup, source: Source, settings: FinetuneSettings, runs: List[Dict[str, Any]]
) -> Dict[str, Any]:
    config = read_bert_config(os.path.join(setup.base, MODEL))
    features = setup.features
    return {
        "format": FORMAT,
        "task": features.task,
        "model": {
            "name": NAME_OF_NONE if source.random else source.checkpoint,
            "layers": config.num_hidden_layers,
            "hidden_size": config.hidden_size,
        },
        "settings": {"runs": len(runs), **dataclasses.asdict(settings)},
        "measures": list(TASKS[features.task].measures),
        "chosen_on": "dev" if "dev" in features.description["parts"] else None,
        "labels": features.labels or None,
        "parts": features.description["parts"],
        "runs": runs,
    }
