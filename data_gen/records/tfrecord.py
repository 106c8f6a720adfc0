"""The framing of TFRecord files: length, checksum, record, checksum."""

import struct
from functools import cache, lru_cache
from typing import IO, Any, Callable, Dict, Iterator, List, Optional, Tuple

import numpy as np

from data_gen.core.columns import Array
from data_gen.shared.errors import UserError
from data_gen.storage.errors import reading
from data_gen.storage.reading import open_text

FRAME_BYTES = 16  # of a frame beside the record


def frame(record: bytes) -> bytes:
    """Frame a record: length, masked CRC of the length, the bytes, masked CRC of the bytes."""
    return b"".join((_frame_head(len(record)), record, masked_crc(record)))


@lru_cache(maxsize=1 << 16)
def _frame_head(size: int) -> bytes:
    length = struct.pack("<Q", size)
    return length + masked_crc(length)


def masked_crc(data: bytes) -> bytes:
    """Compute the CRC32C of `data` as TFRecord files hold it: rotated and shifted, 4 bytes."""
    return struct.pack("<I", _masked(_crc32c()(data)))


def _masked(crc: Any) -> Any:
    """Rotate and shift a CRC32C, or several, int64 [N]."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


_FEW = 100  # records, for which columns are slower than one after another


def fit_checksums(data: bytes, starts: List[int], stops: List[int]) -> bool:
    """Return True if the records `data[starts[i]:stops[i]]`, and the lengths before them, fit the
    checksums beside them.
    """
    lengths: Dict[bytes, bytes] = {}
    for start in starts:
        head = data[start - 12 : start - 4]
        if head not in lengths:
            lengths[head] = masked_crc(head)
        if data[start - 4 : start] != lengths[head]:
            return False
    crc32c = _crc32c()
    if crc32c is _slow_crc32c and len(starts) > _FEW:
        found = crc32c_columns(data, np.array(starts), np.array(stops))
    else:
        found = np.array([crc32c(data[a:b]) for a, b in zip(starts, stops)], np.int64)
    kept = np.frombuffer(b"".join([data[stop : stop + 4] for stop in stops]), "<u4")
    return bool((_masked(found) == kept).all())


@cache
def _crc32c() -> Callable[[bytes], int]:
    """Return the package's function, or one that reads a few records without the extra `data`."""
    try:
        import google_crc32c
    except ImportError:
        return _slow_crc32c
    value: Callable[[bytes], int] = google_crc32c.value
    return value


def _slow_crc32c(data: bytes) -> int:
    """Compute a CRC32C, some 5 MB a second.

    >>> hex(_slow_crc32c(b"123456789"))
    '0xe3069283'
    """
    table, crc = _crc32c_table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def crc32c_columns(data: bytes, starts: Array, stops: Array) -> Array:
    """Compute the CRC32C of each `data[starts[i]:stops[i]]`, int64 [N], side by side: for thousands
    of them some 50 MB a second.
    """
    order = np.argsort(starts - stops)  # the longest first
    at, sizes = starts[order], (stops - starts)[order]
    table, values = np.array(_crc32c_table()), np.frombuffer(data, np.uint8)
    crc = np.full(len(starts), 0xFFFFFFFF)
    lefts = np.searchsorted(-sizes, -np.arange(sizes[0]))  # records that are longer than a place
    for place, left in enumerate(lefts.tolist()):
        some = crc[:left]
        crc[:left] = table[(some ^ values[at[:left] + place]) & 0xFF] ^ some >> 8
    found = np.empty_like(crc)
    found[order] = crc ^ 0xFFFFFFFF
    return found


@cache
def _crc32c_table() -> Tuple[int, ...]:
    def entry(crc: int) -> int:
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)  # Castagnoli's polynomial
        return crc

    return tuple(map(entry, range(256)))


_CHUNK = 1 << 20  # bytes


def read_records(path: str) -> Iterator[Tuple[int, bytes]]:
    """Read every record of a TFRecord file, plain or packed: (offset in the unpacked file, bytes).

    Raises UserError where a record is cut short or does not fit its checksums.
    """
    offset = 0
    number = 1
    with open_text(path) as handle:
        while (record := _next_record(handle, path, number, offset)) is not None:
            yield offset, record
            offset += len(record) + 16
            number += 1


def _next_record(handle: IO[bytes], path: str, number: int, offset: int) -> Optional[bytes]:
    """Read the next record; None at the end of the file."""
    with reading(path):
        head = handle.read(12)
        if not head:
            return None
        whole = len(head) == 12 and masked_crc(head[:8]) == head[8:]
        record = _read(handle, struct.unpack("<Q", head[:8])[0]) if whole else b""
        if not whole or masked_crc(record) != handle.read(4):
            raise UserError(
                f"{path} is damaged: record {number:,}, at byte {offset}, does not fit its "
                "checksum, build the data set again elsewhere"
            )
        return record


def _read(handle: IO[bytes], size: int) -> bytes:
    """Read so many bytes, fewer at the end of the file; memory is asked for what is there alone."""
    found = bytearray()
    while size > len(found):
        data = handle.read(min(size - len(found), _CHUNK))
        if not data:
            break
        found += data
    return bytes(found)
