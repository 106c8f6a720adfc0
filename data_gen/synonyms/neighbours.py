"""Nearest neighbours among word vectors: exact up to a size, by faiss beyond it.

W words, D dimensions, K neighbours.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator, Optional, Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array
from data_gen.core.progress import Progress
from data_gen.shared.extras import import_extra

# Multiplications of a search that is done exactly: a minute or two on two cores.
EXACT = 6e12
_BLOCK_NUMBERS = 1 << 21  # of a product: as many queries at once as give so many
_MOST_THREADS = 16  # with some 50 MB each
_FEWEST = 64
_GROUP = 32

# faiss: lists, as many as this times sqrt(targets), and the share of them that a query looks into.
_LISTS_BY_ROOT = 4
_PROBED = 48
_TRAINING_BY_LIST = 64
_MANY = 1 << 14  # rows


def nearby(
    matrix: Array,
    k: int,
    show: Progress,
    of: Optional[Sequence[int]] = None,
    known: Optional[Array] = None,
) -> Tuple[Array, Array]:
    """Find the K nearest rows by Euclidean distance, ranked by cosine: the Synonyms toolkit's
    `nearby`.

    matrix:  float32 [W, D]
    of:      the W' rows to look up; all where it is None
    known:   int [W', at least K], the nearest rows of each, the nearest first, where they are known
    Returns  int32 [W', K] row numbers and float32 [W', K] cosines, without the row itself. Exact.
    """
    k = min(k, len(matrix) - 1)
    own = np.arange(len(matrix)) if of is None else np.asarray(of)
    rows = nearest_by_distance(matrix, own, k, show) if known is None else known[:, :k]
    unit = unit_rows(matrix)
    cosines = np.empty(rows.shape, np.float32)
    for start in range(0, len(rows), _MANY):
        block = slice(start, start + _MANY)
        cosines[block] = np.einsum("qd,qkd->qk", unit[own[block]], unit[rows[block]])
    order = np.argsort(-cosines, axis=1, kind="stable")
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(cosines, order, axis=1)


def nearest_by_distance(matrix: Array, own: Array, k: int, show: Progress) -> Array:
    """Find the k nearest rows of the rows `own` by Euclidean distance, int32 [len(own), k], the
    nearest first, without the row itself.
    """
    norms = np.linalg.norm(matrix, axis=1)
    # |q - v|^2 orders as |v|^2 / 2 - q.v: a product with one more dimension.
    targets = np.concatenate([matrix, -(norms[:, None] ** 2) / 2], axis=1)
    queries = np.concatenate([matrix, np.ones((len(matrix), 1), np.float32)], axis=1)
    return _exact(queries, own, targets, np.arange(len(matrix)), k, show)[0]


def nearest_of_size(
    matrix: Array, sizes: Array, pool: Array, k: int, show: Progress
) -> Tuple[Array, Array]:
    """Find the K nearest rows by cosine among those of equal `sizes` that are in `pool`.

    matrix:  float32 [W, D], scaled in place to rows of length 1
    sizes:   int [W], how many pieces each word has
    pool:    bool [W], which rows may be neighbours
    Returns  int32 [W, K] row numbers, -1 where there are fewer, and float32 [W, K] cosines,
             without the row itself. Of a search beyond EXACT some neighbours are missed.
    """
    unit_rows(matrix, out=matrix)
    rows = np.full((len(matrix), k), -1, np.int32)
    cosines = np.zeros((len(matrix), k), np.float32)
    for size in np.unique(sizes):
        queries = np.flatnonzero(sizes == size)
        targets = queries[pool[queries]]
        if len(targets) == 0:
            continue
        search = _exact if len(queries) * len(targets) * matrix.shape[1] <= EXACT else _faiss
        found, scores = search(matrix, queries, matrix[targets], targets, k, show)
        rows[queries, : found.shape[1]] = found
        cosines[queries, : found.shape[1]] = scores
    return rows, cosines


def unit_rows(matrix: Array, out: Any = None) -> Array:
    """Scale the rows to length 1."""
    return np.divide(matrix, np.maximum(np.linalg.norm(matrix, axis=1), 1e-12)[:, None], out=out)


def _exact(
    matrix: Array, queries: Array, targets: Array, names: Array, k: int, show: Progress
) -> Tuple[Array, Array]:
    """Find the k targets of the largest product with each query, the largest first.

    matrix:  float32 [W, D]; `queries` are rows of it, int [Q]
    targets: float32 [T, D]; `names` are their rows in the matrix, int [T], ascending
    Returns  names int [Q, k] and products float32 [Q, k]; -1 where a query has fewer than k others.
    """
    columns = _padded(targets.T, _GROUP)
    k = min(k, len(targets))
    rows = np.empty((len(queries), k), np.int32)
    products = np.empty((len(queries), k), np.float32)
    block = max(_FEWEST, _BLOCK_NUMBERS // columns.shape[1])

    def search(own: Array) -> Tuple[Array, Array]:
        scores = matrix[own] @ columns
        scores[:, len(targets) :] = -np.inf
        place = np.minimum(np.searchsorted(names, own), len(names) - 1)
        itself = names[place] == own
        scores[np.flatnonzero(itself), place[itself]] = -np.inf
        top = _largest(scores, k)
        found = np.take_along_axis(scores, top, axis=1)
        order = np.argsort(-found, axis=1, kind="stable")
        found = np.take_along_axis(found, order, axis=1)
        top = np.take_along_axis(top, order, axis=1)
        return np.where(np.isfinite(found), names[top % len(names)], -1), found

    starts = range(0, len(queries), block)
    # Threads of its own, since those of numpy's BLAS share the product alone.
    threads = ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS))

    def results() -> Iterator[Tuple[Array, Array]]:
        yield from threads.map(search, (queries[start : start + block] for start in starts))

    try:
        for found, start in zip(show("nearest words", len(starts), results()), starts):
            rows[start : start + block], products[start : start + block] = found
    finally:  # Ctrl-C does not wait for the rest
        threads.shutdown(cancel_futures=True)
    return rows, products


def _padded(columns: Array, multiple: int) -> Array:
    """Add columns of zeros up to a multiple."""
    return np.pad(columns, ((0, 0), (0, -columns.shape[1] % multiple)))


def _largest(scores: Array, k: int) -> Array:
    """Find the columns of the k largest of each row, in any order.

    One pass finds the largest of every group of columns; only the k best groups are looked at.
    """
    grouped = scores.reshape(len(scores), _GROUP, -1)  # group j: columns j, j + n, j + 2n, ...
    n = grouped.shape[2]
    best = min(k, n)
    groups = np.argpartition(grouped.max(axis=1), -best, axis=1)[:, -best:]
    columns = (groups[:, :, None] + np.arange(_GROUP) * n).reshape(len(scores), -1)
    values = np.take_along_axis(scores, columns, axis=1)
    return np.take_along_axis(columns, np.argpartition(values, -k, axis=1)[:, -k:], axis=1)


def _faiss(
    matrix: Array, queries: Array, targets: Array, names: Array, k: int, show: Progress
) -> Tuple[Array, Array]:
    """As `_exact`, for rows of length 1: search the nearest lists of an inverted file."""
    faiss = _import_faiss(len(queries), len(targets))
    lists = int(_LISTS_BY_ROOT * len(targets) ** 0.5)
    quantizer = faiss.IndexFlatIP(targets.shape[1])
    index = faiss.IndexIVFFlat(quantizer, targets.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed, index.cp.niter = 1, 8
    sample = np.random.RandomState(1).permutation(len(targets))[: _TRAINING_BY_LIST * lists]
    index.train(np.ascontiguousarray(targets[sample]))
    index.add(targets)
    index.nprobe = _PROBED
    del targets
    rows = np.full((len(queries), k), -1, np.int32)
    products = np.zeros((len(queries), k), np.float32)
    starts = range(0, len(queries), _MANY)
    for start in show("nearest words", len(starts), starts):
        own = queries[start : start + _MANY]
        scores, found = index.search(matrix[own], k + 1)
        named = np.where(found >= 0, names[found], -1)
        # The word itself is dropped, or else the last.
        named[named == own[:, None]] = -1
        order = np.argsort(named < 0, axis=1, kind="stable")[:, :k]
        rows[start : start + _MANY] = np.take_along_axis(named, order, axis=1)
        products[start : start + _MANY] = np.take_along_axis(scores, order, axis=1)
    return rows, products


def _import_faiss(queries: int, targets: int) -> Any:
    purpose = f"the search for the neighbours of {queries:,} words among {targets:,}"
    return import_extra("faiss", "vectors", purpose)
