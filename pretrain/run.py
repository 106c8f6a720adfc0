"""The output folder of a training: what was trained on what, and that nothing else goes there.

It holds everything that a later command needs: checkpoints, bert_config.json, vocab.txt, run.json
(the settings and what they were applied to) and metrics.jsonl.
"""

import dataclasses
import json
import os
import shutil
from typing import Any, Dict, List, Optional, Sequence, Tuple

from data_gen.features import DatasetInfo, file_sha256
from data_gen.settings import UserError
from pretrain import checkpoint
from pretrain.config import BertConfig, TrainConfig
from pretrain.devices import tf

RUN = "run.json"
MODEL = "bert_config.json"
VOCAB = "vocab.txt"

# Settings that may change when a training is taken up again: they change nothing of what is
# learned. The model and the vocabulary are compared by their content.
_MAY_CHANGE = (
    "save_checkpoints_steps",
    "keep_checkpoints",
    "log_steps",
    "bert_config_file",
    "vocab_file",
)


def describe(
    config: TrainConfig,
    model: BertConfig,
    data: Sequence[DatasetInfo],
    init_checkpoint: Optional[str],
) -> Dict[str, Any]:
    """What decides a training; the content of run.json."""
    return {
        "config": dataclasses.asdict(config),
        "model": dataclasses.asdict(model),
        "vocab_sha256": file_sha256(config.vocab_file),
        "data": [info.fingerprint for info in data],
        "init_checkpoint": init_checkpoint,
        "tensorflow": tf.__version__,
    }


def claim(output: str, config: TrainConfig, description: Dict[str, Any]) -> None:
    """Make the output folder, or check that it holds this very training.

    Raises UserError where it holds another one.
    """
    path = os.path.join(output, RUN)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as handle:
            found = json.load(handle)
        different = [
            name
            for name, value in _decisive(description)
            if value != dict(_decisive(found)).get(name)
        ]
        if different:
            raise UserError(
                f"{output} holds another training ({', '.join(different)} differ): choose "
                "another --output"
            )
        return
    if checkpoint.latest(output):
        raise UserError(
            f"{output} holds checkpoints but no {RUN}: choose another --output, or give it as "
            "--init"
        )
    os.makedirs(output, exist_ok=True)
    shutil.copyfile(config.vocab_file, os.path.join(output, VOCAB))
    _write_json(os.path.join(output, MODEL), description["model"])
    _write_json(path, description)


def _decisive(description: Dict[str, Any]) -> List[Tuple[str, Any]]:
    settings = [
        (name, value) for name, value in description["config"].items() if name not in _MAY_CHANGE
    ]
    return settings + [
        (name, description[name]) for name in ("model", "vocab_sha256", "data", "init_checkpoint")
    ]


def _write_json(path: str, value: Dict[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    checkpoint.write_text(path, text + "\n")
