"""Examples -> the bytes of tf.train.Example messages, packed by column."""

import struct
from functools import cache
from typing import List, Tuple

import numpy as np

from data_gen.core.columns import Array, Examples, offsets_of, sums_between
from data_gen.core.compiled import compiled
from data_gen.shared.dataset.features import feature_shapes

_LENGTH_DELIMITED = 2
_LONGEST = 5  # bytes of an int32 as a varint


def _varint(value: int) -> bytes:
    """Write protobuf's base-128 number, low bits first."""
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
    """Pack integers, ids or positions: `values[bounds[i]:bounds[i + 1]]` for each i."""
    data, offsets = _varints_of(values, bounds)
    ends = offsets.tolist()
    return [data[start:stop] for start, stop in zip(ends, ends[1:])]


def _varints_of(values: Array, bounds: Array) -> Tuple[bytes, Array]:
    """Write integers as varints. Returns also where those of each row start, and the end."""
    packed = np.empty(_LONGEST * len(values), np.uint8)
    offsets: Array = np.empty(len(bounds), np.int64)
    numbers = values.astype(np.int32, copy=False)
    size = compiled("pack_varints", numbers, bounds, len(bounds) - 1, packed, offsets)
    if size is not None:
        return packed[:size].tobytes(), offsets
    varints, sizes = _varints(int(values.max(initial=0)).bit_length())
    every_size = sizes.take(values)
    # Four bytes a number, of which as many count as it has.
    there = np.array([0, 0x1, 0x101, 0x10101, 0x1010101], "<u4").take(every_size).view(bool)
    data = varints.take(values).view(np.uint8).compress(there).tobytes()
    return data, offsets_of(sums_between(every_size, bounds))


@cache
def _varints(bits: int) -> Tuple[Array, Array]:
    """Write every number of so many bits, at most 28, as if it were one of 32. Returns these and
    how many bytes each has.
    """
    numbers = np.arange(1 << bits, dtype="<u4")
    varints, sizes = numbers & 0x7F, np.ones(1 << bits, np.uint8)
    for place in (1, 2, 3):
        rest = numbers >> 7 * place
        varints |= ((rest & 0x7F) << 8 * place) | ((rest > 0) * np.uint32(0x80 << 8 * (place - 1)))
        sizes += rest > 0
    return varints, sizes


@cache
def _entry_head(name: str, dtype: str, size: int) -> bytes:
    """Write the head of a packed list of `size` bytes in its entry of the map of features."""
    # Feature{float_list: 2, int64_list: 3}, each a packed list
    values = _field_head(1, size)
    feature = _field_head(2 if dtype == "float32" else 3, len(values) + size) + values
    entry = _field(1, name.encode()) + _field_head(2, len(feature) + size) + feature
    return _field_head(1, len(entry) + size) + entry


class ExamplePacker:
    """A writer of examples of one size as tf.train.Example messages."""

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
