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
from typing import (
    IO,
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    cast,
)

from data_gen.settings import UserError
from data_gen.types import Document

# Of uncompressed text; part of what decides the shards' bytes: NSP draws strangers from a block.
BLOCK_BYTES = 1 << 20

_OPENERS: Dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}

# A sentence ends after 。！？ (the author's rule, Chinese-BERT-wwm#73) or … (our choice), and the
# quotes and brackets that close on it.
_SENTENCE = re.compile(r"[^。！？…]*(?:[。！？…]+[”’」』）》】〉)\]\"']*|$)")


class Part(NamedTuple):
    """Neighbouring documents of one file, about BLOCK_BYTES of text."""

    path: str
    name: str  # of the file: relative to the input root, without a compression suffix
    offset: int  # of the first byte, uncompressed
    size: int
    first: int  # ordinal of the first document in the file

    @property
    def compressed(self) -> bool:
        """Whether reading from the middle means unpacking from the start."""
        return os.path.splitext(self.path)[1] in _OPENERS


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


def find_inputs(patterns: Sequence[str], exclude: Optional[str] = None) -> List[Tuple[str, str]]:
    """Expand files, folders and globs to sorted (path, name) pairs.

    Names are relative to the files' common folder. Hidden files and what lies in the folder
    `exclude` (the output) are passed over. Raises UserError for a pattern that matches nothing and
    for what is no file.
    """
    paths = set()
    for pattern in patterns:
        matches = sorted(glob.glob(pattern, recursive=True)) or [pattern]
        found = {path for match in matches for path in _files(match) if not _within(path, exclude)}
        if not found:
            raise UserError(
                f"no input matches {pattern}: give text files, folders of them or globs in quotes"
            )
        paths |= found
    root = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths])
    named: Dict[str, str] = {}
    for path in sorted(paths):
        stem, suffix = os.path.splitext(path)
        relative = os.path.relpath(os.path.abspath(stem if suffix in _OPENERS else path), root)
        # A name in another encoding (GBK, in archives) stays one name.
        name = os.fsencode(relative.replace(os.sep, "/")).decode("utf-8", "backslashreplace")
        if name in named:
            raise UserError(
                f"{named[name]} and {path} are the same text twice by their names: give one of them"
            )
        named[name] = path
    return [(path, name) for name, path in sorted(named.items())]


def _files(path: str) -> Iterator[str]:
    if os.path.isdir(path):
        for folder, folders, names in os.walk(path):
            folders[:] = [name for name in folders if not name.startswith(".")]
            yield from (os.path.join(folder, name) for name in names if not name.startswith("."))
    elif os.path.exists(path) and not os.path.isfile(path):
        raise UserError(f"{path} is no regular file: write the text to a file first")
    elif os.path.lexists(path):
        yield path


def _within(path: str, folder: Optional[str]) -> bool:
    return folder is not None and os.path.abspath(path).startswith(os.path.abspath(folder) + os.sep)


def scan(path: str, name: str) -> InputFile:
    """Read a file once: find its parts and check that it is text.

    A document of more than twice BLOCK_BYTES is cut there between two lines, so that memory does
    not grow with it. Raises UserError where the file cannot be read or is not UTF-8 (file and line
    are named).
    """
    digest = hashlib.sha256()
    parts: List[Part] = []
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
            if position - start >= (2 * BLOCK_BYTES if inside else BLOCK_BYTES) and ordinal > first:
                parts.append(Part(path, name, start, position - start, first))
                start, first, inside = position, ordinal, False
    if ordinal > first:
        parts.append(Part(path, name, start, position - start, first))
    return InputFile(name, digest.hexdigest(), tuple(parts))


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


def read_blocks(group: Sequence[Block]) -> Iterator[List[Document]]:
    """The documents of each block, in order. Each file is opened once."""
    path, handle = None, None
    try:
        for block in group:
            documents: List[Document] = []
            for part in block:
                if part.path != path or handle is None:
                    if handle is not None:
                        handle.close()
                    path, handle = part.path, _open(part.path)
                documents += _documents(_read(handle, part), part)
            yield documents
    finally:
        if handle is not None:
            handle.close()


def _read(handle: IO[bytes], part: Part) -> List[str]:
    try:
        handle.seek(part.offset)
        text = handle.read(part.size)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise UserError(f"cannot read {part.path}: {error}") from error
    if len(text) < part.size:
        raise UserError(
            f"{part.path} became shorter while it was read: run the build again on a stable copy"
        )
    return text.decode("utf-8").split("\n")


def _documents(lines: Sequence[str], part: Part) -> Iterator[Document]:
    ordinal = part.first
    sentences: List[str] = []
    for line in (*lines, ""):
        text = line.lstrip("\ufeff").strip()
        if text:
            sentences += split_sentences(text)
        elif sentences:
            yield Document(f"{part.name}:{ordinal}", tuple(sentences))
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
            "e.g. with `iconv -f GB18030 -t UTF-8`"
        ) from error
