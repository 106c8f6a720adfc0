"""Records that are surely whole, told by columns: the parser has the last word on all others."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.core.columns import Example
from data_gen.records import whole
from data_gen.records.pack_examples import ExamplePacker
from data_gen.records.parse_examples import parse_example
from data_gen.records.tfrecord import crc32c_columns, frame
from data_gen.records.whole import Sizes, count_whole
from data_gen.shared.dataset.dataset_info import read_info
from tests.data_gen.helpers import GOLDEN, ROOT, columns

S, P, V = 16, 4, 70001
SIZES = Sizes(S, P, V)
# Ids of one, two and three bytes, and the greatest.
EXAMPLE = Example((101, 5, 70000, 102, 7, 102), 4, (1, 4), (21127, 300), 1)
FULL = Example((101, *range(14), 102), 16, (0, 5, 6, 15), (1, 2, 3, 70000), 0)


def packed(example, sizes=SIZES):
    """The record of an example."""
    (record,) = ExamplePacker(sizes.max_seq_length, sizes.max_predictions_per_seq)(columns(example))
    return record


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return str(tmp_path_factory.mktemp("shard") / "part.tfrecord")


def count(path, *frames, sizes=SIZES):
    """The whole records of a shard of these bytes."""
    with open(path, "wb") as handle:
        handle.write(b"".join(frames))
    return count_whole(path, sizes)


@pytest.mark.parametrize("group", [1, 2000, 1 << 22])
def test_the_records_of_a_build_are_whole(monkeypatch, group):
    monkeypatch.setattr(whole, "_GROUP", group)
    info = read_info(f"{ROOT}/{GOLDEN}")
    sizes = Sizes(info.max_seq_length, info.max_predictions_per_seq, 21128)
    found = [count_whole(os.path.join(info.folder, shard.name), sizes) for shard in info.shards]
    # Groups of one byte hold no record: then all is left to the parser.
    assert found == ([0, 0] if group == 1 else [shard.examples for shard in info.shards])


def test_records_of_every_size_are_whole(path):
    assert count(path, *[frame(packed(EXAMPLE)), frame(packed(FULL))] * 3) == 6


DAMAGED = {
    "an id beyond the vocabulary": packed(EXAMPLE._replace(pieces=(101, 5, V, 102, 7, 102))),
    "a label beyond the vocabulary": packed(EXAMPLE._replace(masked_labels=(V, 300))),
    "a prediction after the end": packed(EXAMPLE._replace(masked_positions=(1, 6))),
    "no prediction": packed(EXAMPLE._replace(masked_positions=(), masked_labels=())),
    "nothing": packed(Example((), 0, (1,), (5,), 0)),
    "a longer sequence": packed(EXAMPLE, Sizes(S + 1, P, V)),
    "a shorter sequence": packed(EXAMPLE, Sizes(S - 1, P, V)),
    "more predictions": packed(EXAMPLE, Sizes(S, P + 1, V)),
    "a weight of a half": packed(EXAMPLE).replace(b"\0\0\x80\x3f", b"\0\0\0\x3f", 1),
    "a mask with a hole": packed(EXAMPLE).replace(b"\1" * 6 + b"\0", b"\1\1\0\1\1\1\0", 1),
    "a mask of 2": packed(EXAMPLE).replace(b"\1" * 6 + b"\0", b"\1\1\1\1\1\2\0", 1),
    "a segment 2": packed(EXAMPLE).replace(b"\0\0\0\0\1\1\0", b"\0\0\0\0\1\2\0", 1),
    "a pair label 2": packed(EXAMPLE)[:-1] + b"\2",
    "an id of 2**32 + 5": packed(EXAMPLE).replace(b"\x65\x05\xf0\xa2\x04", b"\x85\x80\x80\x80\x10"),
    "a feature of another name": packed(EXAMPLE).replace(b"segment_ids", b"segment_idz"),
    "floats for integers": packed(EXAMPLE).replace(b"\x1a\x12\x0a\x10", b"\x12\x12\x0a\x10", 1),
    "a byte more": packed(EXAMPLE) + b"\0",
    "a byte less": packed(EXAMPLE)[:-1],
    "no bytes": b"",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_record_is_never_whole(path, name):
    record = DAMAGED[name]
    with pytest.raises(ValueError, match=r"\w"):
        parse_example(record, S, P, V)
    good = frame(packed(EXAMPLE))
    assert count(path, frame(record)) == 0
    assert count(path, good, good, frame(record), good) == 0  # all of one group


def test_a_list_without_a_number_is_not_taken_for_its_neighbours(path):
    sizes = Sizes(S, 1, V)
    good = record = packed(Example((1, 2), 2, (0,), (3,), 0), sizes)
    entry = b"\x0a\x16\x0a\x0dmasked_lm_ids\x12\x05\x1a\x03\x0a\x01\x03"
    empty = b"\x0a\x15\x0a\x0dmasked_lm_ids\x12\x04\x1a\x02\x0a\x00"
    assert entry in record
    # A byte less: the length before all features, of two bytes, says so.
    record = b"\x0a" + bytes([record[1] - 1]) + record[2:].replace(entry, empty)
    with pytest.raises(ValueError, match="masked_lm_ids is not 1 values"):
        parse_example(record, *sizes)
    assert count(path, frame(record), frame(good), sizes=sizes) == 0


@given(st.data())
def test_a_record_is_whole_only_if_the_parser_says_so(path, data):
    record = bytearray(packed(data.draw(st.sampled_from([EXAMPLE, FULL]))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(record) - 1))
        record[at] = data.draw(st.integers(0, 255))
    if count(path, frame(bytes(record))):
        parse_example(bytes(record), S, P, V)  # raises nothing


@given(st.lists(st.binary(max_size=40), min_size=1))
def test_checksums_side_by_side_are_those_of_the_package(records):
    package = pytest.importorskip("google_crc32c")
    bounds = np.cumsum([0, *map(len, records)])
    found = crc32c_columns(b"".join(records), bounds[:-1], bounds[1:])
    assert found.tolist() == [package.value(record) for record in records]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data[:8] + bytes([data[8] ^ 1]) + data[9:],
        lambda data: (1 << 62).to_bytes(8, "little") + data[8:],
    ],
)
def test_a_damaged_frame_ends_what_is_whole(path, damage):
    good = frame(packed(EXAMPLE))
    assert count(path, good, damage(good)) < 2
    assert count(path, damage(good), good) == 0
