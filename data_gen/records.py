"""Example -> TFRecord bytes, and the files that hold them: run files between the two stages, shards
at the end.

Examples are packed by hand: a protobuf library writes the features of a map in any order it likes,
so equal work would give different bytes. Here the order is that of `features.feature_shapes`.
"""

import hashlib
import io
import os
import struct
from contextlib import ExitStack
from functools import cache
from gzip import GzipFile
from heapq import merge
from typing import Any, BinaryIO, Iterator, List, NamedTuple, Sequence, Tuple, cast

import google_crc32c
import numpy as np

from data_gen.features import Shard, feature_shapes
from data_gen.outputs import atomic_file, open_range
from data_gen.settings import UserError
from data_gen.types import Array, Examples, bounds_of

_LENGTH_DELIMITED = 2


def _varint(value: int) -> bytes:
    """Protobuf's base-128 number, low bits first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, payload: bytes) -> bytes:
    return _field_head(number, len(payload)) + payload


def _field_head(number: int, size: int) -> bytes:
    return bytes([number << 3 | _LENGTH_DELIMITED]) + _varint(size)


def _packed(values: Array, bounds: Array) -> List[bytes]:
    """The bytes of packed integers, ids or positions: `values[bounds[i]:bounds[i + 1]]` for each
    i.
    """
    varints, sizes = _varints(int(values.max(initial=0)).bit_length())
    # Four bytes a number, of which as many count as it has.
    there = np.array([0, 0x1, 0x101, 0x10101, 0x1010101], "<u4")[sizes][values].view(bool)
    data = varints[values].view(np.uint8)[there].tobytes()
    ends = bounds_of(sizes[values])[bounds].tolist()
    return [data[start:stop] for start, stop in zip(ends, ends[1:])]


@cache
def _varints(bits: int) -> Tuple[Array, Array]:
    """The bytes of every number of so many bits, at most 28, as if they were one of 32; and how
    many they are.
    """
    every = [_varint(value) for value in range(1 << bits)]
    values = [int.from_bytes(varint, "little") for varint in every]
    return np.array(values, "<u4"), np.array(list(map(len, every)))


@cache
def _entry_head(name: str, dtype: str, size: int) -> bytes:
    """What stands before the `size` bytes of a packed list in its entry of the map of features."""
    # Feature{float_list: 2, int64_list: 3}, each a packed list
    values = _field_head(1, size)
    feature = _field_head(2 if dtype == "float32" else 3, len(values) + size) + values
    entry = _field(1, name.encode()) + _field_head(2, len(feature) + size) + feature
    return _field_head(1, len(entry) + size) + entry


class ExamplePacker:
    """Packs examples of one size as tf.train.Example messages."""

    def __init__(self, max_seq_length: int, max_predictions_per_seq: int) -> None:
        self._s = max_seq_length
        self._p = max_predictions_per_seq
        self._dtypes = [
            (name, dtype)
            for name, (dtype, _) in feature_shapes(max_seq_length, max_predictions_per_seq).items()
        ]
        self._ones, self._zeros = b"\1" * max_seq_length, b"\0" * max_seq_length
        one, zero = (struct.pack("<f", weight) * max_predictions_per_seq for weight in (1.0, 0.0))
        self._weights = one + zero

    def __call__(self, examples: Examples) -> List[bytes]:
        """Serialize examples.

        Raises ValueError where one is longer than the sizes given, which would be a mistake of the
        stages before.
        """
        lengths, predictions = np.diff(examples.rows), np.diff(examples.masked_rows)
        if (lengths > self._s).any() or (predictions > self._p).any():
            raise ValueError(
                f"an example of {lengths.max()} pieces, {predictions.max()} masked, for {self._s} "
                f"and {self._p}"
            )
        columns = (
            _packed(examples.pieces, examples.rows),
            _packed(examples.masked_positions, examples.masked_rows),
            _packed(examples.masked_labels, examples.masked_rows),
            lengths.tolist(),
            examples.a_stops.tolist(),
            predictions.tolist(),
            examples.labels.tolist(),
        )
        return [self._pack(*row) for row in zip(*columns)]

    def _pack(
        self,
        pieces: bytes,
        positions: bytes,
        masked: bytes,
        length: int,
        a_stop: int,
        predictions: int,
        label: int,
    ) -> bytes:
        """Serialize one example, of which the integers are packed already."""
        padding = self._zeros[length:]
        spare = self._zeros[: self._p - predictions]
        payloads = (
            pieces + padding,
            self._ones[:length] + padding,
            self._zeros[:a_stop] + self._ones[a_stop:length] + padding,
            positions + spare,
            masked + spare,
            self._weights[4 * (self._p - predictions) : 4 * (2 * self._p - predictions)],
            b"\1" if label else b"\0",
        )
        features = []
        for (name, dtype), payload in zip(self._dtypes, payloads):
            features += [_entry_head(name, dtype, len(payload)), payload]
        return _field(1, b"".join(features))


def frame(record: bytes) -> bytes:
    """A record as it stands in a TFRecord file: length, masked CRC of it, the bytes, masked CRC of
    them.
    """
    length = struct.pack("<Q", len(record))
    return b"".join((length, masked_crc(length), record, masked_crc(record)))


def masked_crc(data: bytes) -> bytes:
    """The CRC32C of `data` as TFRecord files hold it: rotated and shifted, 4 bytes."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


# Run files: what one task of the map stage leaves for every shard, sorted by key.

_HEAD = struct.Struct(">QI")  # key, length of the record

_MOST_OPEN = 256  # files; a process may usually open 1,024

KeyedRecord = Tuple[int, bytes]


class Segment(NamedTuple):
    """The records of one shard within a run file."""

    path: str
    start: int
    stop: int


def shard_of(key: int, num_shards: int) -> int:
    """The shard whose range of the 64-bit keys holds `key`."""
    return key * num_shards >> 64


def write_run(path: str, records: List[KeyedRecord], num_shards: int) -> List[int]:
    """Write a run file, sorted. Returns num_shards + 1 offsets: segment i is `[offsets[i],
    offsets[i + 1])`.
    """
    records.sort()
    sizes = [0] * num_shards
    with atomic_file(path) as handle:
        for key, record in records:
            handle.write(_HEAD.pack(key, len(record)) + record)
            sizes[shard_of(key, num_shards)] += _HEAD.size + len(record)
    offsets = [0]
    for size in sizes:
        offsets.append(offsets[-1] + size)
    return offsets


def read_segment(segment: Segment) -> Iterator[KeyedRecord]:
    """The records of one segment, in the order of their keys. Raises UserError where the file is
    cut short.
    """
    left = segment.stop - segment.start
    with open_range(segment.path, segment.start, segment.stop) as handle:
        while left:
            head = handle.read(_HEAD.size)
            key, length = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, left)
            left -= _HEAD.size + length
            record = handle.read(length) if left >= 0 else b""
            if len(record) < length:
                raise UserError(
                    f"{segment.path} is cut short: delete its folder and run the command again"
                )
            yield key, record


def combine_segments(segments: Sequence[Segment], stem: str) -> Sequence[Segment]:
    """Merge segments into fewer files, `{stem}.pass-*`, until they can all be open at once."""
    number = 0
    while len(segments) > _MOST_OPEN:
        combined = []
        for start in range(0, len(segments), _MOST_OPEN):
            path = f"{stem}.pass-{number}"
            number += 1
            size = 0
            with atomic_file(path) as handle:
                for key, record in _merged(segments[start : start + _MOST_OPEN]):
                    size += handle.write(_HEAD.pack(key, len(record)) + record)
            combined.append(Segment(path, 0, size))
        segments = combined
    return segments


def _merged(segments: Sequence[Segment]) -> Iterator[KeyedRecord]:
    return merge(*(read_segment(segment) for segment in segments))


def write_shard(path: str, segments: Sequence[Segment]) -> Shard:
    """Merge the segments of one shard into a TFRecord file, packed where its name ends in .gz;
    `path` exists only if it is whole.
    """
    examples = 0
    with atomic_file(path) as handle, ExitStack() as files:
        measured = _Measured(handle)
        # Without name and time, equal records give equal bytes (with one and the same zlib).
        # Level 9 would take two and a half times as long as 6 and save one hundredth.
        shard: Any = (
            files.enter_context(GzipFile("", "wb", 6, cast(BinaryIO, measured), mtime=0))
            if path.endswith(".gz")
            else measured
        )
        for _, record in _merged(segments):
            shard.write(frame(record))
            examples += 1
    return Shard(os.path.basename(path), examples, measured.size, measured.digest.hexdigest())


class _Measured(io.RawIOBase):
    """A file that is written, with the size and the sha256 of what was."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.size += len(data)
        self.digest.update(data)
        return self._handle.write(data)
