"""Scan a file once: find its documents, check its text, cut it into parts."""

import hashlib
import zlib
from bisect import bisect_left
from typing import Iterator, List, NamedTuple, Optional, Sequence, Union

from data_gen.corpus import blocks
from data_gen.corpus.blocks import DocumentRange, TextCounts, TextFile
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.detection.resolve import find_source, mistakes_named
from data_gen.corpus.documents import joined_lines
from data_gen.corpus.duplicates import DuplicateFinder, SeenTexts
from data_gen.corpus.forms.entries import read_entries
from data_gen.corpus.forms.form import END, START, Batch, Source
from data_gen.corpus.line_sizes import WrapDetector
from data_gen.corpus.lines import LINES

PLAIN = CorpusConfig()
_LOOKED_AT = 1000  # lines at the start of a part


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
    source, refused = find_source(path, name, config, named)
    return scan(source, name, config, seen) if source else SkippedFile(name, refused)


def scan(
    source: Source, name: str, config: CorpusConfig = PLAIN, seen: Optional[SeenTexts] = None
) -> TextFile:
    """Read a file once: find its parts and check that it is text of the format.

    A document of more than twice BLOCK_BYTES is cut there between two lines, so that memory does
    not grow with it. With `seen`, documents whose text is in it are marked as dropped, all others
    added to it. Raises UserError if the file cannot be read, is not of its encoding or not of the
    format (file and line are named).
    """
    cutter = _Cutter(source, name, config, None if seen is None else DuplicateFinder(seen))
    replaced = skipped = 0
    with mistakes_named(source, config):
        for batch in read_entries(source, START, config):
            cutter.add(batch)
            replaced += batch.replaced
            skipped += batch.skipped
    return cutter.finish(replaced, skipped)


class _Cutter:
    """The places to cut a file at, and the checksums of its text. The same for every form."""

    def __init__(
        self, source: Source, name: str, config: CorpusConfig, repeats: Optional[DuplicateFinder]
    ) -> None:
        self._source, self._name, self._config = source, name, config
        self._repeats = repeats
        self._rule = LINES[config.lines]
        self._detector = WrapDetector()
        self._joined = 0
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
        self._lines: List[str] = []  # of the part, if lines are joined

    def add(self, batch: Batch) -> None:
        """Take the next lines."""
        at = 0
        lines = batch.lines
        if not self._number:
            self._look(lines, 0)
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
                self._look(lines, at)

    def _look(self, lines: Sequence[str], start: int) -> None:
        """Look for signs of wrapped lines at the start of a part."""
        if self._rule.is_default:
            self._detector.add(lines[start : start + _LOOKED_AT])

    def _room(self, lines: Sequence[str]) -> int:
        """Return the number of lines up to the next cut, if it comes among them."""
        size, opened = self._size, self._open
        begun = self._count > self._first
        for number, line in enumerate(lines, start=1):
            if line:
                size += len(line.encode()) + 1
            if line and not line.isspace():
                opened = begun = True
            elif not line:
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
        if self._rule.joins:
            self._lines += lines
        repeats = self._repeats
        whole, count, opened, fresh = self._whole, self._count, self._open, self._fresh
        for line in lines:
            if not line:
                opened = False
            elif (repeats or fresh or not opened) and not line.isspace():
                count += fresh or not opened
                whole += not opened
                opened, fresh = True, False
                if repeats:
                    repeats.add(whole - 1, count - 1, line.strip())
        self._whole, self._count, self._open, self._fresh = whole, count, opened, fresh

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
        if self._rule.joins:
            self._joined += joined_lines(self._lines, self._config)

    def finish(self, replaced: int, skipped: int) -> TextFile:
        """Return the file."""
        if self._count > self._first:
            self._cut()
        repeated = self._repeats.ordinals() if self._repeats else []
        return TextFile(
            name=self._name,
            sha256=self._digest.hexdigest(),
            parts=tuple(_without(self._parts, repeated)),
            form=self._source.form,
            counts=TextCounts(replaced, skipped, self._joined),
            width=self._detector.width(),
        )


def _without(parts: Sequence[DocumentRange], ordinals: Sequence[int]) -> Iterator[DocumentRange]:
    """Yield the parts, each with its own of the ordinals to drop."""
    starts = [bisect_left(ordinals, part.first) for part in parts] + [len(ordinals)]
    for part, start, stop in zip(parts, starts, starts[1:]):
        yield part._replace(dropped=tuple(ordinals[start:stop]))
