"""Write files, on this machine or behind any URL that fsspec knows: a file is whole under its name
or absent.

`os.path.join` joins URLs, too.
"""

import io
import json
import os
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, Dict, Iterator, cast

from data_gen.shared.errors import UserError, cannot_write, writing
from data_gen.shared.outputs import partial_name
from data_gen.storage.locations import filesystem_of, is_url


class _Guarded(io.RawIOBase):
    """A file that is being written; its errors name the path that it will have."""

    def __init__(self, handle: BinaryIO, path: str) -> None:
        self._handle = handle
        self._path = path

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        try:
            return self._handle.write(data)
        except Exception as error:
            raise cannot_write(self._path, error) from error


@contextmanager
def atomic_file(path: str) -> Iterator[BinaryIO]:
    """Open a binary file that appears under its name only when it is whole.

    On this machine it has until then a random name: if several writers write the same to one path,
    the last one counts. Object stores show nothing before the end. Raises UserError if the file
    cannot be written.
    """
    with _stored(path) if is_url(path) else _on_disk(path) as handle:
        yield cast(BinaryIO, _Guarded(handle, path))


@contextmanager
def _on_disk(path: str) -> Iterator[BinaryIO]:
    partial = partial_name(path)
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


def write_new(path: str, content: bytes) -> None:
    """Write a file of this machine whole. Raises UserError if another one is there already."""
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
