"""The pass over a shard: checksum, size, the chain of records."""

import gzip
import hashlib
import io
import struct

import pytest

from data_gen.records.tfrecord import frame
from data_gen.shared.dataset import shard_check
from data_gen.shared.dataset.dataset_info import Shard
from data_gen.shared.dataset.shard_check import difference, walk

RECORDS = [b"", b"abc", bytes(range(256)) * 9, b"x"]
WHOLE = b"".join(map(frame, RECORDS))


@pytest.mark.parametrize("chunk", [1, 5, 12, 13, 100, 1 << 20])
def test_records_are_counted_whatever_is_read_at_once(monkeypatch, chunk):
    monkeypatch.setattr(shard_check, "_CHUNK", chunk)
    for data, packed in ((WHOLE, False), (gzip.compress(WHOLE), True)):
        found = walk(io.BytesIO(data), packed)
        assert found == (len(data), hashlib.sha256(data).hexdigest(), 4, "")


def test_a_file_of_several_gzip_members_is_one():
    parts = gzip.compress(WHOLE[:20]) + gzip.compress(WHOLE[20:])
    assert walk(io.BytesIO(parts), True).records == 4
    assert walk(io.BytesIO(b""), True).problem == ""


def test_every_cut_is_found():
    ends = {0, 16, 35, 35 + 2304 + 16, len(WHOLE)}
    for at in range(len(WHOLE)):
        assert bool(walk(io.BytesIO(WHOLE[:at]), False).problem) == (at not in ends), at


@pytest.mark.parametrize("length", [2**62, 2**64 - 1, 2**28 + 1])
def test_a_length_that_no_record_has_is_named(length):
    data = WHOLE[:16] + struct.pack("<Q", length) + WHOLE[24:]
    problem = walk(io.BytesIO(data), False).problem
    assert problem == f"is damaged: record 2 has a length field of {length:,} bytes"


def test_packed_bytes_that_are_damaged_are_found():
    data = gzip.compress(WHOLE)
    for damaged in (data[:-1], data[:30], b"no gzip at all", data[:40] + b"\0\0\0" + data[43:]):
        assert walk(io.BytesIO(damaged), True).problem


def test_what_dataset_json_says_is_compared():
    right = Shard("part", 4, len(WHOLE), hashlib.sha256(WHOLE).hexdigest())
    found = walk(io.BytesIO(WHOLE), False)
    assert difference(found, right) is None
    assert "holds 4 records where dataset.json says 5" in difference(
        found, right._replace(examples=5)
    )
    assert "its sha256 is another" in difference(found, right._replace(sha256="0" * 64))
    flipped = WHOLE[:20] + bytes([WHOLE[20] ^ 1]) + WHOLE[21:]
    assert difference(walk(io.BytesIO(flipped), False), right)
