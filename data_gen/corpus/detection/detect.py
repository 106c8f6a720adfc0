"""The form of a file, or the kind of what cannot be read, from its name and first bytes."""

import json
import os
import re
from typing import NamedTuple, Optional, Tuple

from data_gen.corpus.detection.encodings import (
    UTF8,
    UTF16,
    codec_by_mark,
    codec_of,
    guess_encoding,
    is_plausible,
)
from data_gen.corpus.forms.formats import FORMATS, TEXT

HEAD = 1 << 16  # bytes that are looked at

_ARCHIVE, _PACKED, _OFFICE, _IMAGE = "archive", "packed file", "office document", "image"
_MEDIA, _BINARY = "sound or film", "binary data"
_MAGIC: Tuple[Tuple[bytes, str], ...] = (
    (b"PK\x03\x04", _ARCHIVE),
    (b"PK\x05\x06", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"Rar!\x1a\x07", _ARCHIVE),
    (b"\x1f\x8b", _PACKED),
    (b"\xfd7zXZ\0", _PACKED),
    (b"\x28\xb5\x2f\xfd", _PACKED),
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
_RIFF = {b"WEBP": _IMAGE, b"WAVE": _MEDIA, b"AVI ": _MEDIA}
_OFFICE_NAMES = (b"[Content_Types].xml", b"_rels/.rels", b"mimetype")  # first in the archive
_CONTROLS = bytes({*range(32)} - {*b"\t\n\r\f\x1b\x1a\x08"})
_MOST_CONTROLS = 0.01  # share of the bytes of a text with some damage

_HTML = re.compile(
    r"(?:\s|<!--.*?-->|<\?xml[^>]*>)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_MEDIAWIKI = re.compile(r"(?:\s|<\?xml[^>]*>)*<mediawiki\b", re.I)
_XML = re.compile(r"\s*(?:<\?xml\b|<!DOCTYPE\b|<(?:rss|feed|svg|TEI)\b)", re.I)
# A line that is a tag alone, as in the news of Sogou; an inline tag begins a text.
_ELEMENT = re.compile(r"\s*<([A-Za-z][\w:.-]*)(?:\s[^<>]*)?>\s*\n")
_WIKIEXTRACTOR = re.compile(r"\s*<doc id=")
_OBJECT = re.compile(r'\s*\{\s*(?:"(?:[^"\\\n]|\\.)*"\s*:|\}\s*(?:\n|\Z))')
_ARRAY = re.compile(r'\s*\[\s*(?:\{\s*["}]|\]\s*\Z|"(?:[^"\\\n]|\\.)*"\s*(?:,\s*"|\]\s*\Z))')
_MARKUP_SUFFIXES = {".html": "HTML", ".htm": "HTML", ".xhtml": "HTML", ".xml": "XML"}

_DESCRIPTION = re.compile(
    r"(?:readme|license|licence|notice|changelog|citation)(?:\.(?:md|txt|rst|cff))?"
    r"|_success|_(?:common_)?metadata|_(?:started|committed)_\d+"
    r"|dataset_infos?\.json|state\.json|dataset_dict\.json",
    re.I,
)
_CACHE = re.compile(r"(?:cache|tmp)-\w+\.arrow|cache-\w+_\d+_of_\d+\.arrow")


class Kind(NamedTuple):
    """The form of a file: a name of FORMATS; or why there is none: a name of REFUSED."""

    form: str = ""
    refused: str = ""


def companion(name: str) -> Optional[str]:
    """Return the kind of a file that lies beside data and is none, by its name; None for others."""
    base = os.path.basename(name)
    if _CACHE.fullmatch(base):
        return "cache"
    return "description" if _DESCRIPTION.fullmatch(base) else None


def detect(head: bytes, name: str, packed: bool) -> Kind:
    """Tell the kind of a file.

    head: the first HEAD bytes, unpacked; name: without the suffix of the packing
    """
    if not head:
        return Kind(refused="empty")
    for form, entry in FORMATS.items():
        if head.startswith(entry.magic or (b"\0" * HEAD,)):
            return Kind(refused="packed table") if packed else Kind(form)
    refused = binary_kind(head)
    if refused:
        return Kind(refused=refused)
    return _textual(_decoded(head), os.path.splitext(name)[1].lower())


def binary_kind(head: bytes) -> str:
    """Return the kind, a name of REFUSED, of what is no text; "" for text."""
    if head.startswith(b"PK\x03\x04") and any(one in head[:200] for one in _OFFICE_NAMES):
        return _OFFICE
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if _BZIP2.match(head):
        return _PACKED
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


def _decoded(head: bytes) -> str:
    """Return the first characters, good enough to see what ASCII stands among them."""
    is_utf16 = b"\0" in head or codec_by_mark(head)
    codec = codec_of(UTF16 if is_utf16 else UTF8, head)
    return head.decode(codec, "replace").lstrip("\ufeff")


def _textual(text: str, suffix: str) -> Kind:
    if _WIKIEXTRACTOR.match(text):
        return Kind("wikiextractor")
    if _ARRAY.match(text):
        return Kind("json")
    by_suffix = next((name for name, form in FORMATS.items() if suffix in form.suffixes), None)
    if _OBJECT.match(text):
        return Kind(_form_of_objects(text, by_suffix))
    if by_suffix:
        return Kind(by_suffix)
    if suffix == ".json" and text.strip():
        return Kind("json" if text.lstrip()[:1] == "[" else "jsonl")
    if text.lstrip()[:1] == "<":
        return _markup(text, suffix)
    return Kind(refused=_MARKUP_SUFFIXES[suffix]) if suffix in _MARKUP_SUFFIXES else Kind(TEXT)


def _markup(text: str, suffix: str) -> Kind:
    for pattern, refused in ((_MEDIAWIKI, "MediaWiki XML"), (_HTML, "HTML"), (_XML, "XML")):
        if pattern.match(text):
            return Kind(refused=refused)
    element = _ELEMENT.match(text)
    if element and f"</{element[1]}>" in text:
        return Kind(refused="XML")
    return Kind(refused=_MARKUP_SUFFIXES[suffix]) if suffix in _MARKUP_SUFFIXES else Kind(TEXT)


def _form_of_objects(text: str, by_suffix: Optional[str]) -> str:
    """Tell JSON lines, also WikiExtractor's, from objects over several lines."""
    first, ended, _ = text.lstrip().partition("\n")
    try:
        record = json.loads(first)
    except (ValueError, RecursionError):
        if first.strip() == "{":
            return "json"
        cut = not ended  # by the end of the head
        return by_suffix or ("jsonl" if cut or first.rstrip().endswith("}") else "json")
    names = set(record)
    wiki = names in ({"id", "revid", "url", "title", "text"}, {"id", "url", "title", "text"})
    if wiki and ("revid" in names or "?curid=" in str(record["url"])):
        return "wikiextractor_json"
    return by_suffix or "jsonl"
