"""The contract between the generator and a trainer: the features of a TFRecord, the dataset.json
beside the shards, and how the arrays of a table of similar words are read.

The features are those of google-research/bert's create_pretraining_data.py, so its unmodified
run_pretraining.py trains on our shards. Python 3.7 syntax: `pretrain` imports this module on
TensorFlow 1.15.

S is max_seq_length, P is max_predictions_per_seq.
"""

import json
import os
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from data_gen.shared.errors import UserError
from data_gen.shared.features import FORMAT
from data_gen.shared.files import file_sha256

MANIFEST = "dataset.json"


class Shard(NamedTuple):
    """One TFRecord file of a data set."""

    name: str
    examples: int
    bytes: int
    sha256: str


class DatasetInfo(NamedTuple):
    """What dataset.json says of the shards beside it."""

    folder: str
    max_seq_length: int
    max_predictions_per_seq: int
    vocab_sha256: str
    fingerprint: str
    shards: Tuple[Shard, ...]
    manifest: Dict[str, Any]

    @property
    def examples(self) -> int:
        """How many examples the shards hold."""
        return sum(shard.examples for shard in self.shards)

    @property
    def paths(self) -> List[str]:
        """The shards that hold anything, in order."""
        return [os.path.join(self.folder, shard.name) for shard in self.shards if shard.examples]


def read_info(folder: str) -> DatasetInfo:
    """Read dataset.json of a finished build, on a disk or at a URL of fsspec.

    Raises UserError where the folder is no finished build, lacks a shard, or is of another record
    format.
    """
    try:
        return parse_info(folder, *_text_and_sizes(folder))
    except FileNotFoundError as error:
        raise not_a_build(folder) from error


def not_a_build(folder: str) -> UserError:
    """What to say of a folder without dataset.json."""
    return UserError(
        f"{folder} has no {MANIFEST}, so no finished build is there: run `python -m data_gen "
        "build` to its end"
    )


def parse_info(folder: str, text: str, sizes: Mapping[str, Optional[int]]) -> DatasetInfo:
    """What dataset.json says, checked against the files beside it.

    sizes: bytes of each file of the folder; None where the storage has files whole or not at all
    Raises UserError as `read_info`.
    """
    path = os.path.join(folder, MANIFEST)
    try:
        manifest = json.loads(text)
        if manifest["format"] != FORMAT:
            raise UserError(
                f"{folder} is of record format {manifest['format']}, this code reads {FORMAT}: "
                "build it again"
            )
        info = DatasetInfo(
            folder=folder,
            max_seq_length=manifest["config"]["max_seq_length"],
            max_predictions_per_seq=manifest["config"]["max_predictions_per_seq"],
            vocab_sha256=manifest["vocab_sha256"],
            fingerprint=manifest["fingerprint"],
            shards=tuple(Shard(**shard) for shard in manifest["shards"]),
            manifest=manifest,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is damaged ({type(error).__name__}: {error}): build it again"
        ) from error
    for shard in info.shards:
        if sizes.get(shard.name, -1) not in (None, shard.bytes):
            file = os.path.join(folder, shard.name)
            raise UserError(f"{file} is missing or cut short: build the data set again elsewhere")
    return info


def _text_and_sizes(folder: str) -> Tuple[str, Dict[str, int]]:
    """What dataset.json holds, and the bytes of each file of the folder, which may be a URL.

    Raises FileNotFoundError where dataset.json is not there.
    """
    if "://" not in folder:
        with open(os.path.join(folder, MANIFEST), encoding="utf-8") as handle:
            text = handle.read()
        with os.scandir(folder) as entries:
            return text, {entry.name: entry.stat().st_size for entry in entries}
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise UserError(f"{folder} needs the package fsspec: pip install fsspec") from error
    try:
        filesystem, inner = url_to_fs(folder)
        filesystem.invalidate_cache()
        found = filesystem.ls(inner, detail=True)
        names = {os.path.basename(entry["name"]): entry for entry in found}
        if MANIFEST not in names:
            raise FileNotFoundError(folder)
        text = filesystem.cat_file(names[MANIFEST]["name"]).decode("utf-8")
        return text, {name: entry["size"] for name, entry in names.items()}
    except FileNotFoundError:
        raise
    except Exception as error:  # every storage has errors of its own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"cannot read {folder}: {reason}") from error


def require_same_vocabulary(info: DatasetInfo, vocab_file: str) -> None:
    """Raise UserError where the records were made with another vocabulary than `vocab_file`."""
    try:
        ours = file_sha256(vocab_file)
    except OSError as error:
        raise UserError(f"cannot read the vocabulary {vocab_file}: {error.strerror}") from error
    if info.vocab_sha256 != ours:
        raise UserError(
            f"the records in {info.folder} were made with the vocabulary "
            f"{info.vocab_sha256[:8]}, but {vocab_file} is "
            f"{ours[:8]}: set vocab_file to the vocab.txt that made the records, or build them "
            "again"
        )
