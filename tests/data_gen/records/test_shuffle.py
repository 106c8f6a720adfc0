import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.core.columns import Example
from data_gen.records import shuffle
from data_gen.records.pack_examples import ExamplePacker
from data_gen.records.shuffle import (
    RunSlice,
    combine_slices,
    read_slice,
    write_run,
    write_shard,
)
from data_gen.records.tfrecord import frame
from data_gen.shared.dataset.features import feature_shapes
from data_gen.shared.errors import UserError
from tests.data_gen.helpers import columns, unpack

S, P = 16, 4
EXAMPLE = Example((101, 5, 70000, 102, 7, 102), 4, (1, 4), (21127, 300), 1)


def test_an_example_holds_googles_features():
    other = EXAMPLE._replace(pieces=(7,) * S)
    decoded = unpack(ExamplePacker(S, P)(columns(other, EXAMPLE, other))[1])
    assert decoded == {
        "input_ids": [101, 5, 70000, 102, 7, 102] + [0] * 10,
        "input_mask": [1] * 6 + [0] * 10,
        "segment_ids": [0] * 4 + [1] * 2 + [0] * 10,
        "masked_lm_positions": [1, 4, 0, 0],
        "masked_lm_ids": [21127, 300, 0, 0],
        "masked_lm_weights": [1.0, 1.0, 0.0, 0.0],
        "next_sentence_labels": [1],
    }
    assert list(decoded) == list(feature_shapes(S, P))
    assert {name: len(values) for name, values in decoded.items()} == {
        name: size for name, (_, size) in feature_shapes(S, P).items()
    }


@pytest.mark.parametrize(
    "example",
    [
        EXAMPLE._replace(pieces=(1,) * 17),
        EXAMPLE._replace(masked_positions=(1,) * 5, masked_labels=(1,) * 5),
    ],
)
def test_an_example_that_does_not_fit_is_never_cut_silently(example):
    with pytest.raises(ValueError, match="an example of"):
        ExamplePacker(S, P)(columns(EXAMPLE, example))


def test_the_frame_is_that_of_tfrecord():
    # what tf.io.TFRecordWriter of TensorFlow 2.21 writes for b"abc"
    assert frame(b"abc").hex() == "0300000000000000b099490e6162636e57f121"


def write(path, records, shards):
    """Write a run file of keys and records."""
    return write_run(str(path), [(key, frame(record)) for key, record in records], shards)


@given(
    st.lists(st.tuples(st.integers(0, 2**64 - 1), st.binary(max_size=20)), max_size=30),
    st.integers(1, 5),
)
def test_shards_hold_every_record_once_in_the_order_of_the_keys(tmp_path_factory, records, shards):
    folder = tmp_path_factory.mktemp("runs")
    offsets = [
        write(folder / f"{i}.run", half, shards)
        for i, half in enumerate([records[::2], records[1::2]])
    ]
    seen = []
    for shard in range(shards):
        segments = [
            RunSlice(str(folder / f"{i}.run"), *offsets[i][shard : shard + 2]) for i in range(2)
        ]
        mine = sorted(record for segment in segments for record in read_slice(segment))
        assert all(key * shards >> 64 == shard for key, _ in mine)
        written = write_shard(str(folder / "shard"), segments)
        assert written.examples == len(mine)
        data = (folder / "shard").read_bytes()
        assert data == b"".join(framed for _, framed in mine)
        assert written.bytes == len(data)
        seen += mine
    assert seen == sorted((key, frame(record)) for key, record in records)


@pytest.mark.parametrize("damage", ["cut short", "a length too large"])
def test_a_damaged_run_file_is_an_error(tmp_path, damage):
    path = str(tmp_path / "a.run")
    _, stop = write(path, [(1, b"abc"), (2, b"defg")], 1)
    with open(path, "r+b") as handle:
        if damage == "cut short":
            handle.truncate(stop - 2)
        else:
            handle.seek(8)  # after the key
            handle.write(b"\xff\xff")
    with pytest.raises(UserError, match="cut short or damaged"):
        list(read_slice(RunSlice(path, 0, stop)))


def test_many_runs_are_merged_in_passes(tmp_path, monkeypatch):
    segments, everything = [], []
    for i in range(20):
        run = [(i * 7 % 20 * 1000 + j, bytes([i])) for j in range(3)]
        everything += run
        offsets = write(tmp_path / f"{i}.run", run, 1)
        segments.append(RunSlice(str(tmp_path / f"{i}.run"), *offsets))
    monkeypatch.setattr(shuffle, "MOST_OPEN", 3)
    combined = combine_slices(segments, str(tmp_path / "shard"))
    assert 1 <= len(combined) <= 3
    write_shard(str(tmp_path / "shard"), combined)
    expected = b"".join(frame(record) for _, record in sorted(everything))
    assert (tmp_path / "shard").read_bytes() == expected
