"""The bytes of a tf.train.Example message -> its features."""

from typing import Dict, Iterator, List, Tuple

import numpy as np

from data_gen.core.columns import Array, Example
from data_gen.shared.dataset.features import feature_shapes

_VARINT, _EIGHT_BYTES, _LENGTH_DELIMITED, _FOUR_BYTES = 0, 1, 2, 5
_LONGEST_VARINT = 10  # bytes


def parse_example(
    record: bytes, max_seq_length: int, max_predictions_per_seq: int, vocab_size: int
) -> Example:
    """Take a tf.train.Example with the features of `features.feature_shapes` apart.

    Raises ValueError, saying what is wrong, where it is none or holds impossible values.
    """
    features = parse_features(record)
    shapes = feature_shapes(max_seq_length, max_predictions_per_seq)
    for name, (dtype, length) in shapes.items():
        values = features.get(name)
        if values is None or values.shape != (length,) or values.dtype != dtype:
            raise ValueError(f"{name} is not {length} values of {dtype}")
    length = _length(features["input_mask"])
    weights = features["masked_lm_weights"]
    if not ((weights == 0) | (weights == 1)).all():
        raise ValueError("masked_lm_weights holds a value that is neither 0 nor 1")
    masked = weights == 1
    if not masked.any():
        raise ValueError("masked_lm_weights has no 1")
    for name, stop in (
        *(("input_ids", vocab_size), ("masked_lm_ids", vocab_size)),
        *(("segment_ids", 2), ("next_sentence_labels", 2)),
    ):
        _require_below(stop, features[name], name)
    positions = features["masked_lm_positions"][masked]
    _require_below(length, positions, "masked_lm_positions")
    return Example(
        pieces=tuple(features["input_ids"][:length].tolist()),
        a_stop=int((features["segment_ids"][:length] == 0).sum()),
        masked_positions=tuple(positions.tolist()),
        masked_labels=tuple(features["masked_lm_ids"][masked].tolist()),
        label=int(features["next_sentence_labels"][0]),
    )


def _length(mask: Array) -> int:
    """Return the ones of a mask. Raises ValueError unless they come first."""
    length = int((mask == 1).sum())
    if not length or (mask[:length] != 1).any() or mask[length:].any():
        raise ValueError("input_mask is not ones, one at least, and then zeros")
    return length


def _require_below(stop: int, values: Array, name: str) -> None:
    """Raise ValueError for integers outside of `[0, stop)`."""
    if len(values) and not 0 <= values.min() <= values.max() < stop:
        raise ValueError(f"{name} holds a value outside of 0 ... {stop - 1}")


def parse_features(record: bytes) -> Dict[str, Array]:
    """Read the number features of a tf.train.Example, name -> int64 or float32 values; features of
    bytes have none.

    Raises ValueError where the bytes are no protobuf message.
    """
    # Example{features: 1}, Features{feature: 1}, an entry of the map {key: 1, value: 2}
    found: Dict[str, Array] = {}
    for features in _messages(record, 1):
        for entry in _messages(features, 1):
            name = b""
            values: List[Array] = []
            for field, wire_type, payload in _fields(entry):
                if wire_type == _LENGTH_DELIMITED and field == 1:
                    name += payload
                elif wire_type == _LENGTH_DELIMITED and field == 2:
                    values += _lists(payload)
            found[name.decode("utf-8")] = np.concatenate(values) if values else np.zeros(0)
    return found


def _lists(feature: bytes) -> Iterator[Array]:
    """Read the lists of a Feature{float_list: 2, int64_list: 3}, each {value: 1}."""
    for field, wire_type, payload in _fields(feature):
        if wire_type == _LENGTH_DELIMITED and field in _LISTS:
            yield _LISTS[field](payload)


def _messages(data: bytes, number: int) -> Iterator[bytes]:
    """Find the length-delimited fields of one number."""
    for field, wire_type, payload in _fields(data):
        if field == number and wire_type == _LENGTH_DELIMITED:
            yield payload


def _floats(data: bytes) -> Array:
    """Read a FloatList, packed or not: either way field 1 holds four bytes a value."""
    payloads = b"".join(payload for number, _, payload in _fields(data) if number == 1)
    if len(payloads) % 4:
        raise ValueError("a list of floats is cut short")
    return np.frombuffer(payloads, "<f4").astype(np.float32, copy=False)


def _int64s(data: bytes) -> Array:
    """Read an Int64List, packed or not: either way field 1 holds a varint a value."""
    payloads = b"".join(payload for number, _, payload in _fields(data) if number == 1)
    numbers = np.frombuffer(payloads, np.uint8)
    last = np.flatnonzero(numbers < 0x80)  # bytes of the varints
    if len(numbers) and (not len(last) or last[-1] + 1 < len(numbers)):
        raise ValueError("a number is cut short")
    first = np.concatenate([[0], last[:-1] + 1]) if len(last) else last
    sizes = last - first + 1
    if sizes.max(initial=0) > _LONGEST_VARINT:
        raise ValueError("a number has more than 64 bits")
    values = np.zeros(len(last), np.uint64)
    for place in range(int(sizes.max(initial=0))):
        has = sizes > place
        bits = numbers[first[has] + place].astype(np.uint64) & np.uint64(0x7F)
        values[has] |= bits << np.uint64(7 * place)
    return values.view(np.int64)


def _fields(data: bytes) -> Iterator[Tuple[int, int, bytes]]:
    """Read every field of a message: (field number, wire type, its bytes without the length)."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        wire_type = tag & 7
        if wire_type == _VARINT:
            stop = _varint(data, position)[1]
        elif wire_type == _LENGTH_DELIMITED:
            size, position = _varint(data, position)
            stop = position + size
        elif wire_type in (_EIGHT_BYTES, _FOUR_BYTES):
            stop = position + (8 if wire_type == _EIGHT_BYTES else 4)
        else:
            raise ValueError(f"wire type {wire_type} of protobuf is unknown")
        if stop > len(data):
            raise ValueError("a field is cut short")
        yield tag >> 3, wire_type, data[position:stop]
        position = stop


def _varint(data: bytes, position: int) -> Tuple[int, int]:
    """Read a base-128 number, low bits first. Returns it and the position after it."""
    if position < len(data) and data[position] < 0x80:
        return data[position], position + 1
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number is cut short")


_LISTS = {2: _floats, 3: _int64s}
