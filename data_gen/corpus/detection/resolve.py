"""All that decides how a file is read, from the settings, its name and its first bytes."""

import itertools
from contextlib import contextmanager
from typing import Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.detection.binary import binary_kind
from data_gen.corpus.detection.detect import HEAD, Kind, companion, detect
from data_gen.corpus.detection.encodings import (
    AUTO,
    BAD_BYTES,
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
from data_gen.corpus.detection.refused import REFUSED
from data_gen.corpus.forms import formats
from data_gen.corpus.forms.form import BadBytesError, FormatError, Source
from data_gen.corpus.forms.formats import FORMATS
from data_gen.shared.errors import UserError
from data_gen.storage.errors import reading
from data_gen.storage.reading import is_packed, open_text
from data_gen.storage.standard_input import shown

_SAMPLE = 1 << 20  # bytes from which the advice for bad bytes is made
_DAMAGED = (
    "the rest is UTF-8, so these bytes are damaged: mend them, or set corpus.bad_bytes=replace "
    "or skip_line"
)
_UNKNOWN = "no encoding known here fits: convert it to UTF-8"
_MOST_NAMED = 20  # files in a message


class Undecoded(NamedTuple):
    """A file with bytes that are not of its encoding."""

    path: str
    line: int
    byte: int  # in its line, from 1
    encoding: str
    advice: str


class EncodingError(UserError):
    """The error for files that are not of the encoding that the settings name."""

    def __init__(self, files: Iterable[Undecoded]) -> None:
        self.files = sorted(files)
        groups: List[str] = []
        for (encoding, advice), some in itertools.groupby(
            sorted(self.files, key=_manner), key=_manner
        ):
            groups.append(_in_words(list(some), _label(encoding), advice))
        super().__init__(". ".join(groups))


def _manner(file: Undecoded) -> Tuple[str, str]:
    return file.encoding, file.advice


def _in_words(files: Sequence[Undecoded], encoding: str, advice: str) -> str:
    """Return the advice before the names: they may be many."""
    if len(files) == 1:
        file = files[0]
        return f"{file.path}, line {file.line} is not {encoding} (byte {file.byte}): {advice}"
    named = [f"{file.path}, line {file.line} (byte {file.byte})" for file in files[:_MOST_NAMED]]
    more = len(files) - len(named)
    named += [f"and {more:,} more"] if more else []
    return f"{len(files):,} files are not {encoding}: {advice}: {'; '.join(named)}"


class Resolved(NamedTuple):
    """How a file is read, or the kind, a name of REFUSED, of what is not."""

    source: Optional[Source]
    refused: str = ""


def find_source(
    path: str, name: str, config: CorpusConfig, named: bool, by_line: bool = False
) -> Resolved:
    """Tell how an input file is read. One that is not `named`, but found in a folder or by a glob,
    may also lie beside data and be none. With `by_line` the tabs in its lines may be the reader's.

    Raises UserError as `resolve` does, and if a file that is named is of no form that is read.
    """
    beside = None if named else companion(name)
    if beside:
        return Resolved(None, beside)
    found = resolve(path, name, config, by_line)
    if found.source is None and named and found.refused != "empty":
        raise UserError(f"{shown(path)} {REFUSED[found.refused]}")
    return found


@contextmanager
def mistakes_named(source: Source, config: CorpusConfig) -> Iterator[None]:
    """Turn what is wrong in a file that is read in the block into a UserError that names it: bytes
    of another encoding, and what is not of its format, with the format if that was guessed.
    """
    try:
        yield
    except BadBytesError as error:
        place = undecoded(source.path, error.line, error.byte, source.codec)
        raise EncodingError([place]) from error
    except FormatError as error:
        guessed = config.format == formats.AUTO and not FORMATS[source.form].blank_ends
        form = f" (corpus.format=auto took it for {source.form})" if guessed else ""
        raise UserError(f"{shown(source.path)}, {error}{form}") from error


def resolve(path: str, name: str, config: CorpusConfig, by_line: bool = False) -> Resolved:
    """Look at the first bytes of a file. Raises UserError if it cannot be read, or is plainly of
    another encoding than the settings name.
    """
    with open_text(path) as handle, reading(path):
        head = handle.read(HEAD)
    kind = _kind(head, name, path, config, by_line)
    if kind.refused:
        return Resolved(None, kind.refused)
    codec = CODECS[UTF8] if FORMATS[kind.form].magic else _codec(head, path, config)
    return Resolved(Source(path, kind.form, codec, config.field, config.bad_bytes))


def _kind(head: bytes, name: str, path: str, config: CorpusConfig, by_line: bool) -> Kind:
    if config.format == formats.AUTO:
        return detect(head, name, is_packed(path), by_line)
    if not head:
        return Kind(refused="empty")
    if FORMATS[config.format].magic:
        return Kind(config.format, "packed table" if is_packed(path) else "")
    return Kind(config.format, binary_kind(head))


def _codec(head: bytes, path: str, config: CorpusConfig) -> str:
    encoding = config.encoding
    if encoding == AUTO:
        guess = guess_encoding(head)
        encoding = guess.encoding if guess and is_plausible(guess) else UTF8
    elif encoding != UTF8:
        _require_other_than_utf8(head, path, encoding)
    # The bytes of another encoding would be replaced, or its lines skipped, one and all.
    is_lenient = config.bad_bytes != BAD_BYTES[0]
    if encoding == UTF8 and is_lenient and not (decodes(head, UTF8) or is_mostly_utf8(head)):
        raise EncodingError([_first_bad(head, path, encoding)])
    return codec_of(encoding, head)


def _require_other_than_utf8(head: bytes, path: str, encoding: str) -> None:
    is_ascii = encoding == UTF16 and b"\0" not in head and decodes(head, UTF8) is not None
    if is_ascii or looks_like_utf8(head):
        raise UserError(
            f"{shown(path)} is UTF-8, not {_label(encoding)}: set corpus.encoding={AUTO}, which "
            "tells files apart, or give it alone"
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
    return Undecoded(shown(path), line, byte, encoding, _advice(sample, encoding))


def _advice(sample: bytes, encoding: str) -> str:
    if encoding == UTF8 and is_mostly_utf8(sample):
        return _DAMAGED
    guess = guess_encoding(sample)
    if guess and is_plausible(guess) and guess.encoding != encoding:
        return (
            f"this reads as {_label(guess.encoding)}: add --set corpus.encoding={AUTO}, which "
            f"tells files apart, or corpus.encoding={guess.encoding} for all"
        )
    if guess and guess.encoding == encoding:
        return (
            "some of its bytes are damaged: mend them, or set corpus.bad_bytes=replace or skip_line"
        )
    return _UNKNOWN


def _label(encoding: str) -> str:
    return encoding.upper()
