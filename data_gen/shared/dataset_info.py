"""The contract between the generator and a trainer: the dataset.json beside the shards."""

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
    """The content of dataset.json, with the folder that it lies in."""

    folder: str
    max_seq_length: int
    max_predictions_per_seq: int
    vocab_sha256: str
    fingerprint: str
    shards: Tuple[Shard, ...]
    manifest: Dict[str, Any]

    @property
    def examples(self) -> int:
        """The number of examples in all shards."""
        return sum(shard.examples for shard in self.shards)

    @property
    def paths(self) -> List[str]:
        """The paths of the shards that hold examples, in order."""
        return [os.path.join(self.folder, shard.name) for shard in self.shards if shard.examples]


def read_info(folder: str) -> DatasetInfo:
    """Read dataset.json of a finished build in a folder of this machine.

    Raises UserError if there is none, a shard is missing, or the record format is another.
    """
    try:
        with open(os.path.join(folder, MANIFEST), encoding="utf-8") as handle:
            text = handle.read()
    except FileNotFoundError as error:
        raise not_a_build(folder) from error
    with os.scandir(folder) as entries:
        return parse_info(folder, text, {entry.name: entry.stat().st_size for entry in entries})


def not_a_build(folder: str) -> UserError:
    """Return the error for a folder without dataset.json."""
    return UserError(
        f"{folder} has no {MANIFEST}, so no finished build is there: run `python -m data_gen "
        "build` to its end"
    )


def parse_info(folder: str, text: str, sizes: Mapping[str, Optional[int]]) -> DatasetInfo:
    """Parse the text of dataset.json and check it against the files beside it.

    sizes: bytes of each file of the folder; None if the storage has files whole or not at all
    Raises UserError as `read_info` does.
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


def require_same_vocabulary(info: DatasetInfo, vocab_file: str) -> None:
    """Raise UserError if the records were made with another vocabulary than `vocab_file`."""
    try:
        ours = file_sha256(vocab_file)
    except OSError as error:
        raise UserError(f"cannot read the vocabulary {vocab_file}: {error.strerror}") from error
    if info.vocab_sha256 != ours:
        raise UserError(
            f"the records in {info.folder} were made with the vocabulary "
            f"{info.vocab_sha256[:8]}, but {vocab_file}, the model's, is {ours[:8]}: build them "
            f"with --set vocab_file={vocab_file}, or take the model that they were made for"
        )
