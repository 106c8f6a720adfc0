"""List, make, lock and clean folders, local or behind a URL."""

import fcntl
import os
import posixpath
import re
import shutil
from contextlib import contextmanager, suppress
from typing import Dict, Iterable, Iterator, List

from data_gen.storage.errors import reading, writing
from data_gen.storage.locations import filesystem_of, is_url

# Storages whose folders exist with their first file. To make one might make a bucket.
_WITHOUT_FOLDERS = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "oci", "memory")
_PARTIAL = re.compile(r"\.[0-9a-f]{16}\.partial")  # behind the name that the file is to have


def sweep(folder: str, names: Iterable[str], ours: "re.Pattern[str]") -> None:
    """Delete the partial files that killed writers left in a folder with these names, if the whole
    file would have a name that matches `ours`.
    """
    for name in names:
        partial = _PARTIAL.search(name)
        if partial and partial.end() == len(name) and ours.fullmatch(name[: partial.start()]):
            with suppress(OSError):
                os.unlink(os.path.join(folder, name))


def list_names(folder: str) -> List[str]:
    """Return the names in a folder; none if there is no folder."""
    with reading(folder):
        if not is_url(folder):
            return sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        filesystem, inner = filesystem_of(folder)
        names: List[str] = []
        filesystem.invalidate_cache()
        with suppress(FileNotFoundError):
            names = sorted(posixpath.basename(path) for path in filesystem.ls(inner, detail=False))
        filesystem.invalidate_cache()  # so that files of workers are seen from now on
        return names


def file_sizes(folder: str) -> Dict[str, int]:
    """Return the bytes of each file in a folder by its name; none if there is no folder."""
    with reading(folder):
        if not is_url(folder):
            if not os.path.isdir(folder):
                return {}
            with os.scandir(folder) as entries:
                return {entry.name: entry.stat().st_size for entry in entries}
        filesystem, inner = filesystem_of(folder)
        filesystem.invalidate_cache()
        try:
            found = filesystem.ls(inner, detail=True)
        except FileNotFoundError:
            return {}
        return {posixpath.basename(entry["name"]): entry["size"] for entry in found}


def make_folder(path: str) -> None:
    """Make a folder and its parents, unless they are there."""
    with writing(path):
        if not is_url(path):
            os.makedirs(path, exist_ok=True)
        elif path.split("://")[0] not in _WITHOUT_FOLDERS:
            filesystem, inner = filesystem_of(path)
            filesystem.makedirs(inner, exist_ok=True)


def delete_folder(path: str) -> None:
    """Delete a folder of ours with its content, if it is there."""
    if not is_url(path):
        for _ in range(2):  # a task that is no longer needed may write into it once more
            shutil.rmtree(path, ignore_errors=True)
        return
    filesystem, inner = filesystem_of(path)
    with writing(path), suppress(FileNotFoundError):
        filesystem.rm(inner, recursive=True)


@contextmanager
def locked(folder: str) -> Iterator[bool]:
    """Hold the lock of a folder during the block; yield False if another process holds it.

    A file system without locks lets everybody in, and so does a URL.
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
