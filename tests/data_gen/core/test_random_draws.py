import numpy as np
import pytest

from data_gen.core.random_draws import Draws, below, draw, seed_for, uniform

# splitmix64.c by Sebastiano Vigna, from the seed 1234567
REFERENCE = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]


def test_the_numbers_are_those_of_splitmix64():
    assert draw(np.full(5, 1234567, np.uint64), np.arange(5)).tolist() == REFERENCE
    assert [int(draw(np.array([1234567], np.uint64), i)[0]) for i in range(5)] == REFERENCE


def test_one_after_another_they_are_the_same_as_at_once():
    draws = Draws(2**64 - 3)
    one_by_one = [draws.random() for _ in range(50)]
    assert uniform(np.array([2**64 - 3], np.uint64), np.arange(50)).tolist() == one_by_one
    draws = Draws(7)
    expected = below(np.array([7], np.uint64), np.arange(50), 11).tolist()
    assert [draws.randrange(11) for _ in range(50)] == expected


def test_every_number_below_the_limit_is_as_likely():
    seeds = np.array([seed_for(1, i) for i in range(20_000)], np.uint64)
    for number in (0, 1, 1 << 32):
        counts = np.bincount(below(seeds, number, 5), minlength=5)
        assert counts / 20_000 == pytest.approx(np.full(5, 0.2), abs=0.012)


def test_the_name_of_the_work_is_the_seed():
    names = [(1, "a", 0), (1, "a", 1), (2, "a", 0), (1, "b", 0), (1, "a/0"), (1, "a", "0/")]
    seeds = [seed_for(*name) for name in names]
    assert all(0 <= seed < 2**64 for seed in seeds)
    assert seeds == [seed_for(*name) for name in names]
    assert len({seed_for(1, "a", 0), *seeds[1:4], seeds[5]}) == 5
