"""Scan a file once: find its documents, check its text, cut it into parts."""

import hashlib
import zlib
from bisect import bisect_left
from typing import IO, Iterator, List, Optional, Sequence, Tuple

from data_gen.corpus import blocks
from data_gen.corpus.blocks import DocumentRange, TextFile
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.duplicates import DuplicateFinder, SeenTexts
from data_gen.corpus.formats import DocumentCursor, DocumentLine, FormatError, format_of
from data_gen.shared.errors import UserError
from data_gen.storage.errors import reading
from data_gen.storage.reading import open_text

PLAIN = CorpusConfig()


def scan(
    path: str, name: str, config: CorpusConfig = PLAIN, seen: Optional[SeenTexts] = None
) -> TextFile:
    """Read a file once: find its parts and check that it is text of the format.

    A document of more than twice BLOCK_BYTES is cut there between two lines, so that memory does
    not grow with it. With `seen`, documents whose text is in it are marked as dropped, all others
    added to it. Raises UserError if the file cannot be read, is not UTF-8 or not of the format
    (file and line are named).
    """
    digest = hashlib.sha256()
    cursor = DocumentCursor(format_of(config.format, name), config.field)
    repeats = DuplicateFinder(set() if seen is None else seen)
    parts: List[DocumentRange] = []
    start = position = first = number = crc = 0
    with open_text(path) as handle:
        while lines := _read_lines(handle, path, start + blocks.BLOCK_BYTES - position):
            text = b"".join(lines)
            digest.update(text)
            crc = zlib.crc32(text, crc)
            taken = _taken(cursor, text, path, number)
            if seen is not None:
                for one in taken:
                    repeats.add(*one)
            position += len(text)
            number += len(lines)
            limit = 2 * blocks.BLOCK_BYTES if cursor.open else blocks.BLOCK_BYTES
            if position - start >= limit and cursor.count > first:
                parts.append(DocumentRange(path, name, start, position - start, first, crc=crc))
                start, first, crc = position, cursor.count, 0
                cursor.cut()
    if cursor.count > first:
        parts.append(DocumentRange(path, name, start, position - start, first, crc=crc))
    return TextFile(name, digest.hexdigest(), tuple(_without(parts, repeats.ordinals())))


def _without(parts: Sequence[DocumentRange], ordinals: Sequence[int]) -> Iterator[DocumentRange]:
    """Yield the parts, each with its own of the ordinals to drop."""
    starts = [bisect_left(ordinals, part.first) for part in parts] + [len(ordinals)]
    for part, start, stop in zip(parts, starts, starts[1:]):
        yield part._replace(dropped=tuple(ordinals[start:stop]))


def _read_lines(handle: IO[bytes], path: str, size: int) -> List[bytes]:
    """Read lines of at least `size` bytes, and at least one line; none at the end.

    Raises UserError if the file is damaged or truncated.
    """
    with reading(path):
        # `readlines` goes on until it has more than its hint.
        return handle.readlines(size - 1) if size > 1 else [*filter(None, [handle.readline()])]


def _taken(cursor: DocumentCursor, text: bytes, path: str, before: int) -> List[DocumentLine]:
    """Read lines that follow `before` others. Raises UserError that names file and line."""

    def place(byte: int) -> Tuple[int, int]:
        return before + text.count(b"\n", 0, byte) + 1, byte - text.rfind(b"\n", 0, byte)

    if b"\0" in text:
        raise UserError(
            f"{path}, line {place(text.index(0))[0]} holds a NUL byte, as archives and UTF-16 do: "
            "unpack or convert the file"
        )
    try:
        return cursor.read_lines(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        line, byte = place(error.start)
        raise UserError(
            f"{path}, line {line} is not UTF-8 (byte {byte}): convert the file, "
            "e.g. with `iconv -f GB18030 -t UTF-8`"
        ) from error
    except FormatError as error:
        raise UserError(f"{path}, line {before + error.line + 1} {error}") from error
