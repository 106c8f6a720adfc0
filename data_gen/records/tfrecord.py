"""The framing of TFRecord files: length, checksum, record, checksum."""

import struct
from typing import IO, Iterator, Optional, Tuple

import google_crc32c

from data_gen.shared.errors import UserError
from data_gen.storage.errors import reading
from data_gen.storage.reading import open_text


def frame(record: bytes) -> bytes:
    """Frame a record: length, masked CRC of the length, the bytes, masked CRC of the bytes."""
    length = struct.pack("<Q", len(record))
    return b"".join((length, masked_crc(length), record, masked_crc(record)))


def masked_crc(data: bytes) -> bytes:
    """Compute the CRC32C of `data` as TFRecord files hold it: rotated and shifted, 4 bytes."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


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
