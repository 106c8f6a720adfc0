import contextlib
import gzip
import hashlib
import json
import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.core.columns import Example
from data_gen.records.pack_examples import ExamplePacker
from data_gen.records.parse_examples import parse_example, parse_features
from data_gen.records.read import read_examples
from data_gen.records.tfrecord import frame, masked_crc, read_records
from data_gen.shared.dataset.dataset_info import read_info
from data_gen.shared.errors import UserError
from tests.data_gen.helpers import columns

S, P, V = 16, 4, 70001
EXAMPLE = Example((101, 5, 70000, 102, 7, 102), 4, (1, 4), (21127, 300), 1)


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, payload):
    return bytes([number << 3 | 2]) + varint(len(payload)) + payload


def feature(name, kind, values):
    """An entry of the map of features; `values` are the bytes of a list."""
    return field(1, field(1, name.encode()) + field(2, field(kind, values)))


def loose_ints(values):
    """A list that is not packed: every value with a tag of its own."""
    return b"".join(b"\x08" + varint(value % (1 << 64)) for value in values)


def loose_floats(values):
    return b"".join(b"\x0d" + struct.pack("<f", value) for value in values)


def foreign(**changed):
    """EXAMPLE as another writer may put it: any order, nothing packed, features of its own."""
    entries = {
        "next_sentence_labels": (3, loose_ints([1])),
        "masked_lm_weights": (2, loose_floats([1, 1, 0, 0])),
        "masked_lm_ids": (3, loose_ints([21127, 300, 0, 0])),
        "masked_lm_positions": (3, loose_ints([1, 4, 0, 0])),
        "source": (1, field(1, b"file")),
        "segment_ids": (3, loose_ints([0] * 4 + [1] * 2 + [0] * 10)),
        "input_mask": (3, loose_ints([1] * 6 + [0] * 10)),
        "input_ids": (3, loose_ints([101, 5, 70000, 102, 7, 102] + [0] * 10)),
        **changed,
    }
    return field(1, b"".join(feature(name, *entry) for name, entry in entries.items()))


@given(st.data())
def test_every_example_comes_back(data):
    length = data.draw(st.integers(1, S))
    pieces = data.draw(st.lists(st.integers(0, V - 1), min_size=length, max_size=length))
    positions = sorted(data.draw(st.sets(st.integers(0, length - 1), min_size=1, max_size=P)))
    labels = data.draw(
        st.lists(st.integers(0, V - 1), min_size=len(positions), max_size=len(positions))
    )
    a_stop = data.draw(st.integers(0, length))
    label = data.draw(st.integers(0, 1))
    example = Example(tuple(pieces), a_stop, tuple(positions), tuple(labels), label)
    (packed,) = ExamplePacker(S, P)(columns(example))
    assert parse_example(packed, S, P, V) == example


def test_records_of_other_writers_are_read():
    assert parse_example(foreign(), S, P, V) == EXAMPLE


def test_negative_numbers_are_read():
    record = field(1, feature("n", 3, loose_ints([-1, -(1 << 63), 5])))
    assert parse_features(record)["n"].tolist() == [-1, -(1 << 63), 5]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"input_ids": (3, loose_ints([1] * 15))}, "input_ids is not 16 values of int64"),
        ({"input_ids": (2, loose_floats([1] * 16))}, "input_ids is not 16 values of int64"),
        ({"masked_lm_weights": (1, field(1, b"a"))}, "masked_lm_weights is not 4 values of float"),
        ({"input_ids": (3, loose_ints([-1] * 16))}, "input_ids holds a value outside of 0 ... 700"),
        ({"input_ids": (3, loose_ints([V] * 16))}, "input_ids holds a value outside of 0 ... 700"),
        ({"masked_lm_ids": (3, loose_ints([V] * 4))}, "masked_lm_ids holds"),
        ({"masked_lm_positions": (3, loose_ints([6] * 4))}, "masked_lm_positions holds .* 0 ... 5"),
        ({"next_sentence_labels": (3, loose_ints([2]))}, "next_sentence_labels holds"),
    ],
)
def test_what_is_no_example_of_the_sizes_is_an_error(changed, expected):
    with pytest.raises(ValueError, match=expected):
        parse_example(foreign(**changed), S, P, V)


@given(st.binary(max_size=60), st.integers(0, 300))
def test_bytes_that_are_no_message_are_an_error_of_ours(noise, at):
    whole = foreign()
    for record in (noise, whole[:at], whole[:at] + noise + whole[at:]):
        with contextlib.suppress(ValueError):  # and no other error
            parse_example(record, S, P, V)


@given(st.integers(1, len(foreign()) - 1))
def test_a_message_cut_short_is_an_error(at):
    with pytest.raises(ValueError, match="cut short"):
        parse_features(foreign()[:at])
    with pytest.raises(ValueError, match="cut short"):
        parse_features(field(1, feature("f", 2, field(1, b"abc"))))


RECORDS = [b"", b"abc", bytes(range(256))]


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    path = tmp_path_factory.mktemp("shard") / "part"
    path.write_bytes(b"".join(map(frame, RECORDS)))
    return path


def test_records_and_their_offsets(shard, tmp_path):
    assert list(read_records(str(shard))) == list(zip([0, 16, 35], RECORDS))
    (tmp_path / "empty").write_bytes(b"")
    assert list(read_records(str(tmp_path / "empty"))) == []


@given(st.integers(0, 306), st.integers(1, 255))
def test_a_changed_byte_is_found(shard, at, change):
    data = bytearray(shard.read_bytes())
    data[at] ^= change
    expected = max(offset for offset in (0, 16, 35) if offset <= at)
    damaged = shard.parent / "damaged"
    damaged.write_bytes(data)
    with pytest.raises(UserError, match=f"damaged: record ., at byte {expected}, does"):
        list(read_records(str(damaged)))


@given(st.integers(1, 306))
def test_a_file_cut_short_is_found(shard, at):
    cut = shard.parent / "cut"
    cut.write_bytes(shard.read_bytes()[:at])
    if at in (16, 35):
        assert len(list(read_records(str(cut)))) == (1 if at == 16 else 2)
        return
    with pytest.raises(UserError, match="is damaged"):
        list(read_records(str(cut)))


@given(st.integers(1, 100))
def test_a_packed_file_is_read_and_checked(shard, left_out):
    packed = shard.parent / "packed.gz"
    packed.write_bytes(gzip.compress(shard.read_bytes()))
    assert list(read_records(str(packed))) == list(zip([0, 16, 35], RECORDS))
    packed.write_bytes(gzip.compress(shard.read_bytes())[:-left_out])
    with pytest.raises(UserError, match=r"packed\.gz"):
        list(read_records(str(packed)))


def test_a_length_beyond_the_file_is_not_asked_of_memory(tmp_path):
    length = struct.pack("<Q", 1 << 62)
    (tmp_path / "part").write_bytes(length + masked_crc(length) + b"abc")
    with pytest.raises(UserError, match="record 1, at byte 0, does not fit"):
        list(read_records(str(tmp_path / "part")))


def write_build(folder, shards):
    """A finished build of the given records."""
    listed = []
    for i, records in enumerate(shards):
        data = b"".join(map(frame, records))
        (folder / f"part-{i}").write_bytes(data)
        listed.append(
            {
                "name": f"part-{i}",
                "examples": len(records),
                "bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
            }
        )
    config = {"max_seq_length": S, "max_predictions_per_seq": P, "pair_task": "sop"}
    config.update(dupe_factor=1, do_lower_case=True, tokenizer={"name": "wordpiece"})
    manifest = {"format": 1, "config": config, "vocab_sha256": "0" * 64, "fingerprint": "0" * 64}
    (folder / "dataset.json").write_text(json.dumps({**manifest, "shards": listed}))
    return read_info(str(folder))


@pytest.mark.parametrize("skip", range(6))
def test_examples_in_order_from_any_on(tmp_path, skip):
    examples = [EXAMPLE._replace(pieces=(101, i, 9, 102, 7, 102)) for i in range(5)]
    packed = ExamplePacker(S, P)(columns(*examples))
    info = write_build(tmp_path, [[], packed[:2], [], packed[2:], []])
    found = list(read_examples(info, V, skip))
    assert [stored.example for stored in found] == examples[skip:]
    places = [("part-1", 1), ("part-1", 2), ("part-3", 1), ("part-3", 2), ("part-3", 3)]
    assert [(stored.shard, stored.number) for stored in found] == places[skip:]
    assert [stored.of_all for stored in found] == list(range(1, 6))[skip:]


@pytest.mark.parametrize("only", [(), (1,), (3,), (2, 3), (1, 2, 5), (1, 2, 3, 4, 5), (5, 6, 99)])
def test_examples_by_their_numbers(tmp_path, only):
    examples = [EXAMPLE._replace(pieces=(101, i, 9, 102, 7, 102)) for i in range(5)]
    packed = ExamplePacker(S, P)(columns(*examples))
    info = write_build(tmp_path, [[], packed[:2], [], packed[2:], []])
    wanted = [number for number in only if number <= 5]
    found = list(read_examples(info, V, only=only))
    assert [stored.of_all for stored in found] == wanted
    assert [stored.example for stored in found] == [examples[number - 1] for number in wanted]
    for shard, numbers in (("part-1", {1, 2}), ("part-3", {3, 4, 5})):
        if not set(wanted) & numbers:
            os.unlink(tmp_path / shard)  # it is not opened
    assert len(list(read_examples(info, V, only=only))) == len(wanted)


def test_shards_before_the_first_wanted_are_not_opened(tmp_path):
    (packed,) = ExamplePacker(S, P)(columns(EXAMPLE))
    info = write_build(tmp_path, [[packed], [packed]])
    os.unlink(tmp_path / "part-0")
    assert len(list(read_examples(info, V, 1))) == 1


def test_a_whole_record_that_is_no_example_names_its_place(tmp_path):
    (packed,) = ExamplePacker(S, P)(columns(EXAMPLE))
    info = write_build(tmp_path, [[packed, b"\x0a\x05"]])
    place = f"part-0: record 2, at byte {len(packed) + 16}, is no example"
    with pytest.raises(UserError, match=place):
        list(read_examples(info, V))
