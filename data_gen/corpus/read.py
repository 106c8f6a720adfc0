"""Read the documents of blocks: from text files, or with their words from a segmented corpus."""

import zlib
from contextlib import ExitStack
from itertools import groupby
from operator import itemgetter
from typing import IO, Callable, Iterator, List, Sequence, Tuple

from data_gen.core.documents import Document
from data_gen.corpus import segmented_file
from data_gen.corpus.blocks import DocumentRange, SegmentedRange
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.formats import DocumentCursor, format_of
from data_gen.corpus.normalize import normalizer
from data_gen.corpus.scan import PLAIN
from data_gen.corpus.sentences import split_sentences
from data_gen.shared.errors import UserError
from data_gen.storage.errors import reading
from data_gen.storage.reading import open_as_is, open_text


def read_blocks(
    group: Sequence[Tuple[DocumentRange, ...]], config: CorpusConfig = PLAIN
) -> Iterator[List[Document]]:
    """Yield the documents of each block of text files, in order. Each file is opened once.

    Raises UserError where a file cannot be read or changed since it was scanned.
    """
    normalise = normalizer(config.normalize)
    path = None
    with ExitStack() as opened:
        for block in group:
            documents: List[Document] = []
            for part in block:
                if part.path != path:
                    opened.close()
                    path = part.path
                    handle = opened.enter_context(open_text(path))
                cursor = DocumentCursor.within(
                    format_of(config.format, part.name), config.field, part.first
                )
                documents += _documents(cursor, _read(handle, part), part, normalise)
            yield documents


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


def _read(handle: IO[bytes], part: DocumentRange) -> bytes:
    with reading(part.path):
        handle.seek(part.offset)
        text = handle.read(part.size)
    if zlib.crc32(text) != part.crc:
        raise UserError(
            f"{part.path} changed while it was read: give a stable copy and another --output, or "
            "put back what it was"
        )
    return text


def _documents(
    cursor: DocumentCursor, text: bytes, part: DocumentRange, normalise: Callable[[str], str]
) -> Iterator[Document]:
    dropped = frozenset(part.dropped)
    for ordinal, lines in groupby(cursor.read_lines(text.decode("utf-8")), key=itemgetter(1)):
        if ordinal not in dropped:
            sentences = split_sentences("\n".join(text for _, _, text in lines))
            sentences = normalise("\n".join(sentences)).split("\n")
            yield Document(f"{part.name}:{ordinal}", tuple(sentences))
