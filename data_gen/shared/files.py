"""Checksums of files, and the folder of the user's cache."""

import hashlib
import os

from data_gen.shared.extras import import_extra


def file_sha256(path: str) -> str:
    """Return the sha256 checksum of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        for chunk in iter(lambda: handle.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def user_cache(part: str) -> str:
    """Return the folder of a part of the cache, as the operating system has it: on Linux below
    $XDG_CACHE_HOME or ~/.cache. It need not be there, nor may it be written everywhere.
    """
    platformdirs = import_extra("platformdirs", "data", "the user's cache")
    return os.path.join(platformdirs.user_cache_dir("macbert-pretraining"), part)
