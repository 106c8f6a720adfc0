"""All that decides how a file is read, from the settings, its name and its first bytes."""

import itertools
from typing import Iterable, List, NamedTuple, Optional, Tuple

from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.detection.detect import HEAD, Kind, binary_kind, detect
from data_gen.corpus.detection.encodings import (
    AUTO,
    CODECS,
    UTF8,
    UTF16,
    codec_of,
    decodes,
    guess_encoding,
    is_mostly_utf8,
    is_plausible,
    looks_like_utf8,
)
from data_gen.corpus.forms import formats
from data_gen.corpus.forms.form import Source
from data_gen.corpus.forms.formats import FORMATS
from data_gen.shared.errors import UserError
from data_gen.storage.errors import reading
from data_gen.storage.reading import is_packed, open_text

_SAMPLE = 1 << 20  # bytes from which the advice for bad bytes is made
_DAMAGED = (
    "most of it is UTF-8, so these bytes are damaged: mend them, or set corpus.bad_bytes=replace or "
    "skip_line"
)
_UNKNOWN = "no encoding known here fits: convert it to UTF-8"
_MOST_NAMED = 100  # files in a message


class Undecoded(NamedTuple):
    """A file with bytes that are not of its encoding."""

    path: str
    where: str  # "line 3 (byte 7)"
    encoding: str
    advice: str


class EncodingError(UserError):
    """The error for files that are not of the encoding that the settings name."""

    def __init__(self, files: Iterable[Undecoded]) -> None:
        self.files = sorted(files)
        groups: List[str] = []
        for (encoding, advice), some in itertools.groupby(
            sorted(self.files, key=lambda one: one[2:]), key=lambda one: one[2:]
        ):
            named = [f"{file.path}, {file.where}" for file in some]
            more = len(named) - _MOST_NAMED
            names = "; ".join(named[:_MOST_NAMED]) + (f"; and {more:,} more" if more > 0 else "")
            verb = "is" if len(named) == 1 else "are"
            groups.append(f"{names} {verb} not {_label(encoding)}: {advice}")
        super().__init__(". ".join(groups))


class Resolved(NamedTuple):
    """How a file is read, or the kind, a name of REFUSED, of what is not."""

    source: Optional[Source]
    refused: str = ""


def resolve(path: str, name: str, config: CorpusConfig) -> Resolved:
    """Look at the first bytes of a file. Raises UserError if it cannot be read, or is plainly of
    another encoding than the settings name.
    """
    with open_text(path) as handle, reading(path):
        head = handle.read(HEAD)
    kind = _kind(head, name, path, config)
    if kind.refused:
        return Resolved(None, kind.refused)
    codec = CODECS[UTF8] if FORMATS[kind.form].magic else _codec(head, path, config)
    return Resolved(Source(path, kind.form, codec, config.field, config.bad_bytes))


def _kind(head: bytes, name: str, path: str, config: CorpusConfig) -> Kind:
    if config.format == formats.AUTO:
        return detect(head, name, is_packed(path))
    if not head:
        return Kind(refused="empty")
    if FORMATS[config.format].magic:
        return Kind(config.format)
    return Kind(config.format, binary_kind(head))


def _codec(head: bytes, path: str, config: CorpusConfig) -> str:
    encoding = config.encoding
    guess = guess_encoding(head)
    if encoding == AUTO:
        encoding = guess.encoding if guess and is_plausible(guess) else UTF8
    elif encoding != UTF8:
        _require_other_than_utf8(head, path, encoding)
    if encoding == UTF8 and decodes(head, UTF8) is None and not is_mostly_utf8(head):
        # The bytes of another encoding would be replaced, or its lines skipped, one and all.
        if config.bad_bytes != "error":
            raise EncodingError([_first_bad(head, path, encoding)])
    return codec_of(encoding, head)


def _require_other_than_utf8(head: bytes, path: str, encoding: str) -> None:
    is_ascii = encoding == UTF16 and b"\0" not in head and decodes(head, UTF8) is not None
    if is_ascii or looks_like_utf8(head):
        raise UserError(
            f"{path} is UTF-8, not {_label(encoding)}: set corpus.encoding={AUTO}, which tells "
            "files apart, or give it alone"
        )


def _first_bad(head: bytes, path: str, encoding: str) -> Undecoded:
    try:
        head.decode(CODECS[encoding])
    except UnicodeDecodeError as error:
        before = head[: error.start]
        byte = error.start - before.rfind(b"\n")
        return undecoded(path, before.count(b"\n") + 1, byte, CODECS[encoding])
    return undecoded(path, 1, 1, CODECS[encoding])


def undecoded(path: str, line: int, byte: int, codec: str) -> Undecoded:
    """Describe a file that cannot be decoded, with the advice that fits it."""
    with open_text(path) as handle, reading(path):
        sample = handle.read(_SAMPLE)
    encoding = next(name for name in CODECS if codec_of(name, sample) == codec)
    return Undecoded(path, f"line {line} (byte {byte})", encoding, _advice(sample, encoding))


def _advice(sample: bytes, encoding: str) -> str:
    if encoding == UTF8 and is_mostly_utf8(sample):
        return _DAMAGED
    guess = guess_encoding(sample)
    if guess and is_plausible(guess) and guess.encoding != encoding:
        return (
            f"it reads as {_label(guess.encoding)}: set corpus.encoding={guess.encoding}, or "
            f"{AUTO} where files differ"
        )
    if guess and guess.encoding == encoding:
        return (
            "some of its bytes are damaged: mend them, or set corpus.bad_bytes=replace or skip_line"
        )
    return _UNKNOWN


def _label(encoding: str) -> str:
    return encoding.upper()
