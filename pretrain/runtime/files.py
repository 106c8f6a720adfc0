"""Read and write the files of a training by TensorFlow, on a disk or in a bucket (`gs://...`)."""

import contextlib
import functools
import os
import tempfile
from typing import Iterator, List

from data_gen.shared.errors import UserError
from pretrain.runtime.tensorflow import reason, tf


def is_url(path: str) -> bool:
    """Return True for a path that is not on this machine."""
    return "://" in path


def exists(path: str) -> bool:
    """Return True if there is such a file or folder."""
    with _reaching(path):
        return bool(tf.io.gfile.exists(path))


def names(folder: str) -> List[str]:
    """List the names in a folder; none if there is no such folder."""
    with _reaching(folder):
        if not tf.io.gfile.isdir(folder):
            return []
        return [name.rstrip("/") for name in tf.io.gfile.listdir(folder)]


def read_bytes(path: str) -> bytes:
    """Read a file."""
    with _reaching(path), tf.io.gfile.GFile(path, "rb") as handle:
        content: bytes = handle.read()
        return content


def read_text(path: str) -> str:
    """Read a UTF-8 file; bytes that are not UTF-8 are replaced."""
    return read_bytes(path).decode("utf-8", errors="replace")


def write_text(path: str, text: str) -> None:
    """Write a UTF-8 file: see `write_bytes`."""
    write_bytes(path, text.encode())


def write_bytes(path: str, content: bytes) -> None:
    """Write a file whole or not at all; a file with the same content is not touched."""
    if exists(path) and read_bytes(path) == content:
        return
    with _reaching(path), tf.io.gfile.GFile(path + ".partial", "wb") as handle:
        handle.write(content)
    move(path + ".partial", path)


def append_text(path: str, text: str) -> None:
    """Append to a file; in a bucket that writes the whole file again."""
    with _reaching(path), tf.io.gfile.GFile(path, "ab") as handle:
        handle.write(text.encode())


def copy(source: str, path: str) -> None:
    """Copy a small file; an existing one is replaced."""
    write_bytes(path, read_bytes(source))


def move(source: str, path: str) -> None:
    """Rename a file; an existing one is replaced. Atomic on a disk, a copy in a bucket."""
    with _reaching(path):
        tf.io.gfile.rename(source, path, overwrite=True)


def remove(path: str) -> None:
    """Remove a file."""
    with _reaching(path):
        tf.io.gfile.remove(path)


def make_folder(path: str) -> None:
    """Make a folder and its missing parents."""
    with _reaching(path):
        tf.io.gfile.makedirs(path)


def remove_folder(path: str) -> None:
    """Remove a folder and its content, if it exists."""
    with _reaching(path):
        if tf.io.gfile.isdir(path):
            tf.io.gfile.rmtree(path)


def local_copy(path: str) -> str:
    """Return the path of a file on the disk, for code that reads disks only: its own, or that of a
    copy which stays until this process ends.
    """
    if not is_url(path):
        return path
    local = os.path.join(tempfile.mkdtemp(dir=_copies().name), os.path.basename(path))
    copy(path, local)
    return local


@functools.lru_cache(maxsize=None)
def _copies() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="macbert-")


@contextlib.contextmanager
def _reaching(path: str) -> Iterator[None]:
    try:
        yield
    except tf.errors.OpError as error:
        raise UserError(f"cannot reach {path}: {reason(error)}") from error
