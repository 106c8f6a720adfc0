"""The facts of a report: figures of each run in short, settings that differ, the data.

Rows have a value for each run, "" where a run has none.
"""

import dataclasses
import json
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from data_gen.shared.durations import duration
from pretrain.config import TrainConfig
from pretrain.report.charts import COURSE, Chart, Curve
from pretrain.report.numbers import compact, finite, text
from pretrain.report.runs import Run

_HASH = 8  # digits of a checksum that are shown
_LONGEST = 60  # characters of a setting's value


class Row(NamedTuple):
    """A fact of all runs."""

    name: str
    values: Tuple[str, ...]


class Data(NamedTuple):
    """A data set that some stages were trained on."""

    name: str
    facts: Tuple[Tuple[str, str], ...]
    shares: Tuple[Tuple[str, Dict[str, float]], ...]  # title, and shares by name


def course_rows(runs: Sequence[Run]) -> List[Row]:
    """Say of each run how large it is, how far it is, and what it took."""
    rows = [Row(name, tuple(map(of_run, runs))) for name, of_run in _COURSE]
    return [row for row in rows if any(row.values)]


def figure_rows(charts: Sequence[Chart], runs: Sequence[Run]) -> List[Row]:
    """Give the first and the last value of each figure."""
    found: Dict[str, List[str]] = {}
    for chart in charts:
        if chart.group.section != COURSE:
            for curve in chart.curves:
                part = ", held-out" if curve.heldout and chart.has_both else ""
                label = f": {curve.label}" if curve.label not in ("", "all") else ""
                row = found.setdefault(chart.title + label + part, [""] * len(runs))
                row[curve.run] = _first_and_last(curve, chart.share)
    return [Row(name, tuple(values)) for name, values in found.items()]


def _first_and_last(curve: Curve, share: bool) -> str:
    values = [value for _, value in curve.points if value is not None]
    ends = values[:1] + values[1:][-1:]
    return " → ".join(text(value, share) for value in ends)


def _size(run: Run) -> str:
    model = run.about.get("model")
    if not isinstance(model, dict) or "num_hidden_layers" not in model:
        return ""
    return f"{model['num_hidden_layers']} layers x {model.get('hidden_size')}"


def _steps(run: Run) -> str:
    planned = f" of {run.stages[-1].last_step:,}" if run.stages else ""
    return f"{run.last_step:,}{planned}"


def _batches(run: Run) -> str:
    return ", then ".join(
        f"{stage.batch_size:,}" + (f" x {stage.length}" if stage.length else "")
        for stage in run.stages
    )


def _seen(run: Run) -> str:
    tokens = run.tokens(run.last_step)
    return "" if tokens is None else compact(tokens)


def _speed(run: Run) -> str:
    seconds = run.seconds()
    last = run.tokens(run.steps[-1]["step"]) if run.steps else None
    return text(round(last / seconds)) if last and seconds else ""


def _used(run: Run) -> str:
    shares = [finite(line.get("utilisation")) for line in run.steps]
    known = [share for share in shares if share is not None]
    return text(sum(known) / len(known), share=True) if known else ""


def _time(run: Run) -> str:
    seconds = run.seconds()
    return duration(seconds) if seconds else ""


_COURSE = (
    ("Model", _size),
    ("Steps", _steps),
    ("Sequences x pieces a step", _batches),
    ("Pieces seen", _seen),
    ("Pieces a second", _speed),
    ("Of the device's speed", _used),
    ("Time, without evaluations", _time),
)


def setting_rows(runs: Sequence[Run]) -> Tuple[List[Row], List[Row]]:
    """Return the settings that differ, and those in common. A run without a run.json has none."""
    every = [dict(_settings(run)) if run.about else {} for run in runs]
    names = dict.fromkeys(name for one in every for name in one)
    differ: List[Row] = []
    common: List[Row] = []
    for name in names:
        row = Row(name, tuple(one.get(name, "") for one in every))
        known = {one.get(name) for one in every if one}
        (differ if len(known) > 1 else common).append(row)
    return differ, common


def _settings(run: Run) -> Iterator[Tuple[str, str]]:
    """List what run.json says of a training, but for the counts of its data."""
    about = run.about
    # A training from before a setting existed had the value that is its default now.
    settings = {**dataclasses.asdict(TrainConfig()), **run.settings}
    for number, stage in enumerate(_listed(settings.pop("stages")), 1):
        for name, value in stage.items() if isinstance(stage, dict) else ():
            if value is not None:
                yield f"stage {number}: {name}", _value(value)
    for name, value in settings.items():
        yield name, _value(value)
    for name in ("init_checkpoint", "reinit_heads"):
        if name in about:
            yield name, _value(about[name])
    for name in ("model", "versions"):
        values = about.get(name)
        for key, value in values.items() if isinstance(values, dict) else ():
            yield f"{name}: {key}", _value(value)
    for number, checksum in enumerate(_listed(about.get("data")), 1):
        yield f"data of stage {number}", str(checksum)[:_HASH]
    for name in ("vocab_sha256", "git_revision"):
        if isinstance(about.get(name), str):
            yield name, about[name][:_HASH]


def _value(value: Any) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "..."


def _listed(value: Any) -> List[Any]:
    return value if isinstance(value, list) else []


_COUNTS = ("documents", "sentences", "words", "pieces", "characters", "instances")
_FACTS = ("segmenter", "max_seq_length", "dupe_factor", "pair_task")
_SHARES = (("ngrams", "N-grams, by words"), ("kinds_by_piece", "In the place of masked pieces"))


def data_sets(runs: Sequence[Run]) -> List[Data]:
    """Describe the data that the runs were trained on, each set once."""
    users: Dict[str, List[str]] = {}
    statistics: Dict[str, Dict[str, Any]] = {}
    for run in runs:
        prints, every = _listed(run.about.get("data")), _listed(run.about.get("data_statistics"))
        for number, found in enumerate(every):
            if not isinstance(found, dict):
                continue
            key = str(prints[number]) if number < len(prints) else f"{run.folder} {number}"
            stage = f", stage {number + 1}" if len(every) > 1 else ""
            users.setdefault(key, []).append(run.name + stage)
            statistics[key] = found
    return [_data("; ".join(users[key]), found) for key, found in statistics.items()]


def _data(name: str, found: Dict[str, Any]) -> Data:
    facts = [(key, _value(found[key])) for key in _FACTS if found.get(key) is not None]
    masking = found.get("masking")
    for key in ("selector", "corruption"):
        if isinstance(masking, dict) and key in masking:
            facts.append((key, _value(masking[key])))
    for key in _COUNTS:
        if finite(found.get(key)) is not None:
            facts.append((key, compact(found[key]) if found[key] >= 10_000 else f"{found[key]:,}"))
    for key in ("masked", "unknown_pieces"):
        if finite(found.get(key)) is not None:
            asked = finite(found.get("masked_lm_prob")) if key == "masked" else None
            promised = "" if asked is None else f" (asked for: {asked:.0%})"
            facts.append((key, f"{found[key]:.1%}{promised}"))
    shares = [(title, _numbers(found.get(key))) for key, title in _SHARES]
    return Data(
        name,
        tuple((key.replace("_", " ").capitalize(), value) for key, value in facts),
        tuple((title, values) for title, values in shares if values),
    )


def _numbers(values: Any) -> Dict[str, float]:
    if not isinstance(values, dict):
        return {}
    known = {name: finite(value) for name, value in values.items()}
    return {name: value for name, value in known.items() if value}


def notes(charts: Sequence[Chart], runs: Sequence[Run]) -> List[str]:
    """Say what a reader of the curves should know: values that are no numbers, and held-out data
    that differ.
    """
    found = []
    for chart in charts:
        for curve in chart.curves:
            steps = [step for step, value in curve.points if value is None]
            if steps:
                found.append(
                    f"{runs[curve.run].name}: {chart.title}{curve.label and ': ' + curve.label} is "
                    f"no number at {_places(steps)}"
                )
    examples = {
        run.name: [line["examples"] for line in run.evaluations if "examples" in line][-1:]
        for run in runs
    }
    sizes = {name: f"{size[0]:,}" for name, size in examples.items() if finite(*size or [None])}
    if len(set(sizes.values())) > 1:
        each = ", ".join(f"{name} {size} examples" for name, size in sizes.items())
        found.append(f"evaluated on different held-out data ({each}): compare with care")
    return found


def _places(steps: Sequence[int]) -> str:
    more = f" and {len(steps) - 3:,} more" if len(steps) > 3 else ""
    return f"step {', '.join(f'{step:,}' for step in steps[:3])}{more}"
