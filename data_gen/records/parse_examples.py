"""The bytes of a tf.train.Example message -> its features."""

import struct
from typing import Dict, Iterable, Iterator, List, Tuple, Union

from data_gen.core.columns import Example
from data_gen.shared.features import feature_shapes

_VARINT, _EIGHT_BYTES, _LENGTH_DELIMITED, _FOUR_BYTES = 0, 1, 2, 5
Number = Union[int, float]


def parse_example(
    record: bytes, max_seq_length: int, max_predictions_per_seq: int, vocab_size: int
) -> Example:
    """Take a tf.train.Example with the features of `features.feature_shapes` apart.

    Raises ValueError, saying what is wrong, where it is none or holds impossible values.
    """
    features = parse_features(record)
    shapes = feature_shapes(max_seq_length, max_predictions_per_seq)
    for name, (dtype, length) in shapes.items():
        values = features.get(name, [])
        kinds = {"float32" if isinstance(value, float) else "int64" for value in values}
        if len(values) != length or kinds != {dtype}:
            raise ValueError(f"{name} is not {length} values of {dtype}")
    length = sum(1 for value in features["input_mask"] if value)
    masked = [i for i, weight in enumerate(features["masked_lm_weights"]) if weight]
    positions = [features["masked_lm_positions"][i] for i in masked]
    labels = [features["masked_lm_ids"][i] for i in masked]
    return Example(
        pieces=_ints(features["input_ids"][:length], vocab_size, "input_ids"),
        a_stop=sum(1 for segment in features["segment_ids"][:length] if segment == 0),
        masked_positions=_ints(positions, length, "masked_lm_positions"),
        masked_labels=_ints(labels, vocab_size, "masked_lm_ids"),
        label=_ints(features["next_sentence_labels"], 2, "next_sentence_labels")[0],
    )


def _ints(values: Iterable[Number], stop: int, name: str) -> Tuple[int, ...]:
    """Convert values to integers of `[0, stop)`."""
    integers = tuple(int(value) for value in values)
    if integers and not 0 <= min(integers) <= max(integers) < stop:
        raise ValueError(f"{name} holds a value outside of 0 ... {stop - 1}")
    return integers


def parse_features(record: bytes) -> Dict[str, List[Number]]:
    """Read the number features of a tf.train.Example, name -> values; features of bytes are left
    out.

    Raises ValueError where the bytes are no protobuf message.
    """
    # Example{features: 1}, Features{feature: 1}, an entry of the map {key: 1, value: 2}
    found: Dict[str, List[Number]] = {}
    for features in _messages(record, 1):
        for entry in _messages(features, 1):
            name = b"".join(_messages(entry, 1)).decode("utf-8")
            values: List[Number] = []
            for feature in _messages(entry, 2):
                # Feature{float_list: 2, int64_list: 3}, each {value: 1}
                for floats in _messages(feature, 2):
                    values += _floats(floats)
                for integers in _messages(feature, 3):
                    values += _int64s(integers)
            found[name] = values
    return found


def _messages(data: bytes, number: int) -> Iterator[bytes]:
    """Find the length-delimited fields of one number."""
    for field, wire_type, payload in _fields(data):
        if field == number and wire_type == _LENGTH_DELIMITED:
            yield payload


def _floats(data: bytes) -> List[float]:
    """Read a FloatList, packed or not: either way field 1 holds four bytes a value."""
    payloads = b"".join(payload for number, _, payload in _fields(data) if number == 1)
    if len(payloads) % 4:
        raise ValueError("a list of floats is cut short")
    return [value for (value,) in struct.iter_unpack("<f", payloads)]


def _int64s(data: bytes) -> List[int]:
    """Read an Int64List, packed or not: either way field 1 holds a varint a value."""
    payloads = b"".join(payload for number, _, payload in _fields(data) if number == 1)
    values = []
    position = 0
    while position < len(payloads):
        value, position = _varint(payloads, position)
        values.append(value - (1 << 64) if value >> 63 else value)
    return values


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
