"""Files -> documents -> sentences.

Plain text: one or more sentences a line, a blank line between documents. A file is cut into
*blocks* of whole documents at fixed sizes, so the same blocks come out whatever reads them.
"""

import bz2
import glob
import gzip
import hashlib
import lzma
import os
import re
from typing import IO, Any, Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple, cast

from data_gen.settings import UserError
from data_gen.types import Document

BLOCK_BYTES = (
    1 << 20
)  # of uncompressed text; part of what decides the shards' bytes: NSP draws strangers from a block

_OPENERS: Dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}

# A sentence ends after its marks and the quotes and brackets that close on it (the author's rule:
# Chinese-BERT-wwm#73).
_SENTENCE = re.compile(r"[^。！？…]*(?:[。！？…]+[”’」』）》】〉)\]\"']*|$)")


class Block(NamedTuple):
    """Neighbouring documents of one file, about BLOCK_BYTES of text."""

    path: str
    name: str  # of the file: relative to the input root, without a compression suffix
    offset: int  # of the first byte, uncompressed
    size: int
    first: int  # ordinal of the first document in the file


class InputFile(NamedTuple):
    """One input file and its blocks."""

    path: str
    name: str
    sha256: str  # of the uncompressed text
    blocks: Tuple[Block, ...]

    @property
    def compressed(self) -> bool:
        """Whether reading from the middle means reading from the start."""
        return os.path.splitext(self.path)[1] in _OPENERS

    @property
    def size(self) -> int:
        """Bytes of text, uncompressed."""
        return sum(block.size for block in self.blocks)


def find_inputs(patterns: Sequence[str]) -> List[Tuple[str, str]]:
    """Expand files, folders and globs to sorted (path, name) pairs; names are relative to the
    files' common folder.

    Raises UserError for a pattern that matches nothing.
    """
    paths = set()
    for pattern in patterns:
        found = [
            p
            for match in sorted(glob.glob(pattern, recursive=True)) or [pattern]
            for p in _files(match)
        ]
        if not found:
            raise UserError(
                f"no input matches {pattern}: give text files, folders of them or globs in quotes"
            )
        paths.update(found)
    root = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths])
    named: Dict[str, str] = {}
    for path in sorted(paths):
        stem, suffix = os.path.splitext(path)
        name = os.path.relpath(os.path.abspath(stem if suffix in _OPENERS else path), root).replace(
            os.sep, "/"
        )
        if name in named:
            raise UserError(
                f"{named[name]} and {path} are the same text twice by their names: give one of them"
            )
        named[name] = path
    return [(path, name) for name, path in sorted(named.items())]


def _files(path: str) -> List[str]:
    if os.path.isdir(path):
        walk = ((folder, name) for folder, _, names in os.walk(path) for name in names)
        return [os.path.join(folder, name) for folder, name in walk if not name.startswith(".")]
    return [path] if os.path.lexists(path) else []


def scan(path: str, name: str) -> InputFile:
    """Read a file once: find its blocks and check that it is text.

    Raises UserError where the file cannot be read or is not UTF-8 (file and line are named).
    """
    digest = hashlib.sha256()
    blocks: List[Block] = []
    start = position = ordinal = first = 0
    inside = False
    with _open(path) as lines:
        for number, line in enumerate(_checked(lines, path), 1):
            digest.update(line)
            if _text(line, path, number):
                ordinal += not inside
                inside = True
            else:
                inside = False
            position += len(line)
            if not inside and position - start >= BLOCK_BYTES and ordinal > first:
                blocks.append(Block(path, name, start, position - start, first))
                start, first = position, ordinal
    if ordinal > first:
        blocks.append(Block(path, name, start, position - start, first))
    return InputFile(path, name, digest.hexdigest(), tuple(blocks))


def read_blocks(blocks: Sequence[Block]) -> Iterator[List[Document]]:
    """The documents of each block; `blocks` are of one file, in its order. Opens the file once."""
    if not blocks:
        return
    with _open(blocks[0].path) as handle:
        for block in blocks:
            handle.seek(block.offset)
            text = handle.read(block.size)
            if len(text) < block.size:
                raise UserError(
                    f"{block.path} became shorter while it was read: run the build again on a "
                    "stable copy"
                )
            yield list(_documents(text.decode("utf-8").split("\n"), block))


def _documents(lines: Sequence[str], block: Block) -> Iterator[Document]:
    ordinal = block.first
    sentences: List[str] = []
    for line in (*lines, ""):
        text = line.lstrip("\ufeff").strip()
        if text:
            sentences += split_sentences(text)
        elif sentences:
            yield Document(f"{block.name}:{ordinal}", tuple(sentences))
            ordinal += 1
            sentences = []


def split_sentences(text: str) -> List[str]:
    """Split after 。！？… and what closes on them.

    >>> split_sentences("“好。”他说。走！！")
    ['“好。”', '他说。', '走！！']
    """
    return [
        sentence for sentence in (match.strip() for match in _SENTENCE.findall(text)) if sentence
    ]


def _open(path: str) -> IO[bytes]:
    opener = _OPENERS.get(os.path.splitext(path)[1], open)
    try:
        return cast(IO[bytes], opener(path, "rb"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error


def _checked(lines: IO[bytes], path: str) -> Iterator[bytes]:
    """The lines; a read error of a damaged or truncated file becomes a sentence."""
    try:
        yield from lines
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def _text(line: bytes, path: str, number: int) -> bool:
    """Whether the line holds text."""
    try:
        return bool(line.decode("utf-8").lstrip("\ufeff").strip())
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}, line {number} is not UTF-8 (byte {error.start + 1}): convert the file, "
            "e.g. with "
            "`iconv -f GB18030 -t UTF-8`"
        ) from error
