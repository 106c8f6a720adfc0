"""Files with anything in the place of anything: a report or one sentence, never a traceback."""

import json
import random

import pytest

from pretrain.report.page import write_page, write_picture
from pretrain.report.report import make_report
from pretrain.report.terminal import as_lines
from tests.pretrain.report.helpers import held_lines, step_lines, write_run

VALUES = [
    *(None, True, 0, -1, 1, 3.5, "x", "", "<b>", "\n", [], {}, [1, 2], {"a": 1}),
    *({"a": {"b": {"c": {"d": {"e": 1}}}}}, 1e308, -1e308, float("nan"), float("inf"), 1e-320),
    *(10**400, 1 << 60),
]
NAMES = ["x", "pair_task", "<i>", "a_by_kind", "loss", "", "probe", "new_loss", "step"]


def damaged(value, rng):
    """A copy with some values replaced and some added."""
    if rng.random() < 0.12:
        return rng.choice(VALUES)
    if isinstance(value, list):
        return [damaged(one, rng) for one in value]
    if not isinstance(value, dict):
        return value
    copy = {name: damaged(one, rng) for name, one in value.items()}
    return {**copy, rng.choice(NAMES): rng.choice(VALUES)} if rng.random() < 0.2 else copy


@pytest.mark.parametrize("seed", range(60))
def test_a_report_of_damaged_files(tmp_path, seed):
    rng, folders = random.Random(seed), []
    for name in "ab"[: rng.choice([1, 2])]:
        held = held_lines(0, 20, 40, probe={"task": {"accuracy": 0.5}})
        folder = write_run(tmp_path / name, step_lines(40), held)
        for file in ("run.json", "metrics.jsonl", "evaluations.jsonl"):
            path = tmp_path / name / file
            lines = [damaged(json.loads(line), rng) for line in path.read_text().splitlines()]
            path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        folders.append(folder)
    report = make_report(folders)
    assert as_lines(report)
    write_page(str(tmp_path / "a.html"), report)
    write_picture(str(tmp_path / "a.svg"), report)
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8").split("</style>")[1]
    assert not [word for word in ("nan", "inf", "None") if word in drawn]
