"""Check an Avro file of a perceptron: LTP's reader aborts the process on a damaged one."""

import json
import zlib
from typing import Any, BinaryIO, Dict, Set

_LABELS = 4  # a word's beginning, middle and end, and a word of one character
# As `ltp-extension` writes it. Its reader aborts on another one.
_SCHEMA = {
    "type": "record",
    "name": "cws",
    "fields": [
        {"name": "definition", "type": {"type": "record", "name": "definition", "fields": []}},
        {"name": "features", "type": {"type": "map", "values": "long"}, "default": {}},
        {"name": "parameters", "type": {"type": "array", "items": "double"}, "default": []},
    ],
}


def is_whole(handle: BinaryIO) -> bool:
    """Tell if a file is an Avro object container of a word segmentation model, to its last byte."""
    try:
        _container(handle)
    except (EOFError, KeyError, ValueError, TypeError):
        return False
    return True


def is_sound(handle: BinaryIO) -> bool:
    """Tell if LTP can load a file and find words with it. It takes about as long as the loading.

    A weight that is another number than it was cannot be told: only a checksum can.
    """
    try:
        codec, block = _container(handle)
        data = _inflated(block) if codec == b"deflate" else block
        _require_perceptron(data)
    except (EOFError, KeyError, ValueError, TypeError, IndexError, zlib.error):
        return False
    return True


def _container(handle: BinaryIO) -> Any:
    """Walk an Avro object container (Avro 1.11, "Object Container Files") from header to end.
    Returns the name of its codec, and the bytes of its only record.
    """
    header: Dict[bytes, bytes] = {}
    if _read(handle, 4) != b"Obj\x01":
        raise ValueError("not Avro")
    while count := _read_long(handle):
        for _ in range(count):
            key = _read(handle, _read_long(handle))
            header[key] = _read(handle, _read_long(handle))
    sync = _read(handle, 16)
    if json.loads(header[b"avro.schema"]) != _SCHEMA:
        raise ValueError("another schema")
    codec = header.get(b"avro.codec", b"null")
    if codec not in (b"null", b"deflate") or _read_long(handle) != 1:
        raise ValueError("another codec, or not one record")
    block = _read(handle, _read_long(handle))
    if _read(handle, 16) != sync or handle.read(1):
        raise ValueError("more than one block, or less")
    return codec, block


def _inflated(block: bytes) -> bytes:
    inflater = zlib.decompressobj(-15)
    data = inflater.decompress(block)
    if not inflater.eof or inflater.unused_data:
        raise ValueError("the packed bytes end elsewhere")
    return data


def _require_perceptron(data: bytes) -> None:
    """Raise an error where a record has features without weights of their own, or other bytes."""
    ids, place = _features(data)
    count, place = _long(data, place)
    size = 8 * count
    import numpy as np  # the parser of all commands needs none

    weights = np.frombuffer(data, "<f8", count, place)
    if data[place + size :] != b"\0" or not np.isfinite(weights).all():
        raise ValueError("the weights are no list of numbers")
    if min(ids) < 0 or max(ids) >= count // _LABELS:
        raise ValueError("a feature without weights")


def _features(data: bytes) -> Any:
    """Return the numbers of all features, and the place behind them."""
    ids: Set[int] = set()
    names: Set[str] = set()
    place = total = 0
    while True:
        count, place = _long(data, place)
        if count <= 0:
            break
        total += count
        for _ in range(count):
            size, place = _long(data, place)
            end = place + size
            if size < 0:
                raise ValueError("a negative length")
            names.add(str(data[place:end], "utf-8"))
            number, place = _long(data, end)
            ids.add(number)
    if count or len(ids) != total or len(names) != total:
        raise ValueError("a feature twice")
    return ids, place


def _long(data: bytes, place: int) -> Any:
    """Return the zigzag varint at a place, and the place behind it."""
    byte = data[place]
    value = byte & 0x7F
    shift = 7
    while byte > 0x7F:
        place += 1
        byte = data[place]
        value |= (byte & 0x7F) << shift
        shift += 7
    return (value >> 1) ^ -(value & 1), place + 1


def _read_long(handle: BinaryIO) -> int:
    """Read a zigzag varint."""
    value = shift = 0
    while True:
        byte = _read(handle, 1)[0]
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return (value >> 1) ^ -(value & 1)


def _read(handle: BinaryIO, size: int) -> bytes:
    """Read exactly so many bytes."""
    data = handle.read(size)
    if size < 0 or len(data) < size:
        raise EOFError
    return data
