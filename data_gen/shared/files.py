"""Checksums of files."""

import hashlib


def file_sha256(path: str) -> str:
    """Return the sha256 checksum of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        for chunk in iter(lambda: handle.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()
