"""Files -> documents -> sentences.

A file is read twice: `scan` finds the documents and cuts it into *parts* of whole ones at fixed
sizes, so the same parts come out whatever reads them; `read_blocks` reads any of them alone.
"""

from itertools import count, islice
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.storage.reading import is_packed

# Of uncompressed text; part of what decides the shards' bytes: NSP draws strangers from a block,
# and what found no place in an instance is handed on within it.
BLOCK_BYTES = 1 << 20

_TASKS = 256  # of an input that gives as many of less than _LARGEST_TASK
_LARGEST_TASK = 16 << 20  # bytes of text; a worker holds the records of one task


class DocumentRange(NamedTuple):
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


Block = Tuple[DocumentRange, ...]  # about BLOCK_BYTES of text, of one file or of several small ones


class InputFile(NamedTuple):
    """One input file and its parts."""

    name: str
    sha256: str  # of the uncompressed text
    parts: Tuple[DocumentRange, ...]

    @property
    def size(self) -> int:
        """Bytes of text, uncompressed."""
        return sum(part.size for part in self.parts)

    @property
    def duplicates(self) -> int:
        """How many of its documents are dropped."""
        return sum(len(part.dropped) for part in self.parts)


def group_into_blocks(files: Sequence[InputFile]) -> Iterator[Block]:
    """Group the parts of all files, in order, so that no group is smaller than BLOCK_BYTES."""
    parts = [part for file in files for part in file.parts]
    left = sum(part.size for part in parts)
    group: List[DocumentRange] = []
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
    for block in group_into_blocks(files):
        group.append(block)
        size += sum(part.size for part in block)
        last = block[-1]
        from_its_start = is_packed(last.path) and not last.packed and not task_bytes
        if size >= (_LARGEST_TASK if from_its_start else usual):
            yield tuple(group)
            group, size = [], 0
    if group:
        yield tuple(group)
