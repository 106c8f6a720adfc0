import os

import pytest

from data_gen.shared.errors import UserError
from data_gen.storage.writing import atomic_file, write_json, write_new


def write_half(path):
    with atomic_file(path) as handle:
        handle.write(b"half")
        raise RuntimeError


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = str(tmp_path / "file")
    with pytest.raises(RuntimeError):
        write_half(path)
    assert os.listdir(tmp_path) == []
    write_json(path, {"词": 1})
    assert os.listdir(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text(encoding="utf-8") == '{\n "词": 1\n}\n'
    with pytest.raises(RuntimeError):
        write_half(path)
    assert (tmp_path / "file").read_text(encoding="utf-8") == '{\n "词": 1\n}\n'


def test_two_writers_of_one_file_do_not_mix(tmp_path):
    path = str(tmp_path / "file")
    with atomic_file(path) as one, atomic_file(path) as two:
        one.write(b"one")
        two.write(b"and two")
        assert len(os.listdir(tmp_path)) == 2
    assert os.listdir(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"one"  # the outer ended last


@pytest.mark.parametrize("path", ["file/x", "none/x", "."])
def test_what_cannot_be_written_is_one_sentence(tmp_path, path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"^cannot write .*: choose another --output$"):
        write_json(str(tmp_path / path), {})


def test_another_file_is_never_written_over(tmp_path):
    write_new(str(tmp_path / "x"), b"mine")
    write_new(str(tmp_path / "x"), b"mine")
    with pytest.raises(UserError, match="is another file"):
        write_new(str(tmp_path / "x"), b"yours")
    assert (tmp_path / "x").read_bytes() == b"mine"
