"""Files that hold no text, told by their first bytes."""

import codecs
import re
from typing import Tuple

from data_gen.corpus.detection.encodings import (
    codec_by_mark,
    guess_encoding,
    is_plausible,
    is_seven_bit,
)

_ARCHIVE, PACKED, _OFFICE, _IMAGE = "archive", "packed file", "office document", "image"
_MEDIA, _BINARY = "sound or film", "binary data"
_MAGIC: Tuple[Tuple[bytes, str], ...] = (
    (b"PK\x03\x04", _ARCHIVE),
    (b"PK\x05\x06", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"Rar!\x1a\x07", _ARCHIVE),
    (b"\x1f\x8b", PACKED),
    (b"\xfd7zXZ\0", PACKED),
    (b"\x28\xb5\x2f\xfd", PACKED),
    (b"%PDF-", "PDF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OFFICE),
    (b"{\\rtf", _OFFICE),
    (b"\x89PNG\r\n", _IMAGE),
    (b"\xff\xd8\xff", _IMAGE),
    (b"GIF87a", _IMAGE),
    (b"GIF89a", _IMAGE),
    (b"ID3\x03", _MEDIA),
    (b"ID3\x04", _MEDIA),
    (b"OggS\0", _MEDIA),
    (b"fLaC\0", _MEDIA),
    (b"FEA1", "Feather of version 1"),
)
_BZIP2 = re.compile(rb"BZh[1-9]1AY&SY")
_TAR_AT, _TAR = 257, b"ustar"
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_RIFF = {b"WEBP": _IMAGE, b"WAVE": _MEDIA, b"AVI ": _MEDIA}
_OFFICE_NAMES = (b"[Content_Types].xml", b"_rels/.rels", b"mimetype")  # first in the archive
_CONTROLS = bytes({*range(32)} - {*b"\t\n\r\f\x1b\x1a\x08"})
_MOST_CONTROLS = 0.01  # share of the bytes of a text with some damage


def binary_kind(head: bytes) -> str:
    """Return the kind, a name of REFUSED, of what is no text that is read; "" for text."""
    if head.startswith(_UTF32):
        return "UTF-32"
    if is_seven_bit(head):
        return "text of seven bits"
    if head.startswith(b"PK\x03\x04") and any(one in head[:200] for one in _OFFICE_NAMES):
        return _OFFICE
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if _BZIP2.match(head):
        return PACKED
    if head[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR:
        return _ARCHIVE
    if head.startswith(b"RIFF") and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    if head[4:8] == b"ftyp":
        return _MEDIA
    return _BINARY if _is_binary(head) else ""


def _is_binary(head: bytes) -> bool:
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if not controls or codec_by_mark(head):
        return False
    if controls <= max(1, _MOST_CONTROLS * len(head)):
        return False
    return not is_plausible(guess_encoding(head))
