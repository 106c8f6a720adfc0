"""Paths and URLs of files: on this machine, or behind any URL that fsspec knows.

Local paths (and file:// URLs) go through `open`, all others through fsspec. A memory:// URL names a
file of one process, so it needs `--workers 1`.
"""

import glob
import os
import posixpath
import re
from typing import Any, Collection, Dict, Iterator, Optional, Tuple, cast

from data_gen.shared.errors import UserError
from data_gen.shared.extras import import_extra, install_command
from data_gen.storage.errors import reading


def plain_path(path: str) -> str:
    """Return the path that a file:// URL names; anything else as it is."""
    return path[len("file://") :] if path.startswith("file://") else path


def is_url(path: str) -> bool:
    """Return True if fsspec opens it, not the file system of this machine."""
    return "://" in path


def filesystem_of(url: str) -> Tuple[Any, str]:
    """Return the file system of a URL and its path there."""
    if "::" in url:
        raise UserError(f"{url} chains several URLs: unpack or copy the files first")
    core = import_extra("fsspec.core", "data", f"the URL {url}")
    with reading(url):
        try:
            return cast(Tuple[Any, str], core.url_to_fs(url))
        except ImportError as error:  # of the protocol's own package, which it names
            advice = f": {install_command('s3')}" if url.startswith("s3:") else ""
            raise UserError(f"cannot read {url}: {error}{advice}") from error


def list_files(pattern: str) -> Iterator[str]:
    """Yield the files that a path, a folder or a glob stands for; none if there is none.

    Hidden files are passed over unless the path itself is given. Raises UserError for a path that
    is no regular file, also in a folder, and for a URL that cannot be listed.
    """
    if is_url(pattern):
        filesystem, inner = filesystem_of(pattern)
        from fsspec.implementations.local import LocalFileSystem

        if not isinstance(filesystem, LocalFileSystem):
            with reading(pattern):
                yield from _remote_files(filesystem, pattern, inner)
            return
        pattern = inner
    # A name that exists is that file: a[1].txt is no pattern for a1.txt.
    there = os.path.lexists(pattern)
    for match in [pattern] if there else sorted(glob.glob(pattern, recursive=True)):
        yield from _local_files(match)


def is_one_file(pattern: str) -> bool:
    """Return True if a pattern, for which there are files, is the path of one, and neither a folder
    nor a glob.
    """
    if not is_url(pattern):
        return os.path.lexists(pattern) and not os.path.isdir(pattern)
    filesystem, inner = filesystem_of(pattern)
    with reading(pattern):
        return bool(filesystem.isfile(inner))


def local_bytes(patterns: Collection[str], most: int) -> int:
    """Sum the bytes, as stored, of the files of this machine that patterns stand for. Stop at
    `most`.
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
    elif os.path.lexists(path):
        yield _regular(path)


def _regular(path: str) -> str:
    """Return a path. Raises UserError for a device or a pipe, whose reading may never end."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise UserError(f"{path} is no regular file: write the text to a file first, or pipe it")
    return path


def _files_below(path: str) -> Iterator[str]:
    """Yield all files of a folder that are not hidden, with those of linked folders."""

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
        visible = (name for name in names if not name.startswith("."))
        yield from (_regular(os.path.join(folder, name)) for name in visible)


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
    """Return True if `path` is `folder` or inside it."""
    if folder is None or _protocol(path) != _protocol(folder):
        return False
    return (_absolute(path) + "/").startswith(_absolute(folder) + "/")


def relative_names(paths: Collection[str]) -> Dict[str, str]:
    """Name each file by its path below their common folder, the same wherever the input lies.

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
