"""Files -> documents -> sentences.

A file is read twice: `scan` finds the documents and cuts it into *parts* of whole ones at fixed
sizes, so the same parts come out whatever reads them; `read_blocks` reads any of them alone.
"""

import hashlib
import zlib
from bisect import bisect_left
from contextlib import ExitStack
from itertools import count, groupby, islice
from operator import itemgetter
from typing import IO, Callable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from data_gen import storage, word_file
from data_gen.config import CorpusConfig
from data_gen.formats import Cursor, FormatError, Taken, format_of
from data_gen.normalise import normaliser
from data_gen.repeats import Repeats
from data_gen.settings import UserError
from data_gen.splitting import split_sentences
from data_gen.types import Document

# Of uncompressed text; part of what decides the shards' bytes: NSP draws strangers from a block,
# and what found no place in an instance is handed on within it.
BLOCK_BYTES = 1 << 20

_TASKS = 256  # of an input that gives as many of less than _LARGEST_TASK
_LARGEST_TASK = 16 << 20  # bytes of text; a worker holds the records of one task

PLAIN = CorpusConfig()


class Part(NamedTuple):
    """Neighbouring documents of one file, about BLOCK_BYTES of text."""

    path: str
    name: str  # of the file: relative to the input root, without a compression suffix
    offset: int  # of the first byte, uncompressed
    size: int
    first: int  # ordinal of the first document in the file
    dropped: Tuple[int, ...] = ()  # ordinals of its documents that are duplicates
    # Of a file of words: the bytes of the whole block, which starts at `offset`, and the part's
    # documents. `size` is the text's.
    packed: int = 0
    documents: int = 0
    crc: int = 0  # zlib.crc32 of the text; a file of words has its own

    def ids(self) -> Iterator[str]:
        """The names of those documents."""
        dropped = frozenset(self.dropped)
        kept = (number for number in count(self.first) if number not in dropped)
        return (f"{self.name}:{number}" for number in islice(kept, self.documents))


Block = Tuple[Part, ...]  # about BLOCK_BYTES of text, of one file or of several small ones


class InputFile(NamedTuple):
    """One input file and its parts."""

    name: str
    sha256: str  # of the uncompressed text
    parts: Tuple[Part, ...]

    @property
    def size(self) -> int:
        """Bytes of text, uncompressed."""
        return sum(part.size for part in self.parts)

    @property
    def duplicates(self) -> int:
        """How many of its documents are dropped."""
        return sum(len(part.dropped) for part in self.parts)


def scan(
    path: str, name: str, config: CorpusConfig = PLAIN, seen: Optional[Set[int]] = None
) -> InputFile:
    """Read a file once: find its parts and check that it is text of the format.

    A document of more than twice BLOCK_BYTES is cut there between two lines, so that memory does
    not grow with it. With `seen`, documents whose text is in it are marked as dropped, all others
    added to it. Raises UserError where the file cannot be read, is not UTF-8 or not of the format
    (file and line are named).
    """
    digest = hashlib.sha256()
    cursor = Cursor(format_of(config.format, name), config.field)
    repeats = Repeats(set() if seen is None else seen)
    parts: List[Part] = []
    start = position = first = number = crc = 0
    with storage.open_text(path) as handle:
        while lines := _read_lines(handle, path, start + BLOCK_BYTES - position):
            text = b"".join(lines)
            digest.update(text)
            crc = zlib.crc32(text, crc)
            taken = _taken(cursor, text, path, number)
            if seen is not None:
                for one in taken:
                    repeats.add(*one)
            position += len(text)
            number += len(lines)
            limit = 2 * BLOCK_BYTES if cursor.open else BLOCK_BYTES
            if position - start >= limit and cursor.count > first:
                parts.append(Part(path, name, start, position - start, first, crc=crc))
                start, first, crc = position, cursor.count, 0
                cursor.cut()
    if cursor.count > first:
        parts.append(Part(path, name, start, position - start, first, crc=crc))
    return InputFile(name, digest.hexdigest(), tuple(_without(parts, repeats.ordinals())))


def _without(parts: Sequence[Part], ordinals: Sequence[int]) -> Iterator[Part]:
    """The parts, each with those of the ordinals that lie in it."""
    starts = [bisect_left(ordinals, part.first) for part in parts] + [len(ordinals)]
    for part, start, stop in zip(parts, starts, starts[1:]):
        yield part._replace(dropped=tuple(ordinals[start:stop]))


def blocks(files: Sequence[InputFile]) -> Iterator[Block]:
    """Group the parts of all files, in order, so that no group is smaller than BLOCK_BYTES."""
    parts = [part for file in files for part in file.parts]
    left = sum(part.size for part in parts)
    group: List[Part] = []
    size = 0
    for part in parts:
        group.append(part)
        size += part.size
        left -= part.size
        if size >= BLOCK_BYTES and (left >= BLOCK_BYTES or not left):
            yield tuple(group)
            group, size = [], 0
    if group:
        yield tuple(group)


def task_blocks(
    files: Sequence[InputFile], task_bytes: Optional[int] = None
) -> Iterator[Tuple[Block, ...]]:
    """Group neighbouring blocks into tasks of about `task_bytes` of text; without it of a 256th of
    the input, and a compressed file is cut as seldom as memory allows, because each task unpacks it
    from its start.
    """
    usual = task_bytes or min(_LARGEST_TASK, sum(file.size for file in files) // _TASKS)
    group: List[Block] = []
    size = 0
    for block in blocks(files):
        group.append(block)
        size += sum(part.size for part in block)
        last = block[-1]
        from_its_start = storage.is_packed(last.path) and not last.packed and not task_bytes
        if size >= (_LARGEST_TASK if from_its_start else usual):
            yield tuple(group)
            group, size = [], 0
    if group:
        yield tuple(group)


def read_blocks(group: Sequence[Block], config: CorpusConfig = PLAIN) -> Iterator[List[Document]]:
    """The documents of each block, in order. Each file is opened once. Those of a file of words are
    normalised already, and have their marks.
    """
    if any(part.packed for block in group for part in block):
        yield from _read_words(group)
        return
    normalise = normaliser(config.width, config.quotes, config.opencc)
    path = None
    with ExitStack() as opened:
        for block in group:
            documents: List[Document] = []
            for part in block:
                if part.path != path:
                    opened.close()
                    path = part.path
                    handle = opened.enter_context(storage.open_text(path))
                cursor = Cursor.within(
                    format_of(config.format, part.name), config.field, part.first
                )
                documents += _documents(cursor, _read(handle, part), part, normalise)
            yield documents


def _read_words(group: Sequence[Block]) -> Iterator[List[Document]]:
    for path, of_file in groupby(group, key=lambda block: block[0].path):
        with storage.open_as_is(path) as handle:
            for block in of_file:
                ids = [document for part in block for document in part.ids()]
                yield word_file.read(handle, path, block[0].offset, block[0].packed, ids)


def _read(handle: IO[bytes], part: Part) -> bytes:
    with storage.reading(part.path):
        handle.seek(part.offset)
        text = handle.read(part.size)
    if zlib.crc32(text) != part.crc:
        raise UserError(
            f"{part.path} changed while it was read: give a stable copy and another --output, or "
            "put back what it was"
        )
    return text


def _documents(
    cursor: Cursor, text: bytes, part: Part, normalise: Callable[[str], str]
) -> Iterator[Document]:
    dropped = frozenset(part.dropped)
    for ordinal, lines in groupby(cursor.take(text.decode("utf-8")), key=itemgetter(1)):
        if ordinal not in dropped:
            sentences = split_sentences("\n".join(text for _, _, text in lines))
            sentences = normalise("\n".join(sentences)).split("\n")
            yield Document(f"{part.name}:{ordinal}", tuple(sentences))


def _read_lines(handle: IO[bytes], path: str, size: int) -> List[bytes]:
    """The next lines, at least so many bytes of them and at least one; none at the end.

    A read error of a damaged or truncated file becomes a sentence.
    """
    with storage.reading(path):
        # `readlines` goes on until it has more than its hint.
        return handle.readlines(size - 1) if size > 1 else [*filter(None, [handle.readline()])]


def _taken(cursor: Cursor, text: bytes, path: str, before: int) -> List[Taken]:
    """What lines hold that follow so many others."""

    def place(byte: int) -> Tuple[int, int]:
        return before + text.count(b"\n", 0, byte) + 1, byte - text.rfind(b"\n", 0, byte)

    if b"\0" in text:
        raise UserError(
            f"{path}, line {place(text.index(0))[0]} holds a NUL byte, as archives and UTF-16 do: "
            "unpack or convert the file"
        )
    try:
        return cursor.take(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        line, byte = place(error.start)
        raise UserError(
            f"{path}, line {line} is not UTF-8 (byte {byte}): convert the file, "
            "e.g. with `iconv -f GB18030 -t UTF-8`"
        ) from error
    except FormatError as error:
        raise UserError(f"{path}, line {before + error.line + 1} {error}") from error
