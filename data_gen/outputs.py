"""Files that are written and read again: whole under their name, or not there at all."""

import errno
import fcntl
import io
import json
import os
import re
import secrets
import shutil
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, Dict, Iterator, List, Optional, cast

from data_gen.settings import UserError
from data_gen.storage import reading, reason

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PARTIAL = re.compile(r"\.[0-9a-f]{16}\.partial")  # behind the name that the file is to have


@contextmanager
def writing(path: str) -> Iterator[None]:
    """Turn what goes wrong while a file is written into a UserError that names it and says what to
    do. Only writing may be done within.
    """
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: str, error: Exception) -> UserError:
    full = getattr(error, "errno", None) in _FULL
    advice = "make room there" if full else "choose another --output"
    return UserError(f"cannot write {path}: {reason(error)}: {advice}")


class _Guarded(io.RawIOBase):
    """A file that is written; what goes wrong names the path that it is to have."""

    def __init__(self, handle: BinaryIO, path: str) -> None:
        self._handle = handle
        self._path = path

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        try:
            return self._handle.write(data)
        except Exception as error:
            raise _cannot_write(self._path, error) from error


class atomic_file:  # noqa: N801 - used as a function: `with atomic_file(path) as handle`
    """A binary file that appears under its name only when it is whole and on disk.

    Until then it has a name that no other writer gives it: of several writers of one path, each of
    which writes the same, the last one counts. Raises UserError where it cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._partial = f"{path}.{secrets.token_hex(8)}.partial"

    def __enter__(self) -> BinaryIO:
        with writing(self._path):
            self._handle: BinaryIO = open(self._partial, "wb")
        return cast(BinaryIO, _Guarded(self._handle, self._path))

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        try:
            if kind is None:
                with writing(self._path):
                    self._handle.flush()
                    os.fsync(self._handle.fileno())
                    self._handle.close()
                    os.replace(self._partial, self._path)
        finally:
            # After the replacement neither does anything.
            with suppress(OSError):  # what is left in the buffer finds no room either
                self._handle.close()
            with suppress(OSError):
                os.unlink(self._partial)


def sweep(folder: str, names: "re.Pattern[str]") -> None:
    """Delete what killed writers left of files of such names."""
    for name in list_names(folder):
        partial = _PARTIAL.search(name)
        if partial and partial.end() == len(name) and names.fullmatch(name[: partial.start()]):
            delete(os.path.join(folder, name))


def list_names(folder: str) -> List[str]:
    """The names in a folder; none where there is no folder."""
    with reading(folder):
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def make_folder(path: str) -> None:
    """Make a folder, and those above it, where they are not there."""
    with writing(path):
        os.makedirs(path, exist_ok=True)


def delete(path: str) -> None:
    """Delete a file, if it is there."""
    with writing(path), suppress(FileNotFoundError):
        os.unlink(path)


def delete_folder(path: str) -> None:
    """Delete a folder of ours with all that is in it, if it is there."""
    for _ in range(2):  # a task that is not needed any more may write into it once more
        shutil.rmtree(path, ignore_errors=True)


def lock_folder(folder: str) -> Optional[int]:
    """A descriptor that holds the folder until it is closed; None where another process does.

    A file system without locks lets everybody in.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:
        pass
    return handle


def write_new(path: str, content: bytes) -> None:
    """Write a file whole. Raises UserError where another one is there already."""
    if os.path.exists(path):
        with open(path, "rb") as present:
            if present.read() == content:
                return
        raise UserError(f"{path} is another file: choose another --output")
    with atomic_file(path) as handle:
        handle.write(content)


def write_json(path: str, value: Dict[str, Any]) -> None:
    """Write JSON whole or not at all, in the order given."""
    with atomic_file(path) as handle:
        handle.write((json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode())


def read_json(path: str) -> Any:
    """Read what `write_json` wrote. Raises UserError where it cannot be read."""
    with reading(path), open(path, encoding="utf-8") as handle:
        return json.load(handle)
