"""Word vectors from files: word2vec's two forms, as the Synonyms toolkit, Tencent AI Lab and
Chinese-Word-Vectors give them, plain or packed.

Text: "W D" in the first line (GloVe's files lack it), then a word and D numbers a line. Binary: the
same first line, then W times a word, a space and D little-endian float32.
"""

import warnings
from collections import Counter
from contextlib import closing
from itertools import islice
from math import isfinite
from typing import IO, Dict, Generator, Iterator, List, NamedTuple, Optional, Set, Tuple

import numpy as np

from data_gen.core.columns import Array
from data_gen.shared.errors import UserError
from data_gen.storage.errors import reading
from data_gen.storage.package_files import package_file
from data_gen.storage.reading import open_text

# The toolkit that the MacBERT paper used (IV-A): the last release that is MIT and carries vectors.
TOOLKIT_REQUIREMENT = "synonyms==3.10.2"


READ_BYTES = 1 << 20  # at once
_LONGEST_WORD = 10_000  # bytes; more without a space is no word but a file of another form
_MOST_DIMENSIONS = 10_000
_SMALLEST = 1e-12  # length of a vector; a shorter one has no direction in float32
# Share of the vectors that may be left out for a reason that speaks of a damaged file.
_DAMAGED = 0.1

NOT_UTF8, TOO_LONG = "the word is not UTF-8", "more numbers than dimensions"


class Vectors(NamedTuple):
    """W words and their vectors of D dimensions, in the order of the file."""

    words: List[str]
    matrix: Array  # float32 [W, D]: finite, none all zero
    skipped: Dict[str, int]  # why a vector of the file is not among them -> how many


class _Header(NamedTuple):
    vectors: Optional[int]  # None where the file does not say
    dimensions: int
    binary: bool


def toolkit_vectors() -> str:
    """Find the toolkit's vectors. Its import is avoided: it prints, takes seconds and starts its
    own jieba.
    """
    return package_file(TOOLKIT_REQUIREMENT, "data", "data", "words.vector")


def read_vectors(path: str) -> Vectors:
    """Read a file of word vectors, in text or binary form, plain or packed.

    A word's second vector, vectors that are zero or not finite, and words that are not UTF-8 are
    left out and counted. Raises UserError where the file is of another form, cut short, or its
    lines differ in length.
    """
    header = _header(path)
    known: Set[str] = set()
    words: List[str] = []
    skipped: Counter[str] = Counter()
    # Rows are added in blocks: a header that promises too much must not take the memory.
    blocks: List[Array] = []
    total = 0
    with closing(_batches(path, header, skipped)) as batches:
        for batch, matrix in batches:
            total += len(batch)
            good = _good_rows(batch, matrix, known, skipped)
            words += [batch[row] for row in good]
            blocks.append(matrix[good])
    total += skipped[NOT_UTF8] + skipped[TOO_LONG] + skipped["no word"]
    _require_all(path, header, total)
    if skipped[NOT_UTF8] + skipped[TOO_LONG] > _DAMAGED * total or not words:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in skipped.items())
        raise UserError(
            f"{path} holds hardly a usable vector ({reasons or 'none at all'}): it is damaged or "
            "of another form"
        )
    return Vectors(words, _stacked(blocks), dict(skipped))


def _require_all(path: str, header: _Header, total: int) -> None:
    if header.vectors is not None and total != header.vectors:
        raise UserError(
            f"{path} says in its first line that it holds {header.vectors:,} vectors, and it holds "
            f"{total:,}: it is cut short or was put together badly; get it again"
        )


def _stacked(blocks: List[Array]) -> Array:
    """Stack the blocks to one matrix; each is freed as soon as it is copied."""
    matrix = np.empty((sum(map(len, blocks)), blocks[0].shape[1]), np.float32)
    row = len(matrix)
    while blocks:
        block = blocks.pop()
        row -= len(block)
        matrix[row : row + len(block)] = block
    return matrix


def _good_rows(
    words: List[str], matrix: Array, known: Set[str], skipped: Counter[str]
) -> List[int]:
    """Find the rows to keep; their words become known."""
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.linalg.norm(matrix, axis=1)
    good = []
    for row, (word, norm) in enumerate(zip(words, norms.tolist())):
        if not isfinite(norm):
            skipped["NaN or infinite"] += 1
        elif norm < _SMALLEST:
            skipped["zero"] += 1
        elif word in known:
            skipped["duplicate"] += 1
        else:
            known.add(word)
            good.append(row)
    return good


def _header(path: str) -> _Header:
    """Read the form of a file from its beginning."""
    with open_text(path) as handle, reading(path):
        top = handle.readline(READ_BYTES).removeprefix(b"\xef\xbb\xbf")
        start = handle.read(1 << 16)
    try:
        count, dimensions = map(int, top.split())
    except ValueError:
        numbers = _numbers(top.split()[1:])
        if numbers is None or len(numbers) < 2:
            raise UserError(
                f"{path} is no file of word vectors: word2vec's begin with a line of two numbers, "
                "how many words and how many dimensions; unpack an archive first"
            ) from None
        return _Header(None, len(numbers), binary=False)
    if count < 1 or not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise UserError(f"{path} says in its first line that it holds {count} x {dimensions}")
    return _Header(count, dimensions, binary=not _is_text(start, dimensions))


def _is_text(start: bytes, dimensions: int) -> bool:
    """Tell if the bytes after the first line are text: no control characters, and UTF-8 or a first
    line of numbers. The bytes of float32 numbers are neither.
    """
    if any(byte < 32 and byte not in b"\t\r\n" for byte in start):
        return False
    first = start.split(b"\n", 1)[0].split()
    if len(first) > dimensions and _numbers(first[-dimensions:]) is not None:
        return True
    try:
        start[: start.rfind(b"\n") + 1 or None].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _numbers(fields: List[bytes]) -> Optional[Array]:
    """Read fields as numbers, float32; None where one is something else."""
    with warnings.catch_warnings():
        # numpy's way to say that the text is no list of numbers
        warnings.simplefilter("error", DeprecationWarning)
        try:
            numbers = np.fromstring(b" ".join(fields).decode("ascii"), np.float32, sep=" ")
        except (DeprecationWarning, ValueError):
            return None
    return numbers if len(numbers) == len(fields) else None


Batch = Tuple[List[str], Array]


def _batches(path: str, header: _Header, skipped: Counter[str]) -> Generator[Batch, None, None]:
    """Read words and their vectors, some megabytes at a time."""
    rows = max(1, READ_BYTES // header.dimensions)
    with open_text(path) as handle, reading(path):
        if header.vectors is not None:
            handle.readline()
        found = (_binary if header.binary else _text)(handle, path, header, skipped)
        while True:
            words: List[str] = []
            matrix = np.empty((rows, header.dimensions), np.float32)
            for word, vector in islice(found, rows):
                matrix[len(words)] = vector
                words.append(word)
            if not words:
                return
            yield words, matrix[: len(words)]


def _text(
    handle: IO[bytes], path: str, header: _Header, skipped: Counter[str]
) -> Iterator[Tuple[str, Array]]:
    first = 1 + (header.vectors is not None)
    for number, line in enumerate(handle, first):
        fields = line.removeprefix(b"\xef\xbb\xbf").split()
        if not fields:
            continue
        # A few words of the published files hold spaces, a few are one.
        own, values = fields[: -header.dimensions], fields[-header.dimensions :]
        vector = _numbers(values)
        longer = len(own) > 1 and _numbers(own[-1:]) is not None
        if vector is None or len(fields) < header.dimensions or (longer and number == first):
            raise UserError(
                f"{path}, line {number} is not a word and {header.dimensions} numbers: the file is "
                "damaged or its first line is wrong; get it again"
            )
        if not own or longer:
            skipped[TOO_LONG if longer else "no word"] += 1
            continue
        word = _word(b" ".join(own), skipped)
        if word is not None:
            yield word, vector


def _word(text: bytes, skipped: Counter[str]) -> Optional[str]:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        skipped[NOT_UTF8] += 1
        return None


def _binary(
    handle: IO[bytes], path: str, header: _Header, skipped: Counter[str]
) -> Iterator[Tuple[str, Array]]:
    assert header.vectors is not None
    size = 4 * header.dimensions
    data, position = b"", 0
    for _ in range(header.vectors):
        space = data.find(b" ", position)
        while space < 0 or len(data) < space + 1 + size:
            more = handle.read(READ_BYTES)
            if not more or (space < 0 and len(data) - position > _LONGEST_WORD):
                raise UserError(
                    f"{path} is not a whole word2vec file in binary form: it is cut short or its "
                    "first line is wrong; get it again"
                )
            data, position = data[position:] + more, 0
            space = data.find(b" ")
        # Some writers end a vector with a line end, some do not.
        word = _word(data[position:space].lstrip(b"\r\n"), skipped)
        if word is not None:
            yield word, np.frombuffer(data, "<f4", header.dimensions, space + 1)
        position = space + 1 + size
    if data[position:].strip() or handle.read(READ_BYTES).strip():
        raise UserError(f"{path} holds more vectors than its first line says: get it again")
