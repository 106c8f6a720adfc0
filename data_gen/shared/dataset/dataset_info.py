"""The contract between the generator and a trainer: the dataset.json beside the shards."""

import os
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

from data_gen.shared.dataset.features import FORMAT
from data_gen.shared.errors import UserError
from data_gen.shared.files import file_sha256
from data_gen.shared.json_text import Fields, read_fields

MANIFEST = "dataset.json"

LONGEST = 1 << 16  # pieces of a sequence: more than attention can hold
_MOST_EXAMPLES, _MOST_BYTES = 1 << 40, 1 << 50  # of a shard
_MOST = 1 << 53  # of a count: beyond it floating point numbers skip some
_BINS = {"sequence_lengths": 16, "masked_by_decile": 10}  # numbers in these lists of a build
_SHARES_OF_ALL = ("ngrams", "kinds_drawn", "kinds_by_piece")  # each adds up to 1
_ROUNDED = 0.005
_FRAME = 16  # bytes of a record in a TFRecord file beside its own
_ADVICE = "copy the data set again from where it was built, or build it again"


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
    def statistics(self) -> Dict[str, Any]:
        """The counts of the build. Raises UserError for records that no build made."""
        found: Optional[Dict[str, Any]] = self.manifest.get("statistics")
        if found is None:
            path = os.path.join(self.folder, MANIFEST)
            raise UserError(f"{path}: statistics is missing: {_ADVICE}")
        return found

    @property
    def paths(self) -> List[str]:
        """The paths of the shards that hold examples, in order."""
        return [os.path.join(self.folder, shard.name) for shard in self.shards if shard.examples]


def read_info(folder: str) -> DatasetInfo:
    """Read dataset.json of a finished build in a folder of this machine.

    Raises UserError if there is none, a shard is missing, or the record format is another.
    """
    try:
        with open(os.path.join(folder, MANIFEST), "rb") as handle:
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


def parse_info(
    folder: str, text: Union[str, bytes], sizes: Mapping[str, Optional[int]]
) -> DatasetInfo:
    """Parse the text of dataset.json and check it against the files beside it.

    sizes: bytes of each file of the folder; None if the storage has files whole or not at all
    Raises UserError as `read_info` does, and for a field that is missing or has an impossible
    value.
    """
    fields = read_fields(os.path.join(folder, MANIFEST), text, _ADVICE)
    form = fields.any("format")
    if form != FORMAT:
        raise UserError(
            f"{folder} is of record format {str(form)[:20]}, this code reads {FORMAT}: build it "
            "again"
        )
    config = fields.group("config")
    _check_config(config)
    info = DatasetInfo(
        folder=folder,
        max_seq_length=config.whole("max_seq_length", 1, LONGEST),
        max_predictions_per_seq=config.whole("max_predictions_per_seq", 0, LONGEST),
        vocab_sha256=fields.sha256("vocab_sha256"),
        fingerprint=fields.sha256("fingerprint"),
        shards=_shards(folder, fields),
        manifest=fields.values,
    )
    _check_counts(fields, info)
    for shard in info.shards:
        if sizes.get(shard.name, -1) not in (None, shard.bytes):
            file = os.path.join(folder, shard.name)
            raise UserError(f"{file} is missing or cut short: build the data set again elsewhere")
    return info


def _check_config(config: Fields) -> None:
    """Check the settings that are used after a build."""
    config.text("pair_task")
    config.whole("dupe_factor", 1, _MOST)
    config.flag("do_lower_case")
    config.group("tokenizer").text("name")
    if "vocab_file" in config:
        config.text("vocab_file")
    if "masking" in config:
        config.group("masking")


def _shards(folder: str, fields: Fields) -> Tuple[Shard, ...]:
    """Read the list of shards. A shard that is there twice would be trained on twice."""
    shards: List[Shard] = []
    names: Dict[str, str] = {}  # of the names and the checksums so far: the name
    for group in fields.groups("shards"):
        shard = Shard(
            group.file_name("name"),
            group.whole("examples", 0, _MOST_EXAMPLES),
            group.whole("bytes", 0, _MOST_BYTES),
            group.sha256("sha256"),
        )
        least = 0 if shard.name.endswith(".gz") else shard.examples * _FRAME
        if shard.bytes < least or bool(shard.bytes) < bool(shard.examples):
            problem = f"cannot be for the {shard.examples:,} examples that it says"
            raise group.error("bytes", problem, shard.bytes)
        # Two shards of one example each may be alike by chance.
        keys = [shard.name, *([shard.sha256] if shard.examples > 1 else [])]
        twin = next((names[key] for key in keys if key in names), None)
        if twin:
            path = os.path.join(folder, MANIFEST)
            raise UserError(f"{path}: {twin} and {shard.name} are the same shard: {_ADVICE}")
        names.update(dict.fromkeys(keys, shard.name))
        shards.append(shard)
    return tuple(shards)


def _check_counts(fields: Fields, info: DatasetInfo) -> None:
    """Check the statistics of a build and the sizes of its input."""
    for file in fields.groups("input") if "input" in fields else []:
        file.whole("bytes", 0, _MOST_BYTES)
    if "statistics" not in fields:
        return
    statistics = fields.group("statistics")
    check_statistics(statistics)
    for name in ("documents", "sentences", "words", "pieces"):
        statistics.whole(name, 0, _MOST)
    for name in ("ngrams", "kinds_by_piece"):
        statistics.group(name)
    for name in _SHARES_OF_ALL:
        shares = statistics.group(name).values if name in statistics else {}
        if any(shares.values()) and abs(sum(shares.values()) - 1) > _ROUNDED:
            raise statistics.error(name, "must add up to 1", shares)
    for name in ("pieces_kept", "fill", "masked", "unknown_pieces", "label_1"):
        if isinstance(statistics.any(name), (dict, list)):
            raise statistics.error(name, "must be a share", statistics.any(name))
    for name, bins in _BINS.items():
        if name in statistics and len(statistics.list(name)) != bins:
            raise statistics.error(name, f"must be {bins} numbers", statistics.any(name))
    if statistics.whole("instances", 0, _MOST) != info.examples:
        problem = f"must be the {info.examples:,} examples of the shards"
        raise statistics.error("instances", problem, statistics.any("instances"))


def check_statistics(statistics: Fields) -> None:
    """Raise UserError unless all fields are numbers, or lists or groups of them, none negative."""
    for name, value in statistics.values.items():
        parts = value.values() if isinstance(value, dict) else value
        for number in parts if isinstance(value, (dict, list)) else [value]:
            if type(number) not in (int, float) or not 0 <= number <= _MOST:
                raise statistics.error(name, "must be counts and shares", value)


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
