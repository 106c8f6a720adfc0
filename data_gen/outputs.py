"""Files that are written and read again, on this machine or behind any URL that fsspec knows:
whole under their name, or not there at all.

`os.path.join` joins URLs, too.
"""

import errno
import fcntl
import hashlib
import io
import json
import os
import posixpath
import re
import secrets
import shutil
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, Any, BinaryIO, Dict, Iterator, List, cast

from data_gen.settings import UserError
from data_gen.storage import filesystem_of, is_url, open_text, reading, reason

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BUFFER = 1 << 19  # bytes of a file behind a URL; a merge has hundreds of them open
# Their folders are there with the first file in them. To make one might make a bucket.
_WITHOUT_FOLDERS = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "oci", "memory")
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


@contextmanager
def atomic_file(path: str) -> Iterator[BinaryIO]:
    """A binary file that appears under its name only when it is whole.

    On this machine it has until then a name that no other writer gives it: of several writers of
    one path, each of which writes the same, the last one counts. Object stores show nothing before
    the end. Raises UserError where it cannot be written.
    """
    with _stored(path) if is_url(path) else _on_disk(path) as handle:
        yield cast(BinaryIO, _Guarded(handle, path))


@contextmanager
def _on_disk(path: str) -> Iterator[BinaryIO]:
    partial = f"{path}.{secrets.token_hex(8)}.partial"
    with writing(path):
        handle = open(partial, "wb")  # noqa: SIM115 - closed before it gets its name
    try:
        yield handle
        with writing(path):
            handle.flush()
            os.fsync(handle.fileno())
            handle.close()
            os.replace(partial, path)
    finally:
        # After the replacement neither does anything.
        with suppress(OSError):  # what is left in the buffer finds no room either
            handle.close()
        with suppress(OSError):
            os.unlink(partial)


@contextmanager
def _stored(url: str) -> Iterator[BinaryIO]:
    filesystem, inner = filesystem_of(url)
    with writing(url):
        transaction = filesystem.transaction
        transaction.start()
        handle = filesystem.open(inner, "wb")
    whole = False
    try:
        yield handle
        with writing(url):
            handle.close()
        whole = True
    finally:
        if whole:
            with writing(url):
                transaction.complete()
        else:
            with suppress(Exception):  # there is an error already
                handle.close()
            with suppress(Exception):
                transaction.complete(commit=False)


def sweep(folder: str, names: "re.Pattern[str]") -> None:
    """Delete what killed writers left of files of such names."""
    for name in list_names(folder):
        partial = _PARTIAL.search(name)
        if partial and partial.end() == len(name) and names.fullmatch(name[: partial.start()]):
            with suppress(OSError):
                os.unlink(os.path.join(folder, name))


def list_names(folder: str) -> List[str]:
    """The names in a folder; none where there is no folder."""
    with reading(folder):
        if not is_url(folder):
            return sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        filesystem, inner = filesystem_of(folder)
        names: List[str] = []
        filesystem.invalidate_cache()
        with suppress(FileNotFoundError):
            names = sorted(posixpath.basename(path) for path in filesystem.ls(inner, detail=False))
        filesystem.invalidate_cache()  # what workers write from now on is to be seen
        return names


def make_folder(path: str) -> None:
    """Make a folder, and those above it, where they are not there."""
    with writing(path):
        if not is_url(path):
            os.makedirs(path, exist_ok=True)
        elif path.split("://")[0] not in _WITHOUT_FOLDERS:
            filesystem, inner = filesystem_of(path)
            filesystem.makedirs(inner, exist_ok=True)


def delete_folder(path: str) -> None:
    """Delete a folder of ours with all that is in it, if it is there."""
    if not is_url(path):
        for _ in range(2):  # a task that is not needed any more may write into it once more
            shutil.rmtree(path, ignore_errors=True)
        return
    filesystem, inner = filesystem_of(path)
    with writing(path), suppress(FileNotFoundError):
        filesystem.rm(inner, recursive=True)


@contextmanager
def locked(folder: str) -> Iterator[bool]:
    """Hold a folder as long as the block runs; False where another process does.

    A file system without locks lets everybody in, and so does what is behind a URL.
    """
    if is_url(folder):
        yield True
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        free = True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            free = False
        except OSError:
            pass
        yield free
    finally:
        os.close(handle)


@contextmanager
def open_range(path: str, start: int, stop: int) -> Iterator[IO[bytes]]:
    """Open a file for reading at `start`; what is behind a URL is read to `stop` at most."""
    with ExitStack() as files:
        with reading(path):
            if is_url(path):
                filesystem, inner = filesystem_of(path)
                if stop - start <= _BUFFER:
                    handle: Any = io.BytesIO(filesystem.cat_file(inner, start=start, end=stop))
                else:
                    handle = filesystem.open(inner, "rb", _BUFFER, cache_type="readahead")
                    handle = io.BufferedReader(files.enter_context(handle))
                    handle.seek(start)
            else:
                handle = files.enter_context(open(path, "rb"))
                handle.seek(start)
        yield handle


def local_copy(path: str) -> str:
    """A file on this machine: itself, or a copy of what is behind a URL, fetched once and kept in
    the user's cache.
    """
    if not is_url(path):
        return path
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = os.path.join(cache, "macbert-pretraining")
    filesystem, inner = filesystem_of(path)
    with reading(path):
        filesystem.invalidate_cache()
        version = hashlib.sha256(f"{path} {filesystem.ukey(inner)}".encode()).hexdigest()[:16]
    copy = os.path.join(folder, f"{version}-{posixpath.basename(inner)}")
    if not os.path.exists(copy):
        make_folder(folder)
        with open_text(path) as source, atomic_file(copy) as target, reading(path):
            shutil.copyfileobj(source, target, _BUFFER)
    return copy


def write_new(path: str, content: bytes) -> None:
    """Write a file of this machine whole. Raises UserError where another one is there already."""
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
    with open_text(path) as handle, reading(path):
        return json.load(handle)
