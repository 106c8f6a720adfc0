"""Where files are, and how they are opened for reading: on this machine or behind any URL that
fsspec knows, plain or packed.

Local paths (and file:// URLs) go through `open`, all others through fsspec. What a memory:// URL
names lives in one process, so it needs `--workers 1`.
"""

import bz2
import glob
import gzip
import io
import lzma
import os
import posixpath
import re
from contextlib import ExitStack, contextmanager
from typing import IO, Any, Callable, Collection, Dict, Iterator, Optional, Tuple, cast

from data_gen.settings import UserError

_BUFFER = 1 << 20  # bytes, of a file behind a URL
_PACKED_CHUNK = 1 << 14  # bytes; zstd may unpack them to thousands of times as much


class ZstdFile(io.RawIOBase):
    """What a .zst file of one or several frames holds; reads and seeks forward only.

    Raises EOFError where the last frame is cut short, which zstandard's own reader passes over.
    """

    def __init__(self, packed: IO[bytes]) -> None:
        import zstandard

        # As `zstd -d --long=31`, which all but the largest windows need not say.
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 31)
        self._packed = packed
        self._frame: Any = None  # the one that is being read
        self._rest = b""  # packed, read ahead of the next frame
        self._ready = memoryview(b"")
        self._position = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes, forward."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a part of the buffer; 0 at the end of the last frame."""
        while not self._ready:
            data = self._rest or self._packed.read(_PACKED_CHUNK)
            if not data:
                if self._frame is not None:
                    raise EOFError("it ended within a zstd frame, so it is cut short")
                return 0
            self._frame = self._frame or self._unpacker.decompressobj()
            self._ready, self._rest = memoryview(self._frame.decompress(data)), b""
            if self._frame.eof:
                self._rest, self._frame = self._frame.unused_data, None
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        self._position += size
        return size

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Unpack and forget what lies before `offset`."""
        target = offset + (self._position if whence == io.SEEK_CUR else 0)
        if target < self._position or whence == io.SEEK_END:
            raise io.UnsupportedOperation("a .zst file is read forward only")
        while self._position < target and self.read(min(_BUFFER, target - self._position)):
            pass
        return self._position


def _unpack_zstd(packed: IO[bytes]) -> IO[bytes]:
    try:
        return io.BufferedReader(ZstdFile(packed))
    except ImportError as error:
        raise UserError(
            ".zst files need the package zstandard: pip install 'macbert-pretraining[data]'"
        ) from error


_UNPACKERS: Dict[str, Callable[[Any], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": _unpack_zstd,
}


def is_packed(path: str) -> bool:
    """Whether reading from the middle means unpacking from the start."""
    return os.path.splitext(path)[1] in _UNPACKERS


def without_packing(path: str) -> str:
    """The path, or the name, without the suffix of a compression."""
    return os.path.splitext(path)[0] if is_packed(path) else path


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turn what goes wrong while a file is opened or read into a UserError that names it.

    Only reading may be done within: each storage and each compression has errors of its own, so
    all are taken.
    """
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        raise UserError(f"cannot read {path}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """What went wrong, on one line."""
    text = getattr(error, "strerror", None) or " ".join(str(error).split())
    return text or type(error).__name__


@contextmanager
def open_text(path: str) -> Iterator[IO[bytes]]:
    """Open a file for reading, unpacked. Raises UserError where it cannot be."""
    with ExitStack() as files:
        with reading(path):
            handle = files.enter_context(_open(path))
            if is_packed(path):
                handle = files.enter_context(_UNPACKERS[os.path.splitext(path)[1]](handle))
        yield handle


@contextmanager
def open_as_is(path: str) -> Iterator[IO[bytes]]:
    """Open a file for reading, packed as it may be. Raises UserError where it cannot be."""
    with reading(path):
        handle = _open(path)
    with handle:
        yield handle


def is_file(path: str) -> bool:
    """Whether there is a file, here or behind a URL."""
    if not is_url(path):
        return os.path.isfile(path)
    filesystem, inner = filesystem_of(path)
    with reading(path):
        return bool(filesystem.isfile(inner))


def _open(path: str) -> IO[bytes]:
    if not is_url(path):
        return open(path, "rb")
    filesystem, inner = filesystem_of(path)
    return io.BufferedReader(filesystem.open(inner, "rb"), _BUFFER)


def plain_path(path: str) -> str:
    """The path that a file:// URL names; anything else as it is."""
    return path[len("file://") :] if path.startswith("file://") else path


def is_url(path: str) -> bool:
    """Whether fsspec is asked for it, not the file system of this machine."""
    return "://" in path


def filesystem_of(url: str) -> Tuple[Any, str]:
    """The file system of a URL and its path there."""
    if "::" in url:
        raise UserError(f"{url} chains several URLs: unpack or copy the files first")
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise UserError(
            f"{url} needs the package fsspec: pip install 'macbert-pretraining[data]'"
        ) from error
    with reading(url):  # the protocol's own package may be missing: the error names it
        return cast(Tuple[Any, str], url_to_fs(url))


def list_files(pattern: str) -> Iterator[str]:
    """The files that a path, a folder or a glob stands for; nothing where there is none.

    Hidden files are passed over unless the path itself is given. Raises UserError for what is no
    regular file and for a URL that cannot be listed.
    """
    if is_url(pattern):
        filesystem, inner = filesystem_of(pattern)
        from fsspec.implementations.local import LocalFileSystem

        if not isinstance(filesystem, LocalFileSystem):
            with reading(pattern):
                yield from _remote_files(filesystem, pattern, inner)
            return
        pattern = inner
    for match in sorted(glob.glob(pattern, recursive=True)) or [pattern]:
        yield from _local_files(match)


def local_bytes(patterns: Collection[str], most: int) -> int:
    """The size of the files of this machine that patterns stand for, as they are; counted no
    further than to `most`.
    """
    size = 0
    for pattern in patterns:
        for path in list_files(pattern) if not is_url(pattern) else ():
            size += os.path.getsize(path) if os.path.exists(path) else 0
            if size >= most:
                return most
    return size


def _local_files(path: str) -> Iterator[str]:
    if os.path.isdir(path):
        yield from _files_below(path)
    elif os.path.exists(path) and not os.path.isfile(path):
        raise UserError(f"{path} is no regular file: write the text to a file first")
    elif os.path.lexists(path):
        yield path


def _files_below(path: str) -> Iterator[str]:
    """All files of a folder that are not hidden, those of linked folders too."""

    def refuse(error: OSError) -> None:
        raise UserError(f"cannot read the folder {error.filename}: {error.strerror}") from error

    seen = {os.path.realpath(path)}
    for folder, folders, names in os.walk(path, followlinks=True, onerror=refuse):
        new = []
        for name in sorted(folders):
            real = os.path.realpath(os.path.join(folder, name))
            # a link may lead back up
            if not name.startswith(".") and real not in seen:
                seen.add(real)
                new.append(name)
        folders[:] = new
        yield from (os.path.join(folder, name) for name in names if not name.startswith("."))


def _remote_files(filesystem: Any, url: str, path: str) -> Iterator[str]:
    # Host and user stand in the URL, and not in every file system's paths.
    prefix = url[: url.rindex(path)] if path in url else f"{url.split('://')[0]}://"
    if filesystem.isfile(path):
        yield prefix + path
        return
    if filesystem.isdir(path):
        found = filesystem.find(path)
        folder = path
    else:
        matches = filesystem.glob(path, detail=True)
        folder = posixpath.dirname(re.split(r"[*?\[]", path)[0])
        found = [
            file
            for match, info in matches.items()
            for file in ([match] if info["type"] == "file" else filesystem.find(match))
        ]
    yield from (prefix + file for file in found if not _hidden(file[len(folder) :]))


def _hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def within(path: str, folder: Optional[str]) -> bool:
    """Whether a file lies in a folder or below it, or is what is given."""
    if folder is None or _protocol(path) != _protocol(folder):
        return False
    return (_absolute(path) + "/").startswith(_absolute(folder) + "/")


def relative_names(paths: Collection[str]) -> Dict[str, str]:
    """A name for each file, the same wherever the input is put: its path below their common folder.

    Local files and URLs, or URLs of two protocols, have no common folder. Among such, URLs are
    named in full and local files by the common folder of the local ones; neither can be taken for
    the other.
    """
    mixed = len(set(map(_protocol, paths))) > 1
    below = {path: _absolute(path) for path in paths if not (mixed and is_url(path))}
    root = posixpath.commonpath([posixpath.dirname(path) for path in below.values()] or [""])
    return {path: below[path][len(root) :].lstrip("/") if path in below else path for path in paths}


def _protocol(path: str) -> str:
    return path.split("://")[0] if is_url(path) else ""


def _absolute(path: str) -> str:
    if is_url(path):
        return path.split("://", 1)[1].strip("/")
    return os.path.abspath(path).replace(os.sep, "/")
