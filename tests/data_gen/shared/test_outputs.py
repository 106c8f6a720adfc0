import errno
import os
import re
import signal
import subprocess
import sys

import filelock
import pytest

from data_gen.shared.errors import UserError
from data_gen.shared.outputs import lock_beside, lock_within, only_writer, partial_name, sweep

HOLD = """
import sys
from data_gen.shared.outputs import only_writer
with only_writer("out", sys.argv[1]) as alone:
    print(alone, flush=True)
    sys.stdin.read()
"""


def hold(lock):
    """Hold the lock of `out` for a moment. Returns True if it is a lock."""
    with only_writer("out", lock) as alone:
        return alone


def other_process(lock):
    """A process that holds the lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"True\n"
    return process


def test_an_output_is_held_by_one_process_and_by_none_that_was_killed(tmp_path):
    lock = lock_within(str(tmp_path))
    process = other_process(lock)
    with pytest.raises(UserError, match=r"^out is being made by another run: wait for it"):
        hold(lock)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert os.listdir(str(tmp_path)) == [".lock"]
    assert hold(lock)
    assert os.listdir(str(tmp_path)) == []


def test_an_output_is_held_once_in_a_process_and_free_after_an_error(tmp_path):
    lock = lock_beside(str(tmp_path / "out"))
    assert os.path.basename(lock) == ".out.lock"
    for _ in range(2):
        with only_writer("out", lock), pytest.raises(UserError, match="out is being made"):
            hold(lock)
        assert os.listdir(str(tmp_path)) == []


def test_the_lock_of_an_output_that_is_just_done_guards_nothing(tmp_path, monkeypatch):
    lock = lock_within(str(tmp_path))
    acquire = filelock.FileLock.acquire

    def acquire_late(self, timeout):
        acquired = acquire(self, timeout=timeout)
        os.unlink(lock)  # as the one who held it does
        return acquired

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire_late)
    with pytest.raises(UserError, match=r"out is being made"):
        hold(lock)


def refuse_all(self):
    """What `acquire` of older ones makes of "no locks available": it looks like a lock that is
    held.
    """


def refuse_soft(self):
    raise NotImplementedError("flock is not there")


def refuse_plainly(self):
    raise OSError(errno.ENOLCK, "No locks available")


@pytest.mark.parametrize("acquire", [refuse_all, refuse_soft, refuse_plainly])
def test_where_there_are_no_locks_that_is_said_once(tmp_path, monkeypatch, capsys, acquire):
    monkeypatch.setattr(filelock.FileLock, "_acquire", acquire)
    assert not hold(lock_within(str(tmp_path)))
    assert os.listdir(str(tmp_path)) == []
    assert capsys.readouterr().err == (
        "out: no lock can be had there, so start no second run with this --output\n"
    )


def test_an_output_that_cannot_be_written_is_no_matter_of_locks(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"^cannot write out: .*: choose another --output$"):
        hold(lock_within(str(tmp_path / "file")))

    def full(self):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(filelock.FileLock, "_acquire", full)
    with pytest.raises(UserError, match=r"^cannot write out: No space .*: make room there$"):
        hold(lock_within(str(tmp_path)))
    assert capsys.readouterr().err == ""


def test_a_lock_of_a_mere_file_is_none(tmp_path, monkeypatch, capsys):
    """It would outlive a process that is killed."""
    monkeypatch.setattr(filelock, "FileLock", filelock.SoftFileLock)
    assert not hold(lock_within(str(tmp_path)))
    assert "no lock can be had" in capsys.readouterr().err
    assert os.listdir(str(tmp_path)) == []


def test_a_bucket_has_no_locks(capsys):
    with only_writer("gs://b/out", lock_within("gs://b/out")) as alone:
        assert not alone
    assert capsys.readouterr().err.startswith("gs://b/out: no lock can be had there")


def test_partial_files_of_the_names_given_are_swept(tmp_path):
    users = [
        "a.json.partial",
        "b.json",
        "a.json.0123456789abcdeg.partial",
        "x.0123456789abcdef.partial",
    ]
    for name in ["a.json.0123456789abcdef.partial", *users]:
        (tmp_path / name).write_text("")
    folder = partial_name(str(tmp_path / "b.json"))
    os.makedirs(os.path.join(folder, "inside"))
    assert partial_name("a") != partial_name("a")
    sweep(str(tmp_path), os.listdir(str(tmp_path)), re.compile(r"[a-z]\.json"))
    assert sorted(os.listdir(str(tmp_path))) == sorted(users)
