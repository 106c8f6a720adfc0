"""The shipped neighbours of the Synonyms toolkit are those that a search finds."""

import numpy as np
import pytest

from data_gen.core.columns import Array
from data_gen.shared.files import file_sha256
from data_gen.synonyms.neighbours import nearby
from data_gen.synonyms.toolkit import SHIPPED_K, shipped_neighbours, toolkit_vectors
from data_gen.synonyms.vector_files import read_vectors
from tests.data_gen.helpers import show


@pytest.fixture(scope="module")
def matrix() -> Array:
    return read_vectors(toolkit_vectors()).matrix


@pytest.mark.parametrize("k", [SHIPPED_K, 3])
def test_shipped_neighbours_are_those_of_a_search(matrix: Array, k: int) -> None:
    shipped = shipped_neighbours(file_sha256(toolkit_vectors()), k)
    assert shipped is not None
    assert shipped.shape == (len(matrix), k)
    own = np.random.RandomState(k).permutation(len(matrix))[:128]
    searched = nearby(matrix, k, show, of=own)
    unsearched = nearby(matrix, k, show, of=own, known=shipped[own])
    np.testing.assert_array_equal(unsearched[0], searched[0])
    np.testing.assert_array_equal(unsearched[1], searched[1])


def test_nothing_is_shipped_of_other_vectors_and_of_more_neighbours() -> None:
    assert shipped_neighbours("0" * 64, SHIPPED_K) is None
    assert shipped_neighbours(file_sha256(toolkit_vectors()), SHIPPED_K + 1) is None
