"""Scan a file once: find its documents, check its text, cut it into parts."""

import hashlib
import zlib
from bisect import bisect_left
from typing import Iterator, List, NamedTuple, Optional, Sequence, Union

from data_gen.corpus import blocks
from data_gen.corpus.blocks import DocumentRange, TextCounts, TextFile
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.detection.detect import companion
from data_gen.corpus.detection.refused import REFUSED
from data_gen.corpus.detection.resolve import EncodingError, resolve, undecoded
from data_gen.corpus.duplicates import DuplicateFinder, SeenTexts
from data_gen.corpus.forms.entries import read_entries
from data_gen.corpus.forms.form import END, START, BadBytesError, Batch, FormatError, Source
from data_gen.shared.errors import UserError

PLAIN = CorpusConfig()


class SkippedFile(NamedTuple):
    """A file of a folder that is not read."""

    name: str
    kind: str  # a name in REFUSED


def scan_if_text(
    path: str, name: str, config: CorpusConfig, named: bool, seen: Optional[SeenTexts] = None
) -> Union[TextFile, SkippedFile]:
    """Scan a file as `scan` does. One that is not `named`, but found in a folder or by a glob, is
    skipped if it is of no form that is read.

    Raises UserError as `scan` does, and if a file that is named is of no such form.
    """
    beside = None if named else companion(name)
    if beside:
        return SkippedFile(name, beside)
    source, refused = resolve(path, name, config)
    if source is None:
        if named and refused != "empty":
            raise UserError(f"{path} {REFUSED[refused]}")
        return SkippedFile(name, refused)
    return scan(source, name, config, seen)


def scan(
    source: Source, name: str, config: CorpusConfig = PLAIN, seen: Optional[SeenTexts] = None
) -> TextFile:
    """Read a file once: find its parts and check that it is text of the format.

    A document of more than twice BLOCK_BYTES is cut there between two lines, so that memory does
    not grow with it. With `seen`, documents whose text is in it are marked as dropped, all others
    added to it. Raises UserError if the file cannot be read, is not of its encoding or not of the
    format (file and line are named).
    """
    cutter = _Cutter(source, name, None if seen is None else DuplicateFinder(seen))
    counts = [0, 0, 0]
    try:
        for batch in read_entries(source, START, config):
            cutter.add(batch)
            numbers = (batch.replaced, batch.skipped, batch.joined)
            counts = [count + number for count, number in zip(counts, numbers)]
    except BadBytesError as error:
        raise EncodingError(
            [undecoded(source.path, error.line, error.byte, source.codec)]
        ) from error
    except FormatError as error:
        raise UserError(f"{source.path}, {error}") from error
    return cutter.finish(TextCounts(*counts))


class _Cutter:
    """The places to cut a file at, and the checksums of its text. The same for every form."""

    def __init__(self, source: Source, name: str, repeats: Optional[DuplicateFinder]) -> None:
        self._source, self._name = source, name
        self._repeats = repeats
        self._digest = hashlib.sha256()
        self._parts: List[DocumentRange] = []
        self._whole = 0  # documents that have begun
        self._count = 0  # the same, where the rest of one that was cut counts, too
        self._open = False  # within a document
        self._fresh = True  # the next text gets an ordinal of its own
        self._number = 0  # lines so far
        self._begin(START, 0)

    def _begin(self, place: Sequence[int], passed: int) -> None:
        """Let a part begin here."""
        self._place, self._passed = tuple(place), passed
        self._start, self._first = self._number, self._count
        self._size = self._crc = 0

    def add(self, batch: Batch) -> None:
        """Take the next lines."""
        at = 0
        lines = batch.lines
        while at < len(lines):
            some = lines[at:] if at else lines
            data = ("\n".join(some) + "\n").encode()
            size = len(data) - some.count(END)
            if self._size + size >= blocks.BLOCK_BYTES:
                stop = self._room(some)
                if stop < len(some):
                    some = some[:stop]
                    data = ("\n".join(some) + "\n").encode()
                size = len(data) - some.count(END)
            at += len(some)
            self._take(some, data, size)
            if self._is_full():
                self._cut()
                self._begin(batch.place, at)

    def _room(self, lines: Sequence[str]) -> int:
        """Return the number of lines up to the next cut, if it comes among them."""
        size, opened = self._size, self._open
        begun = self._count > self._first
        for number, line in enumerate(lines, start=1):
            if line:
                size += len(line.encode()) + 1
                opened = begun = True
            else:
                opened = False
            if begun and size >= (2 if opened else 1) * blocks.BLOCK_BYTES:
                return number
        return len(lines)

    def _is_full(self) -> bool:
        most = (2 if self._open else 1) * blocks.BLOCK_BYTES
        return self._size >= most and self._count > self._first

    def _take(self, lines: Sequence[str], data: bytes, size: int) -> None:
        self._digest.update(data)
        self._crc = zlib.crc32(data, self._crc)
        self._size += size
        self._number += len(lines)
        if self._repeats is not None:
            self._find_repeats(lines)
        opened, fresh, begun = self._open, self._fresh, 0
        for line in lines:
            if not line:
                opened = False
            elif not opened:
                opened = True
                begun += 1
        first_continues = self._open and lines[0] != END
        self._whole += begun
        self._count += begun + (fresh and first_continues)
        self._fresh = fresh and not (begun or first_continues)
        self._open = opened

    def _find_repeats(self, lines: Sequence[str]) -> None:
        assert self._repeats is not None
        whole, count, opened, fresh = self._whole, self._count, self._open, self._fresh
        for line in lines:
            if not line:
                opened = False
                continue
            if not opened:
                opened = fresh = True
                whole += 1
            count += fresh
            fresh = False
            self._repeats.add(whole - 1, count - 1, line)

    def _cut(self) -> None:
        """End a part here; text that follows gets another ordinal, even in the same document."""
        self._parts.append(
            DocumentRange(
                source=self._source,
                name=self._name,
                size=self._size,
                first=self._first,
                start=self._start,
                lines=self._number - self._start,
                place=self._place,
                passed=self._passed,
                crc=self._crc,
            )
        )
        self._fresh = True

    def finish(self, counts: TextCounts) -> TextFile:
        """Return the file."""
        if self._count > self._first:
            self._cut()
        repeated = self._repeats.ordinals() if self._repeats else []
        return TextFile(
            name=self._name,
            sha256=self._digest.hexdigest(),
            parts=tuple(_without(self._parts, repeated)),
            form=self._source.form,
            counts=counts,
        )


def _without(parts: Sequence[DocumentRange], ordinals: Sequence[int]) -> Iterator[DocumentRange]:
    """Yield the parts, each with its own of the ordinals to drop."""
    starts = [bisect_left(ordinals, part.first) for part in parts] + [len(ordinals)]
    for part, start, stop in zip(parts, starts, starts[1:]):
        yield part._replace(dropped=tuple(ordinals[start:stop]))
