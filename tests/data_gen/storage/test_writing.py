import os
import re

import pytest

from data_gen.shared.errors import UserError
from data_gen.storage.folders import locked, sweep
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


def test_partial_files_of_the_names_given_are_swept(tmp_path):
    users = [
        "a.json.partial",
        "b.json",
        "a.json.0123456789abcdeg.partial",
        "x.0123456789abcdef.partial",
    ]
    for name in ["a.json.0123456789abcdef.partial", *users]:
        (tmp_path / name).write_text("")
    sweep(str(tmp_path), os.listdir(tmp_path), re.compile(r"[a-z]\.json"))
    assert sorted(os.listdir(tmp_path)) == sorted(users)


def test_a_folder_is_held_by_one(tmp_path):
    for _ in range(2):
        with locked(str(tmp_path)) as first, locked(str(tmp_path)) as second:
            assert (first, second) == (True, False)


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
