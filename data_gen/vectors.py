"""Word vectors from files: word2vec's two forms, as the Synonyms toolkit, Tencent AI Lab and
Chinese-Word-Vectors give them, plain or packed.

Text: "W D" in the first line (GloVe's files lack it), then a word and D numbers a line. Binary: the
same first line, then W times a word, a space and D little-endian float32.
"""

import warnings
from collections import Counter
from contextlib import closing
from typing import IO, Dict, Generator, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from data_gen import storage
from data_gen.packages import package_file
from data_gen.settings import UserError
from data_gen.types import Array

# The toolkit that the MacBERT paper used (IV-A): the last release that is MIT and carries vectors.
TOOLKIT = "synonyms==3.10.2"


_READ = 1 << 20  # bytes
_LONGEST_WORD = 10_000  # bytes; more without a space is no word but a file of another form


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
    """The path of the toolkit's vectors. Its import is avoided: it prints, takes seconds and starts
    its own jieba.
    """
    return package_file(TOOLKIT, "data", "words.vector")


def read_vectors(path: str, limit: Optional[int] = None) -> Vectors:
    """Read a file of word vectors, in text or binary form, plain or packed; of long ones
    the first `limit` words.

    A word's second vector and vectors that are zero or not finite are left out and counted. Raises
    UserError where the file is of another form, cut short, or its lines differ in length.
    """
    header = _header(path)
    first: Dict[str, int] = {}
    skipped: Counter[str] = Counter()
    # Rows are added in blocks: a header that promises too much must not take the memory.
    blocks: List[Array] = []
    total = 0
    with closing(_batches(path, header)) as batches:
        for words, matrix in batches:
            if limit:
                words, matrix = words[: limit - total], matrix[: limit - total]
            total += len(words)
            good = _good_rows(words, matrix, first, skipped)
            blocks.append(matrix[good])
            if limit and total >= limit:
                break
    if not limit and header.vectors not in (None, total):
        raise UserError(
            f"{path} says in its first line that it holds {header.vectors:,} vectors, and it holds "
            f"{total:,}: it is cut short or was put together badly; get it again"
        )
    if not first:
        raise UserError(f"{path} holds no usable word vector")
    return Vectors(list(first), _stacked(blocks), dict(skipped))


def _stacked(blocks: List[Array]) -> Array:
    """The blocks as one matrix; each is freed as soon as it is copied."""
    matrix = np.empty((sum(map(len, blocks)), blocks[0].shape[1]), np.float32)
    row = len(matrix)
    while blocks:
        block = blocks.pop()
        row -= len(block)
        matrix[row : row + len(block)] = block
    return matrix


def _good_rows(
    words: List[str], matrix: Array, first: Dict[str, int], skipped: Counter[str]
) -> List[int]:
    """The rows to keep; `first` takes their words."""
    finite = np.isfinite(matrix).all(axis=1)
    zero = ~matrix.any(axis=1)
    good = []
    for row, word in enumerate(words):
        if not finite[row]:
            skipped["not a number"] += 1
        elif zero[row]:
            skipped["zero"] += 1
        elif word in first:
            skipped["duplicate"] += 1
        else:
            first[word] = len(first)
            good.append(row)
    return good


def _header(path: str) -> _Header:
    """What the first two lines tell."""
    with storage.open_text(path) as handle, storage.reading(path):
        top = handle.readline(_READ)
        start = handle.readline(_READ)
    try:
        count, dimensions = map(int, top.split())
    except ValueError:
        numbers = _numbers(top.split(b" ", 1)[-1])
        if numbers is None or len(numbers) < 2:
            raise UserError(
                f"{path} is no file of word vectors: word2vec's begin with a line of two numbers, "
                "how many words and how many dimensions"
            ) from None
        return _Header(None, len(numbers), binary=False)
    if count < 1 or dimensions < 1:
        raise UserError(f"{path} says in its first line that it holds {count} x {dimensions}")
    numbers = _numbers(start.split(b" ", 1)[-1])
    return _Header(count, dimensions, binary=numbers is None)


def _numbers(text: bytes) -> Optional[Array]:
    """The numbers of a line, float32; None where it is something else."""
    with warnings.catch_warnings():
        # numpy's way to say that the text is no list of numbers
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return np.fromstring(text.strip().decode("ascii"), np.float32, sep=" ")
        except (DeprecationWarning, ValueError):
            return None


Batch = Tuple[List[str], Array]


def _batches(path: str, header: _Header) -> "Generator[Batch, None, None]":
    """Words and their vectors, some megabytes at a time."""
    rows = max(1, 4 * _READ // (4 * header.dimensions))
    with storage.open_text(path) as handle, storage.reading(path):
        if header.vectors is not None:
            handle.readline()
        found = (_binary if header.binary else _text)(handle, path, header)
        while True:
            words: List[str] = []
            matrix = np.empty((rows, header.dimensions), np.float32)
            for word, vector in found:
                matrix[len(words)] = vector
                words.append(word)
                if len(words) == rows:
                    break
            if not words:
                return
            yield words, matrix[: len(words)]


def _text(handle: IO[bytes], path: str, header: _Header) -> Iterator[Tuple[str, Array]]:
    for number, line in enumerate(handle, 1 + (header.vectors is not None)):
        if not line.strip():
            continue
        # From the right: a few words of the published files hold spaces.
        word, *values = line.rstrip().rsplit(b" ", header.dimensions)
        vector = _numbers(b" ".join(values))
        if vector is None or len(vector) != header.dimensions:
            raise UserError(
                f"{path}, line {number} is not a word and {header.dimensions} numbers: the file is "
                "damaged, get it again"
            )
        yield word.decode("utf-8", "replace"), vector


def _binary(handle: IO[bytes], path: str, header: _Header) -> Iterator[Tuple[str, Array]]:
    assert header.vectors is not None
    size = 4 * header.dimensions
    data, position = b"", 0
    for _ in range(header.vectors):
        space = data.find(b" ", position)
        while space < 0 or len(data) < space + 1 + size:
            more = handle.read(_READ)
            if not more or (space < 0 and len(data) - position > _LONGEST_WORD):
                raise UserError(
                    f"{path} is not a whole word2vec file in binary form: it is cut short or its "
                    "first line is wrong; get it again"
                )
            data, position = data[position:] + more, 0
            space = data.find(b" ")
        # Some writers end a vector with a line end, some do not.
        word = data[position:space].lstrip(b"\n").decode("utf-8", "replace")
        yield word, np.frombuffer(data, "<f4", header.dimensions, space + 1)
        position = space + 1 + size
    if data[position:].strip() or handle.read(_READ).strip():
        raise UserError(f"{path} holds more vectors than its first line says: get it again")
