"""The form of a file, or the kind of what cannot be read, from its name and first bytes."""

import json
import os
import re
from typing import NamedTuple, Optional

from data_gen.corpus.detection.binary import PACKED, binary_kind
from data_gen.corpus.detection.encodings import UTF8, UTF16, codec_by_mark, codec_of
from data_gen.corpus.detection.tables import form_of_table
from data_gen.corpus.forms.formats import FORMATS, TEXT

HEAD = 1 << 16  # bytes that are looked at
_MOST_VALUES = 8  # lines of JSON

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
_SUFFIXES = {  # of what is read only where corpus.format says how
    "HTML": ".html .htm .xhtml",
    "XML": ".xml",
    "LaTeX": ".tex .bib .sty .cls",
    "subtitles": ".srt .vtt .ass .ssa .lrc",
    "source code": ".py .pyi .ipynb .js .mjs .ts .jsx .tsx .vue .java .kt .scala .c .h .cc .cpp "
    ".hpp .cs .go .rs .rb .php .pl .lua .swift .sh .bash .bat .ps1 .sql .css .scss .diff .patch",
    "settings": ".yaml .yml .toml .ini .cfg .conf .properties .env .lock",
    "log": ".log",
    "mail": ".eml .mbox",
}
_REFUSED_SUFFIXES = {one: kind for kind, names in _SUFFIXES.items() for one in names.split()}

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


def detect(head: bytes, name: str, packed: bool, by_line: bool = False) -> Kind:
    """Tell the kind of a file.

    head:    the first HEAD bytes, unpacked
    name:    without the suffix of the packing
    by_line: a table in a file whose name does not say so is lines of text
    """
    if not head:
        return Kind(refused="empty")
    for form, entry in FORMATS.items():
        if head.startswith(entry.magic or (b"\0" * HEAD,)):
            return Kind(refused="packed table") if packed else Kind(form)
    refused = binary_kind(head)
    if refused:
        return Kind(refused="file packed twice" if packed and refused == PACKED else refused)
    text = _decoded(head)
    kind = _textual(text, os.path.splitext(name)[1].lower())
    return kind if by_line or kind.form != TEXT else _table_or_text(text)


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
    if _OBJECT.match(text) and suffix not in _REFUSED_SUFFIXES:
        return Kind(_form_of_objects(text, by_suffix))
    if by_suffix:
        return Kind(by_suffix)
    first = text.lstrip()[:1]
    if suffix == ".json" and first in ("[", "{", '"'):  # its error names the line
        return Kind("json" if first == "[" else "jsonl")
    if first in ("[", '"') and _are_json_values(text):
        return Kind("jsonl")  # its error names the line
    markup = _markup(text) if first == "<" else ""
    refused = markup or _REFUSED_SUFFIXES.get(suffix, "")
    return Kind(refused=refused) if refused else Kind(TEXT)


def _table_or_text(text: str) -> Kind:
    table = form_of_table(text)
    if table is None:
        return Kind(TEXT)
    return Kind(table) if table else Kind(refused="table without names")


def _are_json_values(text: str) -> bool:
    """Return True if the first lines are JSON arrays that hold texts, or escaped JSON strings: a
    text may begin with a bracket or a quote, too.
    """
    lines = [line.strip() for line in text.split("\n")[:_MOST_VALUES] if line.strip()]
    return all(map(_is_json_value, lines[:-1] or lines))


def _is_json_value(line: str) -> bool:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return False
    if isinstance(value, str):
        return "\\" in line
    return isinstance(value, list) and any(isinstance(one, (str, list, dict)) for one in value)


def _markup(text: str) -> str:
    """Return the kind of markup that a text begins with, a name of REFUSED; "" for none."""
    for pattern, refused in ((_MEDIAWIKI, "MediaWiki XML"), (_HTML, "HTML"), (_XML, "XML")):
        if pattern.match(text):
            return refused
    element = _ELEMENT.match(text)
    return "XML" if element and f"</{element[1]}>" in text else ""


def _form_of_objects(text: str, by_suffix: Optional[str]) -> str:
    """Tell JSON lines, also WikiExtractor's, from objects over several lines."""
    first, ended, _ = text.lstrip().partition("\n")
    try:
        record = json.loads(first)
    except (ValueError, RecursionError):
        if first.strip() == "{" or _several_objects(first):
            return "json"
        cut = not ended  # by the end of the head
        return by_suffix or ("jsonl" if cut or first.rstrip().endswith("}") else "json")
    names = set(record)
    wiki = names in ({"id", "revid", "url", "title", "text"}, {"id", "url", "title", "text"})
    if wiki and ("revid" in names or "?curid=" in str(record["url"])):
        return "wikiextractor_json"
    return by_suffix or "jsonl"


def _several_objects(line: str) -> bool:
    try:
        record, end = json.JSONDecoder().raw_decode(line.lstrip())
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and line.lstrip()[end:].lstrip().startswith("{")
