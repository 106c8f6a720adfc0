"""The output folder of a training: it belongs to one training, which its run.json describes.

It holds everything that a later command needs: checkpoints, bert_config.json, vocab.txt,
tokenizer_config.json, run.json (the settings and what they were applied to) and metrics.jsonl.
"""

import dataclasses
import hashlib
import json
import os
import platform
import zlib
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from data_gen.shared.dataset.dataset_info import DatasetInfo
from data_gen.shared.errors import UserError
from data_gen.shared.files import file_sha256
from data_gen.shared.json_text import parse_json
from data_gen.shared.settings import differences, portable_settings
from data_gen.shared.shipped import revision
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import MODEL, RUN, TOKENIZER, VERIFIED, VOCAB, write_json
from pretrain.config import TrainConfig
from pretrain.inputs.checks import in_steps
from pretrain.inputs.verify import verify
from pretrain.learning.stages import lengths_of
from pretrain.model.config import BertConfig
from pretrain.runtime import files
from pretrain.runtime.devices import is_chief
from pretrain.runtime.tensorflow import tf

# Settings that may change when a training is resumed: they do not change the weights. The model and
# the vocabulary are compared by their content.
_MAY_CHANGE = (
    "save_checkpoints_steps",
    "keep_checkpoints",
    "keep_checkpoint_every_steps",
    "log_steps",
    "steps_per_call",
    "recompute",
    "tpu",
    "bert_config_file",
    "vocab_file",
)


def describe(
    config: TrainConfig,
    model: BertConfig,
    data: Sequence[DatasetInfo],
    init_prefix: Optional[str],
    reinit_heads: bool = False,
    counted: Sequence[Dict[str, Any]] = (),
) -> Dict[str, Any]:
    """Describe a training; the content of run.json.

    counted: see `in_steps_of`
    """
    index = files.read_bytes(f"{init_prefix}.index") if init_prefix else b""
    return {
        "config": portable_settings(config),
        "counted": list(counted),
        "model": model.as_json(),
        "vocab_sha256": file_sha256(config.vocab_file),
        "tokenizer": _tokenizer(model, data),
        "data": [info.fingerprint for info in data],
        "data_statistics": [_statistics(info) for info in data],
        "init_checkpoint": init_prefix,
        "reinit_heads": reinit_heads,
        "init_sha256": hashlib.sha256(index).hexdigest() if init_prefix else None,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "tensorflow": tf.__version__,
        },
        "git_revision": revision(),
    }


# For a model card, from dataset.json.
_SETTINGS = ("max_seq_length", "masked_lm_prob", "dupe_factor", "pair_task", "masking")
_COUNTS = (
    *("documents", "sentences", "words", "pieces", "characters", "instances"),
    *("masked", "ngrams", "kinds_by_piece", "unknown_pieces"),
)


def _statistics(info: DatasetInfo) -> Dict[str, Any]:
    """Return the recipe and the counts of a data set, in short."""
    settings, counts = info.manifest["config"], info.manifest.get("statistics", {})
    return {
        "segmenter": info.manifest.get("segmenter"),
        **{name: settings[name] for name in _SETTINGS if name in settings},
        **{name: counts[name] for name in _COUNTS if name in counts},
    }


def _tokenizer(model: BertConfig, data: Sequence[DatasetInfo]) -> Dict[str, Any]:
    """Return the settings of the tokenizer that made the records, by Hugging Face's names."""
    found = {
        (info.manifest["config"]["tokenizer"]["name"], info.manifest["config"]["do_lower_case"])
        for info in data
    }
    if len(found) > 1:
        raise UserError(
            "the stages' data were made with different tokenizers: build them with the same "
            "tokenizer.name and do_lower_case"
        )
    name, do_lower_case = found.pop()
    return {
        "tokenizer_class": "BertTokenizer" if name == "wordpiece" else name,
        "do_lower_case": do_lower_case,
        "model_max_length": model.max_position_embeddings,
    }


def in_steps_of(
    output: str, config: TrainConfig, examples: Sequence[int]
) -> Tuple[TrainConfig, List[Dict[str, Any]]]:
    """Return the settings with steps instead of epochs and shares, and for run.json what the steps
    of each stage were counted from; nothing for settings in steps.

    A training that is resumed keeps its steps, although another `steps_per_call` rounds otherwise.
    """
    if config.has_steps:
        return config, []
    asked = [
        {"examples": count, **lengths_of(values)}
        for values, count in zip(config.values_of_stages(), examples)
    ]
    path, steps = os.path.join(output, RUN), config.steps_of(examples)
    before = _read(path).get("counted", []) if files.exists(path) else []
    if [one["from"] for one in before] == asked and store.latest(output):
        steps = [one["steps"] for one in before]
    counted = [{"from": source, "steps": of} for source, of in zip(asked, steps)]
    return in_steps(config, examples, steps), counted


def in_words(counted: Dict[str, Any]) -> str:
    """Return in a sentence what the steps of a stage were counted from."""
    source, steps = counted["from"], counted["steps"]
    given = ", ".join(f"{name} {x}" for name, x in source.items() if name != "examples")
    return (
        f"{given} of {source['examples']:,} examples: {steps['num_train_steps']:,} steps, the "
        f"first {steps['num_warmup_steps']:,} of them warm-up"
    )


def claim(output: str, config: TrainConfig, description: Dict[str, Any]) -> None:
    """Make the output folder, or check that it holds this very training.

    As long as there is no checkpoint, other settings may be given. Raises UserError if the folder
    holds another training, or files that are not of a training.
    """
    path = os.path.join(output, RUN)
    if files.exists(path):
        different = _differences(description, _read(path))
        if different and store.latest(output):
            raise UserError(
                f"{output} holds another training ({different}): choose another --output"
            )
    else:
        foreign = [
            n
            for n in files.names(output)
            if n in (MODEL, VOCAB, "checkpoint") or n.endswith(".index")
        ]
        if foreign:
            raise UserError(f"{output} holds {foreign[0]} but no {RUN}: choose another --output")
    files.make_folder(output)
    write_json(path, description)
    files.copy(config.vocab_file, os.path.join(output, VOCAB))
    write_json(os.path.join(output, MODEL), description["model"])
    write_json(os.path.join(output, TOKENIZER), description["tokenizer"])


def verify_shards(output: str, infos: Sequence[DatasetInfo]) -> None:
    """Check the shards by `inputs.verify`, and note in the folder which were: a training that is
    resumed reads none of them again. Raises UserError for a shard that is damaged.
    """
    path = os.path.join(output, VERIFIED)
    try:
        known = parse_json(files.read_bytes(path)) if files.exists(path) else {}
    except ValueError:  # then all of them are checked
        known = {}
    stamps = verify(infos, known if isinstance(known, dict) else {})
    if is_chief() and stamps != known:
        write_json(path, stamps)


def _read(path: str) -> Dict[str, Any]:
    try:
        found: Dict[str, Any] = parse_json(files.read_bytes(path))
        _decisive(found)
        return found
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is damaged: choose another --output") from error


# Settings that there were once, with the value that the code has now.
_FORMER = {"masked_lm_loss_weight": 1.0, "pair_loss_weight": 1.0}


def _differences(ours: Dict[str, Any], theirs: Dict[str, Any]) -> str:
    # A training from before a setting existed had the value that is its default now.
    defaults = dataclasses.asdict(TrainConfig())
    found = dict(_decisive({**theirs, "config": {**defaults, **theirs["config"]}}))
    expected = dict(_decisive(ours))
    expected.update({name: value for name, value in _FORMER.items() if name in found})
    return differences(expected, found)


def checksum(description: Dict[str, Any], more: Sequence[str]) -> int:
    """Return a 24-bit checksum of the settings and the data, `more` included; it must be equal on
    all processes of a training.
    """
    paths = ("bert_config_file", "vocab_file")
    settings = {key: x for key, x in description["config"].items() if key not in paths}
    values = [settings, _decisive(description), *more]  # settings: also what may change later
    return zlib.crc32(json.dumps(values, sort_keys=True).encode()) % (1 << 24)


def _decisive(description: Dict[str, Any]) -> List[Tuple[str, Any]]:
    settings = [
        (name, value) for name, value in description["config"].items() if name not in _MAY_CHANGE
    ]
    return settings + [
        (name, description[name])
        for name in ("model", "vocab_sha256", "data", "init_sha256", "reinit_heads")
    ]
