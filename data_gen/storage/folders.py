"""List, make and delete folders, local or behind a URL."""

import os
import posixpath
import shutil
from contextlib import suppress
from typing import Dict, List

from data_gen.shared.errors import writing
from data_gen.storage.errors import reading
from data_gen.storage.locations import filesystem_of, is_url

# Storages whose folders exist with their first file. To make one might make a bucket.
_WITHOUT_FOLDERS = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "oci", "memory")


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
