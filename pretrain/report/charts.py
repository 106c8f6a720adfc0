"""The charts of a report: every number that the journals hold, in groups.

What a table below does not know gets a chart of its own, so a new objective's figures appear by
themselves.
"""

import re
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.shared.dataset.pair_labels import PAIR_LABELS
from pretrain.learning.objective import TOTAL
from pretrain.learning.spread import VECTORS
from pretrain.report.numbers import Point, finite
from pretrain.report.runs import Line, Run
from pretrain.results.table import TITLES

LOSS, HELDOUT, COURSE = "Loss", "Held-out data and probes", "Speed and optimizer"
OTHERS = "Others"
_BY_KIND = "_by_kind"  # shares of parts, beside the share of the whole
_SPREAD = "spread"
_DEEPEST = 4  # names of a number within others


class Group(NamedTuple):
    """A kind of figures: the section that they stand in, their title, and how they are drawn."""

    section: str
    title: str = ""  # empty: made of the name
    share: bool = False  # in percent
    level: Optional[float] = None  # a line to compare with: that of chance
    falls: bool = False  # to 0 by plan: no reason for a logarithmic axis
    pictured: bool = False  # in the picture for a README
    meaning: str = ""  # below the title, on a page


# Patterns of names, the first that fits counts; charts stand in this order.
_GROUPS: Tuple[Tuple[str, Group], ...] = (
    (TOTAL, Group(LOSS, "Loss, all together", meaning="what the training lowers")),
    (
        "masked_lm_loss",
        Group(LOSS, "Loss of the masked pieces", pictured=True, meaning="cross-entropy, in nats"),
    ),
    (
        "pair_loss",
        Group(LOSS, "Loss of the pairs", pictured=True, meaning="cross-entropy; chance: 0.693"),
    ),
    (".*_loss", Group(LOSS, pictured=True)),
    (
        "perplexity",
        Group(LOSS, "Perplexity", meaning="exp of the held-out loss of the masked pieces"),
    ),
    (
        "masked_lm_accuracy",
        Group(
            HELDOUT,
            "Masked pieces found",
            share=True,
            pictured=True,
            meaning="right at first choice, by what stands in the place",
        ),
    ),
    (
        "pair_accuracy",
        Group(
            HELDOUT,
            "Pairs told",
            share=True,
            level=0.5,
            pictured=True,
            meaning="right answers to: is this the next segment?",
        ),
    ),
    (
        "dev",
        Group(HELDOUT, "Dev part", share=True, pictured=True, meaning="of the task fine-tuned on"),
    ),
    ("probe/.*", Group(HELDOUT, share=True, meaning="a copy fine-tuned along the way")),
    (".*(accuracy|precision|recall|f1)", Group(HELDOUT, share=True, pictured=True)),
    (
        _SPREAD,
        Group(
            HELDOUT,
            "Spread over texts",
            share=True,
            meaning="how far their vectors differ; [CLS] below 15% says little",
        ),
    ),
    ("tokens_per_second", Group(COURSE, "Tokens a second", meaning="padding included")),
    (
        "utilisation",
        Group(COURSE, "Utilisation", share=True, meaning="of the speed of matrix products alone"),
    ),
    ("learning_rate", Group(COURSE, "Learning rate", falls=True, meaning="warm-up, then decay")),
    ("gradient_norm", Group(COURSE, "Norm of the gradients", meaning="before they are clipped")),
    (
        "loss_scale",
        Group(COURSE, "Scale of the loss", meaning="float16: a factor against underflow"),
    ),
    (
        "skipped_steps",
        Group(COURSE, "Skipped steps", share=True, meaning="float16: not finite, so not done"),
    ),
    (".*", Group(OTHERS)),
)
_LEFT_OUT = ("examples_per_second",)  # the same curve as that of the tokens


class Curve(NamedTuple):
    """One figure of one run."""

    run: int
    label: str  # empty: the figure that the chart is named after
    heldout: bool
    colour: int
    points: Tuple[Point, ...]


class Chart(NamedTuple):
    """Figures in one picture: of one run all of a group, of several runs one of a group."""

    key: str
    group: Group
    title: str
    curves: Tuple[Curve, ...]

    @property
    def share(self) -> bool:
        """True for shares; what is far beyond 1 is none, whatever its name."""
        return self.group.share and max(map(abs, self.values), default=0.0) <= 2

    @property
    def has_both(self) -> bool:
        """True if it shows the training beside held-out data."""
        return len({curve.heldout for curve in self.curves}) > 1

    @property
    def values(self) -> List[float]:
        """All finite values; a chart without any is not drawn."""
        return [value for curve in self.curves for _, value in curve.points if value is not None]


_Path = Tuple[str, ...]
_Series = Dict[Tuple[str, str, bool], List[Point]]  # (key, label, held-out)


def make_charts(runs: Sequence[Run]) -> List[Chart]:
    """Make the charts of runs, in the order of the table."""
    series = [_series(run) for run in runs]
    names: Dict[str, Dict[str, None]] = {}  # key -> labels, as they come
    for one in series:
        for key, label, _ in one:
            names.setdefault(key, {})[label] = None
    found = []
    for key in sorted(names, key=_rank):
        labels = sorted(names[key], key=bool)  # the whole before its parts
        together = [labels] if len(runs) == 1 else [[label] for label in labels]
        found += [_chart(key, chosen, labels, series) for chosen in together]
    return found


def _chart(key: str, chosen: List[str], labels: List[str], series: Sequence[_Series]) -> Chart:
    group, alone = _group(key), len(series) == 1
    title = group.title or key.replace("_", " ").replace("/", ": ").capitalize()
    if len(chosen) < len(labels):
        title += f": {TITLES.get(chosen[0], chosen[0]) or 'all'}"
    names = {
        label: TITLES.get(label, label) or ("all" if len(labels) > 1 else "") for label in chosen
    }
    curves: List[Curve] = []
    for run, of_run in enumerate(series):
        for label in chosen:
            for heldout in (False, True):
                points = of_run.get((key, label, heldout))
                if points:
                    name, colour = (names[label], len(curves)) if alone else ("", run)
                    curves.append(Curve(run, name, heldout, colour, tuple(points)))
    return Chart(key, group, title, tuple(curves))


def _rank(key: str) -> Tuple[int, str]:
    fits = (i for i, (pattern, _) in enumerate(_GROUPS) if re.fullmatch(pattern, key, re.DOTALL))
    return next(fits), key


def _group(key: str) -> Group:
    return _GROUPS[_rank(key)[0]][1]


def _series(run: Run) -> _Series:
    """Return the numbers of a run's journals by what they are."""
    found: _Series = {}
    for heldout, lines in ((False, run.steps), (True, run.evaluations)):
        wholes: Dict[Tuple[str, str, bool], bool] = {}  # True: always a whole number
        for line in lines:
            for key, label, value in _figures(line, run):
                name = (key, label, heldout)
                found.setdefault(name, []).append((line["step"], finite(value)))
                wholes[name] = wholes.get(name, True) and isinstance(value, int)
        for name, whole in wholes.items():
            # The size of the held-out data, and the like: facts, not figures of the training.
            if heldout and whole and len({value for _, value in found[name]}) == 1:
                del found[name]
    return found


def _figures(line: Line, run: Run) -> Iterator[Tuple[str, str, Any]]:
    """List (key, label, value) of the numbers of a line."""
    task = line.get("pair_task", run.settings.get("pair_task"))
    no_pairs = isinstance(task, str) and not PAIR_LABELS.get(task, ("unknown",))
    for path, value in _leaves(line, ()):
        if path == ("step",) or path[0] in _LEFT_OUT or (no_pairs and path[0].startswith("pair_")):
            continue
        if path[0] in VECTORS:
            if path[1:] == ("share",):
                yield _SPREAD, VECTORS[path[0]], value
        elif path[0].endswith(_BY_KIND) and len(path) > 1:
            yield path[0][: -len(_BY_KIND)], "/".join(path[1:]), value
        else:
            yield ("/".join(path[:-1]) or path[0]), (path[-1] if path[1:] else ""), value


def _leaves(
    values: Dict[str, Any], above: Tuple[str, ...]
) -> Iterator[Tuple[Tuple[str, ...], Any]]:
    for name, value in values.items():
        if isinstance(value, dict) and len(above) < _DEEPEST:
            yield from _leaves(value, (*above, name))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield (*above, name), value
