"""The files of a training, on a disk or in a bucket (`gs://...`), as TensorFlow reaches them."""

import contextlib
import functools
import os
import tempfile
from typing import Iterator, List

from data_gen.shared.errors import UserError
from pretrain.runtime.tensorflow import reason, tf


def is_url(path: str) -> bool:
    """Whether a path is none of this machine."""
    return "://" in path


def exists(path: str) -> bool:
    """Whether there is such a file or folder."""
    with _reaching(path):
        return bool(tf.io.gfile.exists(path))


def names(folder: str) -> List[str]:
    """The names in a folder; none where there is no such folder."""
    with _reaching(folder):
        if not tf.io.gfile.isdir(folder):
            return []
        return [name.rstrip("/") for name in tf.io.gfile.listdir(folder)]


def read_bytes(path: str) -> bytes:
    """What a file holds."""
    with _reaching(path), tf.io.gfile.GFile(path, "rb") as handle:
        content: bytes = handle.read()
        return content


def read_text(path: str) -> str:
    """What a file of UTF-8 holds; what is none is replaced."""
    return read_bytes(path).decode("utf-8", errors="replace")


def write_text(path: str, text: str) -> None:
    """Write a file of UTF-8: see `write_bytes`."""
    write_bytes(path, text.encode())


def write_bytes(path: str, content: bytes) -> None:
    """Write a file whole or not at all; one with that very content keeps its time."""
    if exists(path) and read_bytes(path) == content:
        return
    with _reaching(path), tf.io.gfile.GFile(path + ".partial", "wb") as handle:
        handle.write(content)
    move(path + ".partial", path)


def append_text(path: str, text: str) -> None:
    """Add to the end of a file; in a bucket that writes it anew."""
    with _reaching(path), tf.io.gfile.GFile(path, "ab") as handle:
        handle.write(text.encode())


def copy(source: str, path: str) -> None:
    """Copy a small file over another, if there is one."""
    write_bytes(path, read_bytes(source))


def move(source: str, path: str) -> None:
    """Rename a file over another, if there is one: at once on a disk, a copy in a bucket."""
    with _reaching(path):
        tf.io.gfile.rename(source, path, overwrite=True)


def remove(path: str) -> None:
    """Remove a file."""
    with _reaching(path):
        tf.io.gfile.remove(path)


def make_folder(path: str) -> None:
    """Make a folder and those above it that are missing."""
    with _reaching(path):
        tf.io.gfile.makedirs(path)


def remove_folder(path: str) -> None:
    """Remove a folder with all in it, if it is there."""
    with _reaching(path):
        if tf.io.gfile.isdir(path):
            tf.io.gfile.rmtree(path)


def on_disk(path: str) -> str:
    """The path of a file for what reads disks only: its own, or that of a copy which stays until
    this process ends.
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
