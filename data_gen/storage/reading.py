"""Open files for reading: local or behind a URL, packed or not."""

import io
import json
import os
from contextlib import ExitStack, contextmanager
from typing import IO, Any, Callable, Dict, Iterator

from data_gen.storage.errors import reading
from data_gen.storage.locations import filesystem_of, is_url
from data_gen.storage.packed import READ_BUFFER, unpack_bz2, unpack_gz, unpack_xz, unpack_zstd

_UNPACKERS: Dict[str, Callable[[Any], Any]] = {
    ".gz": unpack_gz,
    ".bz2": unpack_bz2,
    ".xz": unpack_xz,
    ".zst": unpack_zstd,
}


def is_packed(path: str) -> bool:
    """Return True if the suffix is of a compression, so that reading starts at the first byte."""
    return os.path.splitext(path)[1] in _UNPACKERS


def without_packing(path: str) -> str:
    """Return the path, or the name, without the suffix of a compression."""
    return os.path.splitext(path)[0] if is_packed(path) else path


@contextmanager
def open_text(path: str) -> Iterator[IO[bytes]]:
    """Open a file for reading, unpacked. Raises UserError if it cannot be opened."""
    with ExitStack() as files:
        with reading(path):
            handle = files.enter_context(_open(path))
            if is_packed(path):
                handle = files.enter_context(_UNPACKERS[os.path.splitext(path)[1]](handle))
        yield handle


@contextmanager
def open_as_is(path: str) -> Iterator[IO[bytes]]:
    """Open a file for reading as it is stored. Raises UserError if it cannot be opened."""
    with reading(path):
        handle = _open(path)
    with handle:
        yield handle


def is_file(path: str) -> bool:
    """Return True if there is a file, here or behind a URL."""
    if not is_url(path):
        return os.path.isfile(path)
    filesystem, inner = filesystem_of(path)
    with reading(path):
        return bool(filesystem.isfile(inner))


def _open(path: str) -> IO[bytes]:
    if not is_url(path):
        return open(path, "rb")
    filesystem, inner = filesystem_of(path)
    return io.BufferedReader(filesystem.open(inner, "rb"), READ_BUFFER)


def read_json(path: str) -> Any:
    """Read a file of `write_json`. Raises UserError if it cannot be read."""
    with open_text(path) as handle, reading(path):
        return json.load(handle)
