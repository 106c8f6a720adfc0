"""The charts and the facts that follow from journals."""

import math

import pytest

from pretrain.learning.stages import StageConfig
from pretrain.report.charts import make_charts
from pretrain.report.facts import course_rows, data_sets, figure_rows, notes, setting_rows
from pretrain.report.runs import find
from tests.pretrain.report.helpers import DATA, held_lines, step_lines, write_run


def runs_of(*folders):
    return find(folders).runs


def curves(charts):
    """(title, [(run, label, held-out, number of points), ...]) of each chart."""
    return {
        chart.title: [(c.run, c.label, c.heldout, len(c.points)) for c in chart.curves]
        for chart in charts
    }


def test_one_run_has_the_kinds_in_one_chart(tmp_path):
    probe = {"probe": {"chnsenticorp": {"accuracy": 0.5, "macro_f1": 0.4}}}
    folder = write_run(tmp_path / "a", step_lines(40), held_lines(0, 40, **probe))
    charts = make_charts(runs_of(folder))
    assert curves(charts) == {
        "Loss, all together": [(0, "", False, 4)],
        "Loss of the masked pieces": [(0, "", False, 4), (0, "", True, 2)],
        "Loss of the pairs": [(0, "", False, 4)],
        "Masked pieces found": [
            (0, "all", True, 2),
            (0, "replaced", True, 2),
            (0, "kept", True, 2),
        ],
        "Pairs told": [(0, "", True, 2)],
        "Probe: chnsenticorp": [(0, "accuracy", True, 2), (0, "macro F1", True, 2)],
        "Spread over texts": [(0, "[CLS]", True, 2)],
        "Tokens a second": [(0, "", False, 4)],
        "Utilisation": [(0, "", False, 4)],
        "Learning rate": [(0, "", False, 4)],
    }
    assert [c.colour for c in charts[3].curves] == [0, 1, 2]


def test_several_runs_have_a_chart_for_each_kind_and_a_colour_for_each_run(tmp_path):
    a = write_run(tmp_path / "a", step_lines(40), held_lines(0, 40))
    b = write_run(tmp_path / "b", step_lines(20))  # without held-out data
    charts = make_charts(runs_of(a, b))
    found = curves(charts)
    assert found["Masked pieces found: replaced"] == [(0, "", True, 2)]
    assert found["Masked pieces found: all"] == [(0, "", True, 2)]
    assert found["Loss of the masked pieces"] == [
        *((0, "", False, 4), (0, "", True, 2), (1, "", False, 2)),
    ]
    (loss,) = [chart for chart in charts if chart.key == "masked_lm_loss"]
    assert [c.colour for c in loss.curves] == [0, 0, 1]


def test_figures_that_no_table_knows_have_charts(tmp_path):
    more = {"discriminator_loss": 0.6, "strength": 3.5, "new": {"a": 1.5, "b": {"c": 2.5}}}
    held = held_lines(0, 20, discriminator_loss=0.5, discriminator_accuracy=0.9, seen=7)
    folder = write_run(tmp_path / "a", step_lines(20, **more), held)
    charts = make_charts(runs_of(folder))
    found = {chart.title: (chart.group.section, chart.share) for chart in charts}
    assert found["Discriminator loss"] == ("Loss", False)
    assert found["Discriminator accuracy"] == ("Held-out data and probes", True)
    assert found["Strength"] == found["New"] == found["New: b"] == ("Others", False)
    assert "Seen" not in found  # whole and always the same: the size of something
    assert curves(charts)["Discriminator loss"] == [(0, "", False, 2), (0, "", True, 2)]


def test_pair_figures_are_left_out_without_a_pair_task(tmp_path):
    folder = write_run(
        tmp_path / "a", step_lines(20), held_lines(0, pair_task="none"), pair_task="none"
    )
    assert not [chart for chart in make_charts(runs_of(folder)) if "pair" in chart.key]


def test_what_is_no_number_is_a_gap_and_a_note(tmp_path):
    lines = step_lines(60)
    for line in lines[2:]:
        line["loss"] = math.nan
    lines[1]["masked_lm_loss"] = math.inf
    lines[0]["pair_loss"] = None
    lines[1]["learning_rate"] = "low"
    runs = runs_of(write_run(tmp_path / "a", lines))
    charts = make_charts(runs)
    assert [value for _, value in charts[0].curves[0].points] == [10.7, 5.7] + [None] * 4
    assert notes(charts, runs) == [
        "a: Loss, all together is no number at step 30, 40, 50 and 1 more",
        "a: Loss of the masked pieces is no number at step 20",
    ]


def test_a_share_far_above_1_is_none(tmp_path):
    runs = runs_of(write_run(tmp_path / "a", step_lines(20, utilisation=0.5, my_accuracy=87.5)))
    assert {c.key: c.share for c in make_charts(runs) if c.group.share} == {
        "my_accuracy": False,
        "utilisation": True,
    }


def test_the_course_of_runs(tmp_path):
    stages = [StageConfig(num_train_steps=40, train_batch_size=32), StageConfig(num_train_steps=60)]
    data = [{**DATA, "max_seq_length": 64}, DATA]
    a = write_run(tmp_path / "a", step_lines(60), data=data, stages=stages)
    b = write_run(tmp_path / "b", step_lines(20), about=False)
    assert [(row.name, *row.values) for row in course_rows(runs_of(a, b))] == [
        ("Model", "2 layers x 128", ""),
        ("Steps", "60 of 100", "20"),
        ("Sequences x pieces a step", "32 x 64, then 16 x 128", ""),
        ("Pieces seen", "123k", ""),
        ("Pieces a second", "2,048", ""),
        ("Of the device's speed", "50.0%", "50.0%"),
        ("Time, without evaluations", "60 s", ""),
    ]


def test_first_and_last_figures(tmp_path):
    held = [*held_lines(0, masked_lm_loss=10.0), *held_lines(20, masked_lm_loss=4.5)]
    a = write_run(tmp_path / "a", step_lines(20), held)
    b = write_run(tmp_path / "b", step_lines(10))
    rows = {row.name: row.values for row in figure_rows(make_charts(runs_of(a, b)), runs_of(a, b))}
    assert rows["Loss, all together"] == ("10.7 → 5.7", "10.7")
    assert rows["Loss of the masked pieces, held-out"] == ("10 → 4.5", "")
    assert rows["Masked pieces found: kept"] == ("75.0% → 75.0%", "")
    assert "Learning rate" not in rows


def test_settings_that_differ(tmp_path):
    a = write_run(tmp_path / "a", step_lines(20), optimizer="lamb")
    b = write_run(tmp_path / "b", step_lines(20), learning_rate=5e-5)
    c = write_run(tmp_path / "c", step_lines(20), about=False)
    differ, common = setting_rows(runs_of(a, b, c))
    assert [(row.name, row.values) for row in differ] == [
        ("optimizer", ("lamb", "adamw", "")),
        ("learning_rate", ("0.0001", "5e-05", "")),
    ]
    values = {row.name: row.values for row in common}
    assert values["git_revision"] == ("01234567", "01234567", "")
    assert values["train_batch_size"] == ("16", "16", "")


def test_a_setting_that_an_older_version_lacked_had_its_default(tmp_path):
    a = write_run(tmp_path / "a", step_lines(20))
    old = {"config": {"learning_rate": 1e-4, "num_train_steps": 100, "num_warmup_steps": 10}}
    old["config"]["train_batch_size"] = 16
    b = write_run(tmp_path / "b", step_lines(20), about=old)
    differ, _ = setting_rows(runs_of(a, b))
    assert not {row.name for row in differ} & {"labels", "optimizer", "output_bias", "pad_to"}


def test_settings_of_stages_differ_by_stage(tmp_path):
    stages = [StageConfig(num_train_steps=40), StageConfig(learning_rate=5e-5, num_train_steps=60)]
    a = write_run(tmp_path / "a", step_lines(20), data=[DATA, DATA], stages=stages)
    b = write_run(tmp_path / "b", step_lines(20))
    differ, _ = setting_rows(runs_of(a, b))
    assert {row.name: row.values for row in differ}["stage 2: learning_rate"] == ("5e-05", "")


def test_each_data_set_is_described_once(tmp_path):
    a = write_run(tmp_path / "a", step_lines(20), data=[DATA, {**DATA, "documents": 5}])
    b = write_run(tmp_path / "b", step_lines(20))
    first, second = data_sets(runs_of(a, b))
    assert (first.name, second.name) == ("a, stage 1; b", "a, stage 2")
    assert dict(first.facts)["Masked"] == "15.0% (asked for: 15%)"
    assert (dict(first.facts)["Documents"], dict(second.facts)["Documents"]) == ("3,092", "5")
    assert first.shares == (("N-grams, by words", DATA["ngrams"]),)


@pytest.mark.parametrize(("size", "said"), [(719, []), (800, ["evaluated on different held-out"])])
def test_different_held_out_data_are_said(tmp_path, size, said):
    a = write_run(tmp_path / "a", step_lines(20), held_lines(20))
    b = write_run(tmp_path / "b", step_lines(20), held_lines(20, examples=size))
    runs = runs_of(a, b)
    assert [note[:31] for note in notes(make_charts(runs), runs)] == said
