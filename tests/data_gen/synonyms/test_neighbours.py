import sys
import time

import numpy as np
import pytest

from data_gen.shared.errors import UserError
from data_gen.synonyms import neighbours
from data_gen.synonyms.neighbours import nearby, nearest_of_size
from tests.data_gen.helpers import show


def random_matrix(count, dimensions=5):
    return np.random.RandomState(count).randn(count, dimensions).astype(np.float32)


def units(matrix):
    return matrix / np.linalg.norm(matrix, axis=1)[:, None]


def by_distance(matrix, k, row):
    """The k nearest by the definition, ranked by cosine."""
    distance = ((matrix - matrix[row]) ** 2).sum(axis=1)
    distance[row] = np.inf
    unit = units(matrix)
    return sorted(np.argsort(distance)[:k].tolist(), key=lambda other: -unit[other] @ unit[row])


@pytest.mark.parametrize(("count", "k"), [(3, 10), (65, 10), (1000, 7)])
def test_nearby_is_exact(count, k):
    matrix = random_matrix(count)
    rows, cosines = nearby(matrix, k, show)
    unit = units(matrix)
    for row in range(0, count, 7):
        assert rows[row].tolist() == by_distance(matrix, min(k, count - 1), row)
        assert cosines[row] == pytest.approx(unit[rows[row]] @ unit[row], abs=1e-5)
    some = [count - 1, 0]
    assert np.array_equal(nearby(matrix, k, show, of=some)[0], rows[some])


def test_a_search_that_is_interrupted_ends_at_once(monkeypatch):
    """What its threads have not begun is left."""
    begun = []

    def slow(scores, k):
        begun.append(1)
        time.sleep(0.02)
        return np.argpartition(scores, -k, axis=1)[:, -k:]

    def interrupted(title, total, results, amount=None):
        assert total > 100
        yield next(iter(results))
        raise KeyboardInterrupt

    monkeypatch.setattr(neighbours, "_largest", slow)
    monkeypatch.setattr(neighbours, "_BLOCK_NUMBERS", 1)
    monkeypatch.setattr(neighbours, "_FEWEST", 1)
    with pytest.raises(KeyboardInterrupt):
        nearby(random_matrix(200), 3, interrupted)
    assert len(begun) <= 50


@pytest.mark.parametrize(("count", "k"), [(3, 10), (500, 7)])
def test_the_nearest_of_the_same_size_by_cosine(count, k):
    matrix = random_matrix(count)
    random = np.random.RandomState(1)
    sizes, pool = random.randint(1, 4, count), random.rand(count) < 0.5
    unit = units(matrix)
    rows, cosines = nearest_of_size(matrix.copy(), sizes, pool, k, show)
    for row in range(count):
        others = [i for i in np.flatnonzero(pool & (sizes == sizes[row])).tolist() if i != row]
        expected = sorted(others, key=lambda other: -(unit[other] @ unit[row]))[:k]
        assert rows[row].tolist() == expected + [-1] * (k - len(expected))
        found = rows[row][: len(expected)]
        assert cosines[row][: len(expected)] == pytest.approx(unit[found] @ unit[row], abs=1e-5)


def test_faiss_finds_almost_the_same(monkeypatch):
    """Words lie in clusters, as real ones do."""
    pytest.importorskip("faiss")
    random = np.random.RandomState(0)
    centres = random.randn(60, 20)
    matrix = (centres[random.randint(0, 60, 3000)] + 0.5 * random.randn(3000, 20)).astype("f")
    sizes, pool = random.randint(1, 3, 3000), random.rand(3000) < 0.9
    exact, _ = nearest_of_size(matrix.copy(), sizes, pool, 10, show)
    monkeypatch.setattr(neighbours, "EXACT", 0)
    rows, cosines = nearest_of_size(matrix.copy(), sizes, pool, 10, show)
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(exact, rows)]) > 0.95
    unit = units(matrix)
    for row in range(0, 3000, 97):
        found = rows[row][rows[row] >= 0]
        assert row not in found
        assert (sizes[found] == sizes[row]).all()
        assert pool[found].all()
        assert cosines[row][: len(found)] == pytest.approx(unit[found] @ unit[row], abs=1e-4)


def test_a_missing_faiss_is_named(monkeypatch):
    monkeypatch.setattr(neighbours, "EXACT", 0)
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(UserError, match=r"pip install .*\[vectors\]"):
        nearest_of_size(random_matrix(5), np.ones(5, int), np.ones(5, bool), 2, show)
