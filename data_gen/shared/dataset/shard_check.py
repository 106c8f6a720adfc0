"""One pass over the file of a shard: its sha256, its size, and whether its records follow one
another to its end.

TensorFlow takes the length of a record for what it says, and a length of 2**62 ends the process. So
the lengths are looked at here first, in the same pass as the checksum: it costs what reading the
file costs. The checksums of the single records are left to the readers.
"""

import hashlib
import struct
import zlib
from typing import IO, Iterator, NamedTuple, Optional

from data_gen.shared.dataset.dataset_info import Shard

_CHUNK = 1 << 20  # bytes
_HEAD = 12  # bytes before a record: its length and the checksum of that
_TAIL = 4  # bytes after it: its checksum
# Bytes of a record. The longest that a build can write, of 65,536 pieces, has a few megabytes.
_MOST = 1 << 28


class Walk(NamedTuple):
    """The result of `walk`."""

    bytes: int
    sha256: str
    records: int
    problem: str  # where the records do not follow one another; empty if they do


def walk(handle: IO[bytes], packed: bool) -> Walk:
    """Go through the bytes of a TFRecord file, as stored, once; `packed` by gzip or not."""
    digest = hashlib.sha256()
    size = 0
    frames = _Frames()
    unpacker = _Unpacker() if packed else None
    try:
        for chunk in iter(lambda: handle.read(_CHUNK), b""):
            digest.update(chunk)
            size += len(chunk)
            if not frames.problem:
                for data in unpacker(chunk) if unpacker else (chunk,):
                    frames.add(data)
        problem = frames.problem or frames.end()
        if unpacker and unpacker.within:
            problem = problem or "is cut short"
    except zlib.error:
        problem = "is no whole gzip file"
    return Walk(size, digest.hexdigest(), frames.records, problem)


def fault(path: str, shard: Shard) -> Optional[str]:
    """Say how a file of this machine differs from what dataset.json says of it; None if it does
    not.
    """
    with open(path, "rb") as handle:
        return difference(walk(handle, shard.name.endswith(".gz")), shard)


def difference(found: Walk, shard: Shard) -> Optional[str]:
    """Say how the bytes of a shard differ from what dataset.json says; None if they do not."""
    if found.problem:
        return found.problem
    if found.records != shard.examples:
        return f"holds {found.records:,} records where dataset.json says {shard.examples:,}"
    if (found.bytes, found.sha256) != (shard.bytes, shard.sha256):
        return "is not the file that dataset.json describes: its sha256 is another"
    return None


class _Frames:
    """The records of a stream of bytes, counted."""

    def __init__(self) -> None:
        self.records = 0
        self.problem = ""
        self._skip = 0  # bytes to the next head
        self._head = b""  # the beginning of one

    def add(self, chunk: bytes) -> None:
        """Go on with the next bytes."""
        data = self._head + chunk
        at = self._skip
        while at + _HEAD <= len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            self.records += 1
            if length > _MOST:
                self.problem = (
                    f"is damaged: record {self.records:,} has a length field of {length:,} bytes"
                )
                return
            at += _HEAD + length + _TAIL
        self._head = data[at:]
        self._skip = max(0, at - len(data))

    def end(self) -> str:
        """Return what is wrong at the end of the bytes; empty if a record ended there."""
        if self._skip:
            return f"is damaged: record {self.records:,} is cut short, or its length field wrong"
        if self._head:
            return f"is damaged: record {self.records + 1:,} is cut short"
        return ""


class _Unpacker:
    """The bytes of a gzip file of any number of members, a limited number at a time."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(31)
        self.within = False  # a member

    def __call__(self, chunk: bytes) -> Iterator[bytes]:
        """Unpack the next bytes of the file."""
        while chunk:
            self.within = True
            yield self._stream.decompress(chunk, _CHUNK)
            chunk = self._stream.unconsumed_tail
            if self._stream.eof:
                chunk = self._stream.unused_data
                self._stream = zlib.decompressobj(31)
                self.within = False
