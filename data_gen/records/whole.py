"""Tell that records are whole, many at once: numpy compares the columns of a group of them.

It knows one layout alone, that of pack_examples.py, and says no more than yes: what is not surely
whole is left to the parser, which reads other layouts, too, and says what is wrong.
"""

import struct
from typing import List, NamedTuple, Tuple

import numpy as np

from data_gen.core.columns import Array, offsets_of
from data_gen.records.tfrecord import fit_checksums
from data_gen.shared.dataset.features import feature_shapes
from data_gen.storage.errors import reading
from data_gen.storage.reading import open_text

_GROUP = 1 << 22  # bytes that are looked at together
_LENGTH = struct.Struct("<Q")
_HEAD, _TAIL = 12, 4  # bytes before and after a record
_LONGEST = 4  # bytes of a number
_ONE = 0x3F800000  # the bits of 1.0
_LISTS = {"float32": b"\x12", "int64": b"\x1a"}  # the tag of the list in a Feature


class Sizes(NamedTuple):
    """The numbers that every record of a build is held to."""

    max_seq_length: int  # S
    max_predictions_per_seq: int  # P
    vocab_size: int


def count_whole(path: str, sizes: Sizes) -> int:
    """Count the records of a shard, from its beginning on, that are surely whole examples."""
    count = 0
    rest = b""
    with open_text(path) as handle:
        while True:
            with reading(path):
                data = rest + handle.read(_GROUP)
            starts, stops = _frames(data)
            if not starts or not _are_whole(data, starts, stops, sizes):
                return count
            count += len(starts)
            rest = data[stops[-1] + _TAIL :]


def _frames(data: bytes) -> Tuple[List[int], List[int]]:
    """Find the records that lie in `data` with their checksums: where each starts and stops."""
    starts, stops = [], []
    at = _HEAD
    while at <= len(data):
        stop = at + int(_LENGTH.unpack_from(data, at - _HEAD)[0])
        if stop + _TAIL > len(data):
            break
        starts.append(at)
        stops.append(stop)
        at = stop + _TAIL + _HEAD
    return starts, stops


def _are_whole(data: bytes, starts: List[int], stops: List[int], sizes: Sizes) -> bool:
    try:
        if fit_checksums(data, starts, stops):
            _check(_Records(data, np.array(starts), np.array(stops)), sizes)
            return True
    except (ValueError, IndexError):  # a column of another layout, which may lead out of `data`
        pass
    return False


class _Records:
    """N records in one string of bytes, read side by side. Every method raises ValueError, or
    IndexError, where one of them has another layout.
    """

    def __init__(self, data: bytes, starts: Array, stops: Array) -> None:
        self._data = data
        self._bytes = np.frombuffer(data, np.uint8)
        self._at = starts
        self._literal(b"\n")
        _require(self._size() == stops - self._at)
        self._stops = stops

    def feature(self, name: str, dtype: str) -> Tuple[Array, Array]:
        """Pass over the next feature: where the bytes of its packed list start and stop."""
        key = name.encode()
        stops = []
        for head in (b"\n", b"\n%c%b\x12" % (len(key), key), _LISTS[dtype], b"\n"):
            self._literal(head)
            size = self._size()
            stops.append(self._at + size)
        start, stop = self._at, stops.pop()
        for other in stops:
            _require(other == stop)
        _require(stop <= self._stops)
        self._at = stop
        return start, stop

    def end(self) -> None:
        """Require that all is read."""
        _require(self._at == self._stops)

    def rows(self, starts: Array, size: int) -> Array:
        """Return so many bytes from each start on, uint8 [N, size]."""
        shape = max(len(self._bytes) - size + 1, 0), size
        windows: Array = np.ndarray(shape, np.uint8, self._data, strides=(1, 1))
        return windows[starts]

    def numbers(self, list_: Tuple[Array, Array], count: int) -> "_Numbers":
        """Find the numbers of a packed list, `count` in each record."""
        starts, stops = list_
        _require(starts < stops)
        bounds = zip(starts.tolist(), stops.tolist())
        data = np.frombuffer(b"".join([self._data[a:b] for a, b in bounds]), np.uint8)
        offsets = offsets_of(stops - starts)
        last = data < 0x80
        _require(np.add.reduceat(last, offsets[:-1], dtype=np.int32) == count)
        _require(last[offsets[1:] - 1])
        return _Numbers(data, last)

    def _literal(self, text: bytes) -> None:
        _require(self.rows(self._at, len(text)) == np.frombuffer(text, np.uint8))
        self._at = self._at + len(text)

    def _size(self) -> Array:
        """Read a number of each record, and pass over it."""
        value, self._at = _decode(self._bytes, self._at)
        return value


class _Numbers(NamedTuple):
    """Packed numbers of all records after one another: varints of protobuf."""

    data: Array  # uint8 [bytes]
    last: Array  # bool [bytes]: the last byte of a number

    def values(self, least: int = 1) -> Array:
        """Return the numbers of `least` bytes or more, int64."""
        starts = ~self.last
        starts[1:] = self.last[:-1]
        starts[:1] = True
        for ahead in range(least - 1):
            starts[: len(starts) - ahead] &= ~self.last[ahead:]
        return _decode(self.data, np.flatnonzero(starts))[0]

    def require_below(self, stop: int) -> None:
        """Require that all are below `stop`: those of few bytes are by their size alone."""
        least = next(size for size in range(1, 11) if 1 << 7 * size > stop)
        _require(self.values(least) < stop)


def _decode(data: Array, at: Array) -> Tuple[Array, Array]:
    """Read the number at each place, low bits first. Returns them and the places after them."""
    value, more = np.zeros(len(at), np.int64), np.ones(len(at), bool)
    for place in range(_LONGEST):
        byte = data[at]
        value += np.where(more, byte & 0x7F, 0).astype(np.int64) << 7 * place
        more &= byte >= 0x80
        if not more.any():
            return value, at + 1
        at = at + more
    raise ValueError


def _check(records: _Records, sizes: Sizes) -> None:
    """Raise ValueError unless all records have the features of the build, with possible values.
    The rules are those of `parse_example`.
    """
    s, p = sizes.max_seq_length, sizes.max_predictions_per_seq
    lists = {n: records.feature(n, dtype) for n, (dtype, _) in feature_shapes(s, p).items()}
    records.end()

    def rows(name: str, size: int) -> Array:
        starts, stops = lists[name]
        _require(stops - starts == size)
        return records.rows(starts, size)

    mask = rows("input_mask", s)
    lengths = np.where(mask.all(1), s, mask.argmin(1))
    _require(mask == (np.arange(s) < lengths[:, None]))
    _require(lengths > 0)
    _require(rows("segment_ids", s) < 2)
    _require(rows("next_sentence_labels", 1) < 2)
    weights = rows("masked_lm_weights", 4 * p).view("<u4")
    masked = weights == _ONE
    _require(masked | (weights == 0))
    _require(masked.any(1))
    records.numbers(lists["input_ids"], s).require_below(sizes.vocab_size)
    records.numbers(lists["masked_lm_ids"], p).require_below(sizes.vocab_size)
    positions = records.numbers(lists["masked_lm_positions"], p)
    _require(~masked | (positions.values().reshape(-1, p) < lengths[:, None]))


def _require(holds: Array) -> None:
    if not np.all(holds):
        raise ValueError
