import math

import pytest

from pretrain.report.numbers import (
    compact,
    finite,
    step_axis,
    text,
    thin,
    tick,
    value_axis,
)


@pytest.mark.parametrize(
    ("value", "share", "said"),
    [
        (0.5, True, "50.0%"),
        (10.04567, False, "10.05"),
        (0.69314, False, "0.6931"),
        (23212.4, False, "23,212"),
        (1.5e6, False, "1.5M"),
        (5e-5, False, "5e-5"),
        (0.0, False, "0"),
    ],
)
def test_values_in_words(value, share, said):
    assert text(value, share) == said


def test_ticks_and_large_numbers():
    assert [tick(x) for x in (0.0, 0.0025, 1e-6, 999.0, 12500.0)] == [
        *("0", "0.0025", "1e-6", "999", "12.5k"),
    ]
    assert tick(0.55, share=True) == "55%"
    assert [compact(x) for x in (999, 1228800, 3.3e9, 1e20)] == ["999", "1.23M", "3.3G", "1.0e+20"]


@pytest.mark.parametrize(
    "value", [None, True, "1", [], math.nan, math.inf, 10**400, 1e308, {"a": 1}]
)
def test_what_is_no_number(value):
    assert finite(value) is None


def test_many_points_become_few_that_keep_the_mean_and_the_ends():
    points = [(step, float(step % 10)) for step in range(10_000)]
    thinned = thin(points)
    assert 200 <= len(thinned) <= 240
    assert thinned[-1].step == 9999
    assert (min(one.low for one in thinned), max(one.high for one in thinned)) == (0.0, 9.0)
    assert all(one.low < one.mean < one.high for one in thinned)
    assert thinned[0].mean == sum(value for _, value in points[:42]) / 42


def test_no_numbers_are_a_gap():
    thinned = thin([(1, 2.0), (2, None), (3, 4.0)])
    assert [one.mean for one in thinned] == [2.0, None, 4.0]
    assert thin([]) == []


@pytest.mark.parametrize(
    ("values", "share", "ends", "log"),
    [
        ([4.4, 10.05], False, (4, 12), False),
        ([115.0, 23212.0], False, (100, 100_000), True),
        ([5.0, 5.0], False, (2, 8), False),
        ([0.0], False, (-0.5, 0.5), False),
        ([0.0, 0.96], True, (0, 1), False),
        ([0.98, 0.99], True, (0.92, 1.0), False),  # no mountains of noise, and none above 1
        ([0.0], True, (0, 0.06), False),
        ([-0.2, 0.9], True, (-0.5, 1.0), False),  # Matthews' coefficient
        ([-3.0, 1e299], False, (0, 1e299), False),
        ([0.0, 1e-300], False, (-0.5, 0.5), False),
    ],
)
def test_axes_hold_their_values_between_round_ends(values, share, ends, log):
    axis = value_axis(values, share, True)
    assert (axis.low, axis.high) == pytest.approx(ends)
    assert axis.log is log
    assert 3 <= len(axis.ticks) <= 7
    assert all(-1e-9 <= axis.place(value) <= 1 + 1e-9 for value in values)


def test_the_axis_of_steps_ends_where_the_curves_end():
    axis = step_axis(147.0)
    assert (axis.low, axis.high, axis.ticks) == (0.0, 147.0, (0.0, 50.0, 100.0))
    assert step_axis(0.0).high == 1.0
