"""Shuffle of the records over all shards, by random keys: run files, sorted by key, between the map
and the merge; shards at the end.

Examples are packed by hand: a protobuf library writes the features of a map in any order it likes,
so equal work would give different bytes. Here the order is that of `features.feature_shapes`.
"""

import hashlib
import io
import os
import struct
from bisect import bisect_left
from contextlib import ExitStack
from gzip import GzipFile
from heapq import merge
from itertools import accumulate
from typing import Any, BinaryIO, Iterator, List, NamedTuple, Sequence, Tuple

from data_gen.records.tfrecord import FRAME_BYTES
from data_gen.shared.dataset.dataset_info import Shard
from data_gen.shared.errors import UserError
from data_gen.storage.remote_files import open_range
from data_gen.storage.writing import atomic_file

# Run files: the framed records of one task of the map for every shard, sorted by key.

_KEY = struct.Struct("<Q")
_HEAD = struct.Struct("<QQ")  # key, and the length that a frame begins with

_AT_ONCE = 256  # records in one call to write
MOST_OPEN = 256  # files; a process may usually open 1,024
_BUFFER = 1 << 18  # bytes of a shard: a call for each record costs more than its checksum

KeyedFrame = Tuple[int, bytes]


class RunSlice(NamedTuple):
    """The records of one shard within a run file."""

    path: str
    start: int
    stop: int


def write_run(path: str, records: List[KeyedFrame], num_shards: int) -> List[int]:
    """Write a run file, sorted. Returns num_shards + 1 offsets: the records of shard i are at
    `[offsets[i], offsets[i + 1])`.
    """
    records.sort()
    with atomic_file(path) as handle:
        for start in range(0, len(records), _AT_ONCE):
            some = records[start : start + _AT_ONCE]
            handle.write(b"".join([_KEY.pack(key) + frame for key, frame in some]))
    passed = [0, *accumulate(_KEY.size + len(frame) for _, frame in records)]
    keys = [key for key, _ in records]
    # The keys of shard i are those from i / num_shards of all 64-bit numbers on.
    starts = (-(-(i << 64) // num_shards) for i in range(num_shards + 1))
    return [passed[bisect_left(keys, start)] for start in starts]


def read_slice(part: RunSlice) -> Iterator[KeyedFrame]:
    """Read the records of a slice with their frames, in the order of their keys. Raises UserError
    where the file is cut short or damaged.
    """
    left = part.stop - part.start
    with open_range(part.path, part.start, part.stop) as handle:
        while left:
            head = handle.read(_HEAD.size)
            key, length = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, left)
            rest = length + FRAME_BYTES - _KEY.size
            left -= _HEAD.size + rest
            tail = handle.read(rest) if left >= 0 else b""
            if len(tail) < rest:
                raise UserError(
                    f"{part.path} is cut short or damaged: delete its folder and run the command "
                    "again"
                )
            yield key, head[_KEY.size :] + tail


def combine_slices(slices: Sequence[RunSlice], stem: str) -> Sequence[RunSlice]:
    """Merge slices into fewer files, `{stem}.pass-*`, until they can all be open at once."""
    number = 0
    while len(slices) > MOST_OPEN:
        combined = []
        for start in range(0, len(slices), MOST_OPEN):
            path = f"{stem}.pass-{number}"
            number += 1
            size = 0
            with atomic_file(path) as handle:
                for key, frame in _merged(slices[start : start + MOST_OPEN]):
                    size += handle.write(_KEY.pack(key) + frame)
            combined.append(RunSlice(path, 0, size))
        slices = combined
    return slices


def _merged(slices: Sequence[RunSlice]) -> Iterator[KeyedFrame]:
    return merge(*map(read_slice, slices))


def write_shard(path: str, slices: Sequence[RunSlice]) -> Shard:
    """Merge the slices of one shard into a TFRecord file, packed where its name ends in .gz; `path`
    exists only if it is whole.
    """
    examples = 0
    with atomic_file(path) as handle, ExitStack() as files:
        measured = _Measured(handle)
        buffered = files.enter_context(io.BufferedWriter(measured, _BUFFER))
        # Without name and time, equal records give equal bytes (with one and the same zlib).
        # Level 9 would take two and a half times as long as 6 and save one hundredth.
        shard: Any = (
            files.enter_context(GzipFile("", "wb", 6, buffered, mtime=0))
            if path.endswith(".gz")
            else buffered
        )
        for _, frame in _merged(slices):
            shard.write(frame)
            examples += 1
    return Shard(os.path.basename(path), examples, measured.size, measured.digest.hexdigest())


class _Measured(io.RawIOBase):
    """A file that is written, with the size and the sha256 of its bytes."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self.size = 0
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.size += len(data)
        self.digest.update(data)
        self._handle.write(data)
        return len(data)
