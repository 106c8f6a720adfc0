"""Check that an Avro file is whole: LTP's reader aborts the process on a damaged one."""

import json
from typing import Any, BinaryIO, Dict


def is_whole(handle: BinaryIO) -> bool:
    """Tell if a file is an Avro object container of a word segmentation model, to its last byte.

    LTP ends the process, without an exception, where it is not.
    """
    try:
        return bool(_schema_of_whole_container(handle)["name"] == "cws")
    except (EOFError, KeyError, ValueError, TypeError):
        return False


def _schema_of_whole_container(handle: BinaryIO) -> Any:
    """Walk an Avro object container (Avro 1.11, "Object Container Files") from header to end."""
    header: Dict[bytes, bytes] = {}
    if _read(handle, 4) != b"Obj\x01":
        raise ValueError("not Avro")
    while count := _read_long(handle):
        for _ in range(count):
            key = _read(handle, _read_long(handle))
            header[key] = _read(handle, _read_long(handle))
    sync = _read(handle, 16)
    blocks = 0
    while first := handle.read(1):
        # the number of records, then their bytes
        _read_long(handle, first)
        _read(handle, _read_long(handle))
        blocks += 1
        if _read(handle, 16) != sync:
            raise ValueError("a block is not where it should be")
    if not blocks:
        raise EOFError
    return json.loads(header[b"avro.schema"])


def _read_long(handle: BinaryIO, first: bytes = b"") -> int:
    """Read a zigzag varint, of which the first byte may have been read."""
    value = shift = 0
    while True:
        byte = (first or _read(handle, 1))[0]
        first = b""
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return (value >> 1) ^ -(value & 1)


def _read(handle: BinaryIO, size: int) -> bytes:
    """Read exactly so many bytes."""
    data = handle.read(size)
    if len(data) < size:
        raise EOFError
    return data
