"""Read and write the files of a training by TensorFlow, on a disk or in a bucket (`gs://...`)."""

import contextlib
import functools
import os
import tempfile
from typing import Iterator, List

from data_gen.shared.errors import FULL, UserError, cannot_write
from data_gen.shared.outputs import partial_name
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


def read_if_there(path: str) -> bytes:
    """Read a file, empty if there is none. One on a disk needs no TensorFlow, whose import takes
    seconds: for commands that only read.
    """
    if is_url(path):
        return read_bytes(path) if exists(path) else b""
    try:
        with open(path, "rb") as handle:
            return handle.read()
    except (FileNotFoundError, NotADirectoryError):
        return b""


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
    partial = partial_name(path)
    try:
        with writing(path), tf.io.gfile.GFile(partial, "wb") as handle:
            handle.write(content)
        move(partial, path)
    except BaseException:
        with contextlib.suppress(tf.errors.OpError):  # there is an error already
            tf.io.gfile.remove(partial)
        raise


def append_text(path: str, text: str) -> None:
    """Append to a file; in a bucket that writes the whole file again."""
    with writing(path), tf.io.gfile.GFile(path, "ab") as handle:
        handle.write(text.encode())


def copy(source: str, path: str) -> None:
    """Copy a small file; an existing one is replaced."""
    write_bytes(path, read_bytes(source))


def move(source: str, path: str) -> None:
    """Rename a file; an existing one is replaced. Atomic on a disk, a copy in a bucket."""
    with writing(path):
        tf.io.gfile.rename(source, path, overwrite=True)


def remove(path: str) -> None:
    """Remove a file."""
    with _reaching(path):
        tf.io.gfile.remove(path)


def make_folder(path: str) -> None:
    """Make a folder and its missing parents."""
    with writing(path):
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
def writing(path: str) -> Iterator[None]:
    """Turn an error of writing, by TensorFlow or by Python, into a UserError that names the file or
    folder and says what to do. Do nothing but writing in the block.
    """
    try:
        yield
    except tf.errors.OpError as error:
        raise _cannot_write(path, error) from error
    except OSError as error:
        raise cannot_write(path, error) from error


@contextlib.contextmanager
def room_for(output: str) -> Iterator[None]:
    """Turn the error of a full disk in the block into a UserError that names the output; others
    stay.
    """
    try:
        yield
    except tf.errors.OpError as error:
        if not _is_full(error):
            raise
        raise _cannot_write(output, error) from error
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise cannot_write(output, error) from error


def _cannot_write(path: str, error: Exception) -> UserError:
    """Return the sentence for an error of TensorFlow."""
    for number in FULL:
        if os.strerror(number) in str(error):
            return cannot_write(path, OSError(number, os.strerror(number)))
    return cannot_write(path, UserError(reason(error)))


def _is_full(error: Exception) -> bool:
    return any(os.strerror(number) in str(error) for number in FULL)


@contextlib.contextmanager
def _reaching(path: str) -> Iterator[None]:
    try:
        yield
    except tf.errors.OpError as error:
        raise UserError(f"cannot reach {path}: {reason(error)}") from error
