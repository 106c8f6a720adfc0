"""Numbers for people: their text, the ticks of an axis, and many points as few."""

import math
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

_MOST_POINTS = 240  # of a curve: as many as a small chart can show
_LOG_FROM = 100.0  # an axis of numbers above 0 that are so many times apart is logarithmic
_LEAST_SHARES = 0.1  # that an axis of shares spans
_LARGEST = 1e300  # of a value: beyond it the arithmetic of an axis overflows
_MOST = 1 << 53  # of a step: beyond it floating point numbers skip some

Point = Tuple[int, Optional[float]]  # a step and its value; None: not a finite number


class Thinned(NamedTuple):
    """A bucket of neighbouring points: its last step, the mean of its values, and their ends."""

    step: int
    mean: Optional[float]  # None: no value is finite
    low: float
    high: float


class Axis(NamedTuple):
    """The range of an axis, and where it is marked."""

    low: float
    high: float
    ticks: Tuple[float, ...]
    log: bool = False

    def place(self, value: float) -> float:
        """Return the place of a value, from 0 at the low end to 1 at the high one."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return (value - low) / (high - low)


def finite(value: Any) -> Optional[float]:
    """Return a number of JSON as a float; None for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number) or abs(number) > _LARGEST:
        return None
    return number if abs(number) > 1 / _LARGEST else 0.0


def is_step(value: Any) -> bool:
    """Return True for a step that a chart can show."""
    return isinstance(value, int) and 0 <= value < _MOST


def thin(points: Sequence[Point]) -> List[Thinned]:
    """Return at most some 240 points for a curve: each stands for as many neighbours."""
    size = -(-len(points) // _MOST_POINTS)
    found = []
    for start in range(0, len(points), max(1, size)):
        bucket = points[start : start + size]
        values = [value for _, value in bucket if value is not None]
        step = bucket[-1][0]
        if values:
            found.append(Thinned(step, sum(values) / len(values), min(values), max(values)))
        else:
            found.append(Thinned(step, None, 0.0, 0.0))
    return found


def value_axis(values: Sequence[float], share: bool, may_be_log: bool) -> Axis:
    """Return the vertical axis for these values, at least one."""
    low, high = min(values), max(values)
    if share:
        return _share_axis(low, high)
    if may_be_log and low > 0 and high / low >= _LOG_FROM:
        return _log_axis(low, high)
    return _linear(low, high)


def step_axis(high: float) -> Axis:
    """Return the horizontal axis: from 0 to where the curves end."""
    high = max(high, 1.0)
    return Axis(0.0, high, tuple(tick for tick in _linear(0.0, high).ticks if tick <= high))


def _share_axis(low: float, high: float) -> Axis:
    """Return an axis that makes no mountains of noise, within what a share can be."""
    room = max(0.0, _LEAST_SHARES - (high - low)) / 2
    least, most = (-1.0 if low < 0 else 0.0), max(1.0, high)
    return _linear(max(low - room, least), min(high + room, most))


def _linear(low: float, high: float) -> Axis:
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):  # a level line stands in the middle
        room = abs(low) / 2 or 0.5
        low, high = low - room, high + room
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(n * power for n in (1, 2, 2.5, 5, 10) if n * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(n * step for n in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)


def _log_axis(low: float, high: float) -> Axis:
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    skip = max(1, -(-(last - first) // 4))
    ticks = tuple(10.0**n for n in range(first, last + 1, skip))
    return Axis(10.0**first, 10.0**last, ticks, log=True)


def text(value: float, share: bool = False) -> str:
    """Write a value with about four digits; a share in percent."""
    if share:
        return f"{value:.1%}"
    size = abs(value)
    if size >= 100_000:
        return compact(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if size >= 0.001 or not value else _power(value)


def tick(value: float, share: bool = False) -> str:
    """Write a value at an axis: as short as it can be."""
    if share:
        return f"{100 * value:.4g}%"
    if abs(value) >= 1000:
        return compact(value)
    return f"{value:.4g}" if abs(value) >= 0.001 or not value else _power(value)


def compact(value: float) -> str:
    """Write a large number in thousands (k), millions (M) and so on."""
    for unit, sign in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if unit <= abs(value) < unit * 1e4 or (sign == "k" and abs(value) >= 1e3):
            digits = f"{value / unit:.3g}" if abs(value) < unit * 1000 else f"{value / unit:.0f}"
            return f"{digits}{sign}" if abs(value) < 1e16 else f"{value:.1e}"
    return f"{value:.4g}"


def _power(value: float) -> str:
    digits, power = f"{value:.2e}".split("e")
    return f"{float(digits):g}e{int(power)}"
