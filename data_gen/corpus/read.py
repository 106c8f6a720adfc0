"""Read the documents of blocks: from text files, or with their words from a segmented corpus."""

import zlib
from itertools import groupby
from typing import Iterator, List, Optional, Sequence, Tuple

from data_gen.core.documents import Document
from data_gen.corpus.blocks import DocumentRange, SegmentedRange
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.documents import make_documents, texts_of
from data_gen.corpus.forms.entries import read_entries
from data_gen.corpus.forms.form import BadBytesError, Batch, FormatError
from data_gen.corpus.normalize import normalizer
from data_gen.corpus.scan import PLAIN
from data_gen.corpus.segmented import file as segmented_file
from data_gen.shared.errors import UserError
from data_gen.storage.reading import open_as_is


def read_blocks(
    group: Sequence[Tuple[DocumentRange, ...]], config: CorpusConfig = PLAIN
) -> Iterator[List[Document]]:
    """Yield the documents of each block of text files, in order. Each file is opened once.

    Raises UserError where a file cannot be read or changed since it was scanned.
    """
    normalise = normalizer(config.normalize)
    reader = _Reader(config)
    try:
        for block in group:
            documents: List[Document] = []
            for part in block:
                documents += make_documents(
                    texts_of(reader.lines(part), config),
                    part.name,
                    part.first,
                    normalise,
                    frozenset(part.dropped),
                )
            yield documents
    finally:
        reader.close()


def read_segmented_blocks(
    group: Sequence[Tuple[SegmentedRange, ...]],
) -> Iterator[List[Document]]:
    """Yield the documents of each block of a segmented corpus, in order. They are normalised
    already, and have their words.

    Raises UserError where a file cannot be read or is damaged.
    """
    for path, of_file in groupby(group, key=lambda block: block[0].path):
        with open_as_is(path) as handle:
            for block in of_file:
                ids = [document for part in block for document in part.ids()]
                offset, size = block[0].block_offset, block[0].block_bytes
                yield segmented_file.read(handle, path, offset, size, ids)


class _Reader:
    """The lines of parts. From a part to the one behind it reading goes on."""

    def __init__(self, config: CorpusConfig) -> None:
        self._config = config
        self._last: Optional[DocumentRange] = None
        self._batches: Iterator[Batch] = iter(())
        self._rest: List[str] = []  # read, and of no part so far

    def lines(self, part: DocumentRange) -> List[str]:
        """Return the lines of a part, as `scan` saw them."""
        try:
            if not self._is_next(part):
                self.close()
                self._batches, self._rest = read_entries(part.source, part.place, self._config), []
                self._next_lines(part.passed)
            lines = self._next_lines(part.lines)
        except (BadBytesError, FormatError) as error:
            raise changed(part) from error
        if zlib.crc32(b"\n", zlib.crc32("\n".join(lines).encode())) != part.crc:
            raise changed(part)
        self._last = part
        return lines

    def close(self) -> None:
        """Close the file that is open."""
        close = getattr(self._batches, "close", None)
        if close:
            close()

    def _is_next(self, part: DocumentRange) -> bool:
        last = self._last
        return (
            last is not None
            and last.source == part.source
            and last.name == part.name
            and last.start + last.lines == part.start
        )

    def _next_lines(self, count: int) -> List[str]:
        """Return the next lines; fewer at the end of the file."""
        lines = self._rest
        while len(lines) < count:
            batch = next(self._batches, None)
            if batch is None:
                break
            lines += batch.lines
        self._rest = lines[count:]
        del lines[count:]
        return lines


def changed(part: DocumentRange) -> UserError:
    """Return the error for a file that is not what was scanned."""
    return UserError(
        f"{part.source.path} changed while it was read: give a stable copy and another --output, "
        "or put back what it was"
    )
