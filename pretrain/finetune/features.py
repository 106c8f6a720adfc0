"""Feature folders: the rows of each part of a task as TFRecords, with all that scoring needs.

    FEATURES/features.json         the task, its labels, the settings and the files it was made of
    FEATURES/train/                records and a dataset.json, as a training reads them
    FEATURES/dev/, FEATURES/test/  the same, with examples.jsonl and rows.jsonl

They are the interface to TensorFlow 1.15, whose Python has no tokenizers: made by a newer one,
read by either.
"""

import json
import os
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

from data_gen.shared.dataset.dataset_info import MANIFEST, DatasetInfo, Shard, read_info
from data_gen.shared.dataset.features import FORMAT
from data_gen.shared.errors import UserError
from data_gen.shared.files import file_sha256
from data_gen.shared.json_text import parse_json
from pretrain.checkpoint.folder import write_json
from pretrain.finetune.config import FinetuneSettings
from pretrain.finetune.kinds import KINDS
from pretrain.finetune.rows import Row
from pretrain.runtime import files
from pretrain.runtime.tensorflow import tf
from pretrain.tasks.examples import Example
from pretrain.tasks.tasks import TASKS

DESCRIPTION = "features.json"
_EXAMPLES, _ROWS = "examples.jsonl", "rows.jsonl"
_SHARD = "part-00000-of-00001.tfrecord"


class Part(NamedTuple):
    """A part of the data to score on, in the order of its records: the shortest rows first."""

    info: DatasetInfo
    examples: List[Any]
    rows: List[Dict[str, Any]]  # `Row.description`


class Features(NamedTuple):
    """A feature folder."""

    folder: str
    task: str
    labels: List[str]
    description: Dict[str, Any]  # the content of features.json

    def info(self, part: str) -> DatasetInfo:
        """Open the records of a part."""
        return read_info(os.path.join(self.folder, part))

    def part(self, name: str) -> Optional[Part]:
        """Open a part to score on; None if the task's data have none."""
        folder = os.path.join(self.folder, name)
        if not os.path.isdir(folder):
            return None
        form = KINDS[TASKS[self.task].objective].example
        examples = [form(**values) for values in _read_lines(os.path.join(folder, _EXAMPLES))]
        return Part(read_info(folder), examples, _read_lines(os.path.join(folder, _ROWS)))


def write_features(
    folder: str,
    task: str,
    parts: Dict[str, Sequence[Example]],
    labels: Sequence[str],
    settings: FinetuneSettings,
    tokenizer: Any,
    about: Dict[str, Any],
) -> Features:
    """Write a feature folder.

    about: the content of features.json: what the features depend on, by `runs`
    """
    kind = KINDS[TASKS[task].objective]
    for name, examples in parts.items():
        rows = list(kind.encode(tokenizer, examples, labels, settings))
        if name != "train":
            rows.sort(key=lambda row: len(row.ids))
        _write_part(os.path.join(folder, name), name, rows, examples, settings, about)
    write_json(os.path.join(folder, DESCRIPTION), about)  # last: the folder is whole
    return read_features(folder)


def read_features(folder: str) -> Features:
    """Open a feature folder. Raises UserError if none is there."""
    path = os.path.join(folder, DESCRIPTION)
    try:
        with open(path, "rb") as handle:
            about: Dict[str, Any] = parse_json(handle.read())
        task, labels = about["task"], about["labels"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{folder} holds no features of a task: make them with `finetune --features-only`"
        ) from error
    if task not in list(TASKS):
        raise UserError(f"{folder} is of the task {task}, not one of {', '.join(TASKS)}")
    return Features(folder, task, labels, about)


def _write_part(
    folder: str,
    name: str,
    rows: Sequence[Row],
    examples: Sequence[Example],
    settings: FinetuneSettings,
    about: Dict[str, Any],
) -> None:
    path = os.path.join(folder, _SHARD)
    files.make_folder(folder)
    with files.writing(path), tf.io.TFRecordWriter(path) as writer:
        for number, row in enumerate(rows):
            writer.write(_serialized(number, row, settings.max_seq_length))
    shard = Shard(_SHARD, len(rows), os.path.getsize(path), file_sha256(path))
    if name != "train":
        _write_lines(os.path.join(folder, _EXAMPLES), [e._asdict() for e in examples])
        _write_lines(os.path.join(folder, _ROWS), [row.description for row in rows])
    config = {
        "max_seq_length": settings.max_seq_length,
        "max_predictions_per_seq": 0,
        "pair_task": "none",
        "dupe_factor": 1,
        **about["tokenizer"],
    }
    manifest = {
        "format": FORMAT,
        "config": config,
        "vocab_sha256": about["vocab_sha256"],
        "fingerprint": shard.sha256,
        "shards": [shard._asdict()],
    }
    write_json(os.path.join(folder, MANIFEST), manifest)


def _serialized(number: int, row: Row, length: int) -> bytes:
    """Serialize a row with the names of features that Google's code reads."""
    names = ("input_ids", "input_mask", "segment_ids")
    columns = dict(zip(names, row.columns(length).tolist()))
    for name, value in row.targets.items():
        columns[name] = [number if name == "unique_ids" else value]
    features = {
        name: tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        for name, values in columns.items()
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    serialized: bytes = example.SerializeToString()
    return serialized


def steps_per_epoch(info: DatasetInfo, batch_size: int) -> int:
    """Return the full batches in a part. Raises UserError if there is none."""
    steps = info.examples // batch_size
    if not steps:
        raise UserError(
            f"{info.folder} holds {info.examples} sequences, fewer than one batch of {batch_size}: "
            "lower train_batch_size"
        )
    return steps


def _write_lines(path: str, lines: Sequence[Dict[str, Any]]) -> None:
    files.write_text(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def _read_lines(path: str) -> List[Dict[str, Any]]:
    def lines() -> Iterator[Dict[str, Any]]:
        with open(path, encoding="utf-8", newline="\n") as handle:
            for line in handle:
                yield json.loads(line)

    try:
        return list(lines())
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is damaged or missing: make the features again") from error
