"""Check an Avro file of a perceptron: LTP's reader aborts the process on a damaged one."""

import json
import zlib
from typing import BinaryIO, Dict, Set, Tuple

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
        _container(handle.read())
    except (IndexError, KeyError, ValueError, TypeError):
        return False
    return True


def is_sound(handle: BinaryIO) -> bool:
    """Tell if LTP can load a file and find words with it. It takes about as long as the loading.

    A weight that is another number than it was cannot be told: only a checksum can.
    """
    try:
        codec, block = _container(handle.read())
        data = _inflated(block) if codec == b"deflate" else block
        _require_perceptron(data)
    except (IndexError, KeyError, ValueError, TypeError, zlib.error):
        return False
    return True


def _container(data: bytes) -> Tuple[bytes, bytes]:
    """Walk an Avro object container (Avro 1.11, "Object Container Files") from header to end.
    Returns the name of its codec, and the bytes of its only record.
    """
    header: Dict[bytes, bytes] = {}
    if data[:4] != b"Obj\x01":
        raise ValueError("not Avro")
    count, place = _long(data, 4)
    while count:
        for _ in range(count):
            key, place = _sized(data, place)
            header[key], place = _sized(data, place)
        count, place = _long(data, place)
    sync, place = data[place : place + 16], place + 16
    if json.loads(header[b"avro.schema"]) != _SCHEMA:
        raise ValueError("another schema")
    codec = header.get(b"avro.codec", b"null")
    records, place = _long(data, place)
    if codec not in (b"null", b"deflate") or records != 1:
        raise ValueError("another codec, or not one record")
    block, place = _sized(data, place)
    if len(sync) < 16 or data[place:] != sync:
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
    import numpy as np  # the parser of all commands needs none

    ids, place = _features(data)
    count, place = _long(data, place)
    weights = np.frombuffer(data, "<f8", count, place)
    if data[place + 8 * count :] != b"\0" or not np.isfinite(weights).all():
        raise ValueError("the weights are no list of numbers")
    if min(ids) < 0 or max(ids) >= count // _LABELS:
        raise ValueError("a feature without weights")


def _features(data: bytes) -> Tuple[Set[int], int]:
    """Return the numbers of all features, and the place behind them."""
    ids: Set[int] = set()
    names: Set[str] = set()
    total = 0
    count, place = _long(data, 0)
    while count > 0:
        total += count
        for _ in range(count):
            name, place = _sized(data, place)
            names.add(str(name, "utf-8"))
            number, place = _long(data, place)
            ids.add(number)
        count, place = _long(data, place)
    if count or len(ids) != total or len(names) != total:
        raise ValueError("a feature twice")
    return ids, place


def _sized(data: bytes, place: int) -> Tuple[bytes, int]:
    """Return the bytes that stand behind their number at a place, and the place behind them."""
    size, place = _long(data, place)
    if not 0 <= size <= len(data) - place:
        raise ValueError("a length beyond the end")
    return data[place : place + size], place + size


def _long(data: bytes, place: int) -> Tuple[int, int]:
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
