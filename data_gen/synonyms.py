"""Word -> similar words of the same number of pieces, computed once per (vectors, vocabulary) and
kept as arrays.

The vectors are those of the Synonyms toolkit that the paper used (IV-A): release 3.10.2 is the last
that is MIT and carries them. They give the paper's own example: 语言 -> 语法, 模型 -> 建模, 预测 ->
预见, 概率 -> 几率 (Table II). No nearest-neighbour search happens while masking.

W words, D dimensions, K candidates asked for.
"""

import os
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple
from zipfile import BadZipFile, ZipFile

import numpy as np

from data_gen.corruption import Candidates, Pieces
from data_gen.features import file_sha256
from data_gen.packages import package_file
from data_gen.pieces import Tokenizer
from data_gen.records import atomic_file
from data_gen.settings import UserError

FORMAT = 2
TOOLKIT = "synonyms==3.10.2"

Array = Any  # numpy's own annotations differ between the versions supported
Progress = Callable[[Iterable[int]], Iterable[int]]


class Vectors(NamedTuple):
    """Word vectors: `matrix` is float32 [W, D], one row a word."""

    words: List[str]
    matrix: Array


class Table(NamedTuple):
    """Similar words as arrays. Word i is `pieces[starts[i]:starts[i + 1]]`; its candidates are
    words.
    """

    pieces: Array  # int32
    starts: Array  # int64 [W + 1]
    candidates: Array  # int32: word numbers, the most similar first, of any number of pieces
    similarities: Array  # float32: cosines
    candidate_starts: Array  # int64 [W + 1]
    vocab_sha256: str
    vectors_sha256: str

    def save(self, path: str) -> None:
        """Write the table whole or not at all."""
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with atomic_file(path) as handle:
            np.savez(handle, format=FORMAT, **self._asdict())


def require_new_table(path: str) -> None:
    """Raise UserError where `path` is a file but no table, which would be lost."""
    if os.path.exists(path):
        try:
            with ZipFile(path) as archive:
                names = archive.namelist()
        except (OSError, BadZipFile):
            names = []
        if not {"format.npy", "candidates.npy", "candidate_starts.npy"} <= set(names):
            raise UserError(f"{path} is another file: choose another --output")


def load_table(path: str, vocab_sha256: str) -> Table:
    """Read a table. Raises UserError where it is none, or was made for another vocabulary."""
    try:
        with open(path, "rb") as handle, np.load(handle, allow_pickle=False) as data:
            if int(data["format"]) != FORMAT:
                raise UserError(
                    f"{path} is of table format {int(data['format'])}, not {FORMAT}: build it again"
                )
            values = {name: data[name] for name in Table._fields}
    except FileNotFoundError as error:
        raise UserError(
            f"there is no table {path}: make it with `python -m data_gen synonyms build`"
        ) from error
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        BadZipFile,
    ) as error:
        raise UserError(f"{path} is no table of `python -m data_gen synonyms build`") from error
    for name in ("vocab_sha256", "vectors_sha256"):
        values[name] = str(values[name])
    if values["vocab_sha256"] != vocab_sha256:
        raise UserError(
            f"{path} was made for another vocabulary: build it again with the vocab_file of "
            "this build"
        )
    return Table(**values)


class SimilarWords:
    """The lookup that corruption uses: pieces of a word -> its candidates."""

    def __init__(
        self, table: Table, other_lengths: str = "skip", min_similarity: float = 0.0
    ) -> None:
        """Candidates are the neighbours of the same number of pieces whose cosine is at least
        `min_similarity`; with `other_lengths` "strict" a word has none where its nearest neighbour
        is of another number.
        """
        self._table = table
        self._strict = other_lengths == "strict"
        self._min_similarity = min_similarity
        starts, pieces = table.starts.tolist(), table.pieces.tolist()
        self.words = [tuple(pieces[start:stop]) for start, stop in zip(starts, starts[1:])]
        self._number = {word: i for i, word in enumerate(self.words)}
        self._known: Dict[Pieces, Candidates] = {}

    def __call__(self, word: Pieces) -> Candidates:
        """The similar words of `word` with their similarities, the most similar first; empty where
        there is none.
        """
        known = self._known.get(word)
        if known is None:
            known = self._known[word] = self._look_up(word)
        return known

    def missing(self, word: Pieces) -> str:
        """Why a word has no similar word."""
        if word not in self._number:
            return "not in the table"
        neighbours = self._neighbours(word)
        if not neighbours:
            return "no neighbour of known pieces"
        near = [other for other, similarity in neighbours if similarity >= self._min_similarity]
        return "other number of pieces" if near else "not similar enough"

    def _neighbours(self, word: Pieces) -> Candidates:
        """All neighbours of a word in the table, of any number of pieces."""
        number = self._number[word]
        start, stop = self._table.candidate_starts[number : number + 2]
        candidates = self._table.candidates[start:stop].tolist()
        similarities = self._table.similarities[start:stop].tolist()
        return [(self.words[i], similarity) for i, similarity in zip(candidates, similarities)]

    def _look_up(self, word: Pieces) -> Candidates:
        if word not in self._number:
            return ()
        near = [pair for pair in self._neighbours(word) if pair[1] >= self._min_similarity]
        if self._strict and near and len(near[0][0]) != len(word):
            return ()
        return [pair for pair in near if len(pair[0]) == len(word)]


class NoSimilarWords:
    """The lookup of builds that replace nothing by similar words."""

    def __call__(self, word: Pieces) -> Candidates:
        """No word has a similar one."""
        return ()

    def missing(self, word: Pieces) -> str:
        """Why a word has no similar word."""
        return "no table"


def toolkit_vectors() -> str:
    """The path of the toolkit's vectors. Its import is avoided: it prints, takes seconds and starts
    its own jieba.
    """
    return package_file(TOOLKIT, "data", "words.vector")


def read_word2vec(path: str) -> Vectors:
    """Read a binary word2vec file: a header "W D", then W times a word, a space and D float32.

    Raises UserError where the file is not of that form or is cut short.
    """
    try:
        with open(path, "rb") as handle:
            data = handle.read()
        position = data.index(b"\n") + 1
        count, dimensions = map(int, data[:position].split())
        if count < 2 or dimensions < 1 or 4 * count * dimensions > len(data):
            raise ValueError("a header that does not fit the file")
        matrix = np.empty((count, dimensions), np.float32)
        words = []
        for i in range(count):
            space = data.index(b" ", position)
            words.append(data[position:space].lstrip(b"\n").decode("utf-8"))
            matrix[i] = np.frombuffer(data, np.float32, dimensions, space + 1)
            position = space + 1 + 4 * dimensions
    except OSError as error:
        raise UserError(f"cannot read the vectors {path}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path} is not a whole word2vec file in binary form") from error
    if not np.isfinite(matrix).all():
        raise UserError(f"{path} holds vectors that are not numbers (NaN or infinite)")
    return Vectors(words, matrix)


def nearest(
    matrix: Array, k: int, of: Optional[Array] = None, progress: Progress = iter
) -> Tuple[Array, Array]:
    """The k nearest rows by Euclidean distance, ranked by cosine: the toolkit's `nearby`.

    matrix:  float32 [W, D]
    of:      the rows to look up, int [Q]; all of them where it is None
    Returns  int32 [Q, k] row numbers and float32 [Q, k] cosines, without the row itself. Exact.
    """
    block = 64
    k = min(k, len(matrix) - 1)
    of = np.arange(len(matrix)) if of is None else np.asarray(of)
    norms = np.linalg.norm(matrix, axis=1)
    # |q - v|^2 orders as |v|^2 / 2 - q.v: a product with one more dimension.
    targets = np.concatenate([matrix, -(norms[:, None] ** 2) / 2], axis=1)
    targets = _padded(targets.T, _GROUP).astype(np.float32)
    queries = np.concatenate([matrix, np.ones((len(matrix), 1), np.float32)], axis=1)
    unit = matrix / np.maximum(norms, 1e-12)[:, None]
    rows = np.empty((len(of), k), np.int32)
    cosines = np.empty((len(of), k), np.float32)
    for start in progress(range(0, len(of), block)):
        own = of[start : start + block]
        scores = queries[own] @ targets
        scores[:, len(matrix) :] = -np.inf
        scores[np.arange(len(own)), own] = -np.inf
        top = _largest(scores, k)
        similarity = np.einsum("qd,qkd->qk", unit[own], unit[top])
        order = np.argsort(-similarity, axis=1, kind="stable")
        rows[start : start + block] = np.take_along_axis(top, order, axis=1)
        cosines[start : start + block] = np.take_along_axis(similarity, order, axis=1)
    return rows, cosines


_GROUP = 64


def _padded(columns: Array, multiple: int) -> Array:
    """Columns of zeros added up to a multiple."""
    return np.pad(columns, ((0, 0), (0, -columns.shape[1] % multiple)))


def _largest(scores: Array, k: int) -> Array:
    """Columns of the k largest of each row, in any order.

    One pass finds the largest of every group of 64 columns; only the k best groups are looked at.
    """
    grouped = scores.reshape(len(scores), _GROUP, -1)  # group j: columns j, j + n, j + 2n, ...
    n = grouped.shape[2]
    best = min(k, n)
    groups = np.argpartition(grouped.max(axis=1), -best, axis=1)[:, -best:]
    columns = (groups[:, :, None] + np.arange(_GROUP) * n).reshape(len(scores), -1)
    values = np.take_along_axis(scores, columns, axis=1)
    return np.take_along_axis(columns, np.argpartition(values, -k, axis=1)[:, -k:], axis=1)


def build_table(
    vectors_path: str,
    tokenizer: Tokenizer,
    vocab_sha256: str,
    top_k: int,
    progress: Progress = iter,
) -> Table:
    """Compute the table: the `top_k` nearest of every word.

    Words with a piece outside the vocabulary take no part. Raises UserError where the vectors
    cannot be read.
    """
    vectors = read_word2vec(vectors_path)
    encoded = [tuple(pieces) for pieces, _ in tokenizer.encode(vectors.words)]
    rows, cosines = nearest(vectors.matrix, top_k, progress=progress)
    first: Dict[
        Pieces, int
    ] = {}  # pieces -> their number in the table; the first spelling of a word wins
    row_of: List[int] = []
    for row, pieces in enumerate(encoded):
        if pieces and tokenizer.unk not in pieces and pieces not in first:
            first[pieces] = len(row_of)
            row_of.append(row)
    candidates: List[int] = []
    similarities: List[float] = []
    candidate_starts = [0]
    for number in first.values():
        seen = {number}
        for row, cosine in zip(rows[row_of[number]].tolist(), cosines[row_of[number]].tolist()):
            other = first.get(encoded[row])
            if other is not None and other not in seen:
                seen.add(other)
                candidates.append(other)
                similarities.append(cosine)
        candidate_starts.append(len(candidates))
    return Table(
        pieces=np.array([piece for pieces in first for piece in pieces], np.int32),
        starts=np.cumsum([0, *map(len, first)], dtype=np.int64),
        candidates=np.array(candidates, np.int32),
        similarities=np.array(similarities, np.float32),
        candidate_starts=np.array(candidate_starts, np.int64),
        vocab_sha256=vocab_sha256,
        vectors_sha256=file_sha256(vectors_path),
    )
