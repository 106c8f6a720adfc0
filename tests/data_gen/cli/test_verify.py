"""`data_gen verify`: a build against its checksums and its own sizes."""

import shutil

import pytest

from data_gen.__main__ import main
from tests.data_gen.helpers import GOLDEN, ROOT


@pytest.fixture
def build(tmp_path, monkeypatch):
    """A copy of a build, in a folder that knows nothing of the repository."""
    folder = tmp_path / "data"
    shutil.copytree(f"{ROOT}/{GOLDEN}", folder)
    monkeypatch.chdir(tmp_path)
    return folder


def shard(build):
    """The first shard."""
    return sorted(build.glob("*.tfrecord"))[0]


def test_a_whole_build_is_held_to_the_shipped_vocabulary(build, capsys):
    assert main(["verify", "data", "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("data: 78 records in 2 shards (")
    assert said.endswith("are as dataset.json says\n")  # and ids were compared


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data[:-5], "missing or cut short: build"),
        (lambda data: data[:2000] + bytes([data[2000] ^ 1]) + data[2001:], "is damaged: "),
        (lambda data: data + data[: len(data) // 2], "missing or cut short: build"),
    ],
)
def test_a_damaged_shard_is_named(build, capsys, change, told):
    path = shard(build)
    path.write_bytes(change(path.read_bytes()))
    assert main(["verify", "data", "--workers", "1"]) == 1
    said = capsys.readouterr()
    assert path.name in said.out + said.err
    assert told in said.out + said.err


def test_a_missing_shard_is_named(build, capsys):
    path = shard(build)
    path.unlink()
    assert main(["verify", "data", "--workers", "1"]) == 1
    said = capsys.readouterr()
    assert path.name in said.out + said.err


def test_another_vocabulary_is_refused(build, capsys):
    (build.parent / "vocab.txt").write_text(
        "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", encoding="utf-8"
    )
    assert main(["verify", "data", "--vocab", "vocab.txt", "--workers", "1"]) == 1
    assert "another vocabulary" in capsys.readouterr().err
