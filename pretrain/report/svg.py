"""Charts as SVG. Classes say what a thing is; web/chart.css gives it a colour, light and dark."""

from html import escape
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from pretrain.report.charts import Chart, Curve
from pretrain.report.numbers import Axis, Thinned, compact, step_axis, thin, tick, value_axis
from pretrain.report.runs import Run

WIDTH, HEIGHT = 380, 210  # of a chart; a page may scale it
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 10, 24
COLOURS = 8  # of chart.css; then they come again
_FAR = 10  # times: peaks so far apart need a logarithmic axis
_MARKED = 40  # points of a curve that are shown one by one

Place = Callable[[Run, float], Optional[float]]  # of a step, on the horizontal axis
# Name of a horizontal axis -> its title, and the place of a step.
AXES: Dict[str, Tuple[str, Place]] = {
    "steps": ("step", lambda run, step: float(step)),
    "tokens": ("pieces", lambda run, step: run.tokens(step)),
}


class Drawn(NamedTuple):
    """A chart on paper: the SVG, its axes, and the points of each curve: [(x, Thinned), ...]."""

    svg: str
    horizontal: Axis
    vertical: Axis
    points: Tuple[Tuple[Tuple[float, Thinned], ...], ...]

    def x(self, value: float) -> float:
        """Return the place of a value of the horizontal axis in the SVG."""
        return _x(self.horizontal, value)

    def y(self, value: float) -> float:
        """Return the place of a value of the vertical axis in the SVG."""
        return _y(self.vertical, value)


def colour(number: int) -> str:
    """Return the class of a colour."""
    return f"c{number % COLOURS}"


def draw(chart: Chart, runs: Sequence[Run], axis: str = "steps", attributes: str = "") -> Drawn:
    """Draw a chart over an axis of `AXES`.

    attributes: more of the element's
    """
    title, place = AXES[axis]
    points = [_placed(curve, runs[curve.run], place) for curve in chart.curves]
    horizontal = step_axis(max(place(run, run.last_step) or 0.0 for run in runs))
    values = _reach(chart, points)
    peaks = [max(numbers) for numbers in map(_numbers, chart.curves) if numbers]
    may_be_log = not chart.group.falls or min(peaks) * _FAR < max(peaks)
    vertical = value_axis(values, chart.share, may_be_log)
    parts = [*_grid(horizontal, vertical, chart.share, title)]
    parts += _stages(chart, runs, place, horizontal)
    parts += _level(chart, vertical)
    for curve, of_curve in zip(chart.curves, points):
        parts += _curve(curve, of_curve, horizontal, vertical, chart.has_both)
    head = f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" {attributes}>'
    svg = "\n".join([head, *parts, "</svg>"])
    return Drawn(svg, horizontal, vertical, tuple(map(tuple, points)))


def _numbers(curve: Curve) -> List[float]:
    return [value for _, value in curve.points if value is not None]


def _placed(curve: Curve, run: Run, place: Place) -> List[Tuple[float, Thinned]]:
    return [(place(run, one.step) or 0.0, one) for one in thin(curve.points)]


def _reach(chart: Chart, points: Sequence[Sequence[Tuple[float, Thinned]]]) -> List[float]:
    """Return the values that the vertical axis has to hold."""
    every = [one for of_curve in points for _, one in of_curve if one.mean is not None]
    level = [] if chart.group.level is None else [chart.group.level]
    return [value for one in every for value in (one.low, one.high)] + level


def _x(axis: Axis, value: float) -> float:
    return LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - axis.place(value) * (HEIGHT - TOP - BOTTOM)


def _grid(horizontal: Axis, vertical: Axis, share: bool, title: str) -> Iterator[str]:
    lines, marks = [], []
    for value in vertical.ticks:
        y = _y(vertical, value)
        lines.append(f"M{LEFT} {y:.1f}H{WIDTH - RIGHT}")
        label = escape(tick(value, share))
        marks.append(f'<text x="{LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{label}</text>')
    for value in horizontal.ticks:
        x = _x(horizontal, value)
        lines.append(f"M{x:.1f} {HEIGHT - BOTTOM}v4")
        near = x > WIDTH - RIGHT - 7 * len(title) - 10  # the title of the axis stands there
        if not near:
            label = compact(value)
            marks.append(f'<text x="{x:.1f}" y="{HEIGHT - 7}" text-anchor="middle">{label}</text>')
    marks.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 7}" text-anchor="end">{title}</text>')
    return iter([f'<path class="grid" d="{"".join(lines)}"/>', *marks])


def _stages(chart: Chart, runs: Sequence[Run], place: Place, axis: Axis) -> Iterator[str]:
    """Mark the starts of the later stages of each run."""
    for number in sorted({curve.run for curve in chart.curves}):
        run = runs[number]
        for count, stage in enumerate(run.stages[1:], 2):
            x = place(run, stage.first_step)
            if x is None or not axis.low <= x < axis.high:
                continue
            at = _x(axis, x)
            own = f" {colour(number)}" if len(runs) > 1 else ""
            yield (
                f'<g class="stage r{number}{own}"><path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
                f'<text x="{at + 4:.1f}" y="{TOP + 9}">stage {count}</text></g>'
            )


def _level(chart: Chart, vertical: Axis) -> Iterator[str]:
    """Draw a level to compare with, its name on the side where the curves do not end."""
    level = chart.group.level
    if level is not None:
        y = _y(vertical, level)
        ends = [value for curve in chart.curves for value in _numbers(curve)[-1:]]
        below = sum(end >= level for end in ends) * 2 > len(ends)
        yield f'<path class="level" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        place = f'x="{WIDTH - RIGHT}" y="{y + (12 if below else -4):.1f}" text-anchor="end"'
        yield f"<text {place}>chance</text>"


def _curve(
    curve: Curve,
    points: Sequence[Tuple[float, Thinned]],
    horizontal: Axis,
    vertical: Axis,
    beside_training: bool,
) -> Iterator[str]:
    """Draw a curve, broken where its value is no number, and what it was thinned from as a band."""
    classes = f"{colour(curve.colour)} r{curve.run}" + (
        " heldout" if curve.heldout and beside_training else ""
    )
    whole: List[List[str]] = [[]]
    uppers, lowers = [], []
    for x, one in points:
        if one.mean is None:
            whole.append([])
            continue
        at = f"{_x(horizontal, x):.1f}"
        whole[-1].append(f"{at} {_y(vertical, one.mean):.1f}")
        if one.high > one.low:
            uppers.append(f"{at} {_y(vertical, one.high):.1f}")
            lowers.append(f"{at} {_y(vertical, one.low):.1f}")
    if len(uppers) > 1:
        yield f'<path class="band {classes}" d="M{"L".join(uppers + lowers[::-1])}Z"/>'
    line = "".join("M" + "L".join(places) for places in whole if places)
    if line:
        yield f'<path class="line {classes}" d="{line}"/>'
    dots = [place for places in whole for place in places if len(places) == 1]
    if curve.heldout and len(points) <= _MARKED:
        dots = [place for places in whole for place in places]
    if dots:
        yield f'<path class="dots {classes}" d="{"".join(f"M{place}h0" for place in dots)}"/>'


def picture(charts: Sequence[Chart], runs: Sequence[Run], style: str) -> str:
    """Return one SVG file with charts side by side, at most three in a row."""
    columns = min(3, len(charts))
    rows = -(-len(charts) // columns)
    head = 24 if len(runs) > 1 else 0
    each = HEIGHT + 44
    width, height = columns * (WIDTH + 16), rows * each + head
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">',
        f"<style>{style}</style>",
        f'<rect class="paper" width="{width}" height="{height}" rx="8"/>',
        *(_legend([(run.name, i, False) for i, run in enumerate(runs)], LEFT, 20) if head else []),
    ]
    for number, chart in enumerate(charts):
        x, y = number % columns * (WIDTH + 16) + 4, number // columns * each + head
        drawn = draw(
            chart, runs, attributes=f'x="{x}" y="{y + 38}" width="{WIDTH}" height="{HEIGHT}"'
        )
        parts.append(
            f'<text class="title" x="{x + LEFT}" y="{y + 18}">{escape(chart.title)}</text>'
        )
        labels = legend(chart, len(runs) == 1)
        parts += _legend(labels, x + LEFT, y + 34)
        parts.append(drawn.svg)
    return "\n".join([*parts, "</svg>"]) + "\n"


def legend(chart: Chart, alone: bool) -> List[Tuple[str, int, bool]]:
    """Return (name, colour, held-out) of what the curves of a chart show; nothing where the title
    says it all.

    alone: there is one run, and the colours are those of its curves
    """
    if not alone:
        return [("training", -1, False), ("held-out", -1, True)] if chart.has_both else []
    names = []
    for curve in chart.curves:
        heldout = curve.heldout and chart.has_both
        part = ("held-out" if heldout else "training") if chart.has_both else ""
        names.append((" ".join(filter(None, (curve.label, part))), curve.colour, heldout))
    return names if len(names) > 1 else []


def _legend(names: Sequence[Tuple[str, int, bool]], x: float, y: float) -> Iterator[str]:
    for name, number, heldout in names:
        own = (colour(number) if number >= 0 else "plain") + (" heldout" if heldout else "")
        yield f'<path class="line {own}" d="M{x} {y - 4}h16"/>'
        yield f'<text x="{x + 21}" y="{y}">{escape(name)}</text>'
        x += 21 + 6.5 * len(name) + 14
