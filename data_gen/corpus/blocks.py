"""Parts of input files, and their grouping into blocks and tasks.

A file is read twice: `scan` finds the documents and cuts the file into *parts* of whole documents
at fixed sizes of text, so the parts are the same for any number of workers, any form and any
encoding; `read_blocks` reads any part alone.
"""

from dataclasses import dataclass
from itertools import count, islice
from typing import Any, Generic, Iterator, List, NamedTuple, Optional, Sequence, Tuple, TypeVar

from data_gen.corpus.forms.form import Place, Source
from data_gen.corpus.forms.formats import FORMATS
from data_gen.storage.reading import is_packed

# Of uncompressed text; part of what decides the shards' bytes: NSP draws strangers from a block,
# and what found no place in an instance is handed on within it.
BLOCK_BYTES = 1 << 20

_TASKS = 256  # of an input, where that makes no task larger than _LARGEST_TASK
_LARGEST_TASK = 16 << 20  # bytes of text; a worker holds the records of one task


class DocumentRange(NamedTuple):
    """Neighbouring documents of one text file, about BLOCK_BYTES of text."""

    source: Source
    name: str  # of the file: relative to the input root, without a compression suffix
    size: int  # bytes of text: the lines in UTF-8, without outer whitespace, with one end each
    first: int  # ordinal of the first document in the file
    start: int  # number of the first line among those of `read_entries`
    lines: int  # number of lines, with the ends of documents
    place: Place  # where reading can start
    passed: int  # lines between there and the first line
    crc: int  # zlib.crc32 of the lines
    dropped: Tuple[int, ...] = ()  # ordinals of the documents that are duplicates

    @property
    def unpacked_from_start(self) -> bool:
        """True if all that lies before it in its file must be unpacked, too."""
        return FORMATS[self.source.form].from_start or is_packed(self.source.path)


class SegmentedRange(NamedTuple):
    """Neighbouring documents of one text file, stored with their words in a block of a segmented
    corpus. The parts of one block share its place.
    """

    path: str  # of the file of the segmented corpus
    name: str  # of the text file, as in `DocumentRange`
    size: int  # bytes of text
    first: int  # ordinal of the first document in the text file
    dropped: Tuple[int, ...]  # ordinals of the documents that are duplicates, and not stored
    documents: int  # that are stored
    block_offset: int  # of the compressed block in its file
    block_bytes: int  # of the compressed block

    @property
    def unpacked_from_start(self) -> bool:
        """False: each block is compressed alone."""
        return False

    def ids(self) -> Iterator[str]:
        """Return the ids of the stored documents."""
        dropped = frozenset(self.dropped)
        kept = (number for number in count(self.first) if number not in dropped)
        return (f"{self.name}:{number}" for number in islice(kept, self.documents))


Part = TypeVar("Part", DocumentRange, SegmentedRange)
# About BLOCK_BYTES of text, of one file or of several small ones; all parts are of one type.
Block = Tuple[Any, ...]


class TextCounts(NamedTuple):
    """Counts of what was done to the text of a file while it was read."""

    replaced_bytes: int = 0
    skipped_lines: int = 0
    joined_lines: int = 0


NO_COUNTS = TextCounts()


@dataclass(frozen=True)
class InputFile(Generic[Part]):
    """One input file and its parts."""

    name: str
    sha256: str  # of its lines in UTF-8, as `read_entries` gives them
    parts: Tuple[Part, ...]
    form: str = ""  # a name in FORMATS
    counts: TextCounts = NO_COUNTS
    width: int = 0  # columns of a full line, if lines seem to be cut at a width

    @property
    def size(self) -> int:
        """The bytes of text, uncompressed."""
        return sum(part.size for part in self.parts)

    @property
    def duplicates(self) -> int:
        """The number of documents that are dropped."""
        return sum(len(part.dropped) for part in self.parts)


TextFile = InputFile[DocumentRange]


def group_into_blocks(files: Sequence[InputFile[Part]]) -> Iterator[Tuple[Part, ...]]:
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
    files: Sequence[InputFile[Part]], task_bytes: Optional[int] = None
) -> Iterator[Tuple[Tuple[Part, ...], ...]]:
    """Group neighbouring blocks into tasks of about `task_bytes` of text, by default a 256th of the
    input. Without `task_bytes` a compressed file is cut as seldom as memory allows, because each
    task unpacks it from its start.
    """
    usual = task_bytes or min(_LARGEST_TASK, sum(file.size for file in files) // _TASKS)
    group: List[Tuple[Part, ...]] = []
    size = 0
    for block in group_into_blocks(files):
        group.append(block)
        size += sum(part.size for part in block)
        from_start = block[-1].unpacked_from_start and not task_bytes
        if size >= (_LARGEST_TASK if from_start else usual):
            yield tuple(group)
            group, size = [], 0
    if group:
        yield tuple(group)
