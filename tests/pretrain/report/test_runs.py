"""The runs as they are read: in progress, resumed, damaged, in folders of folders."""

import pytest

from data_gen.shared.errors import UserError
from pretrain.learning.stages import StageConfig
from pretrain.report.runs import find
from tests.pretrain.report.helpers import DATA, held_lines, step_lines, write_run
from tests.pretrain.results.helpers import write_classification


def test_a_resumed_training_has_each_step_once_and_the_later_lines_count(tmp_path):
    lines = [*step_lines(50), *step_lines(40, loss=3.0)[2:]]  # steps 30 and 40 came again
    (run,) = find([write_run(tmp_path / "run", lines)]).runs
    assert [(line["step"], line["loss"]) for line in run.steps] == [
        (10, 10.7),
        (20, 5.7),
        (30, 3.0),
        (40, 3.0),
    ]


@pytest.mark.parametrize(
    "line",
    [
        '{"step": 30, "loss": 1.',  # cut short
        "[1, 2]",
        '{"step": Infinity}',
        '{"step": NaN, "loss": 1}',
        '{"step": -1}',
        '{"step": 123456789012345678901234567890}',
        '{"step": "twenty"}',
        "[" * 100000,
        "\0\ufffd",
    ],
)
def test_damaged_lines_are_left_out(tmp_path, line):
    folder = write_run(tmp_path / "run", step_lines(20))
    with open(f"{folder}/metrics.jsonl", "a") as handle:
        handle.write(line)
    (run,) = find([folder]).runs
    assert [line["step"] for line in run.steps] == [10, 20]


@pytest.mark.parametrize(
    "about",
    [
        False,
        {},
        {"config": 3, "model": [], "data": 7, "data_statistics": {"a": 1}},
        {"config": {"num_train_steps": "many", "stages": [5]}, "data_statistics": [None, 3]},
        {"config": {"stages": 7}, "data_statistics": "x", "versions": 3, "git_revision": 5},
    ],
)
def test_a_run_without_a_whole_run_json_has_its_curves(tmp_path, about):
    (run,) = find([write_run(tmp_path / "run", step_lines(20), about=about)]).runs
    assert (run.last_step, run.stages, run.tokens(20), run.seconds()) == (20, (), None, 0.0)


def test_stages_of_different_batch_and_length(tmp_path):
    stages = [StageConfig(num_train_steps=40, train_batch_size=32), StageConfig(num_train_steps=60)]
    data = [{**DATA, "max_seq_length": 64}, DATA]
    folder = write_run(tmp_path / "run", step_lines(60), data=data, stages=stages)
    (run,) = find([folder]).runs
    assert [tuple(stage) for stage in run.stages] == [(0, 40, 32, 64), (40, 100, 16, 128)]
    # 40 steps of 32 x 64 pieces, then 20 of 16 x 128; 2,048 pieces a second in all
    assert run.tokens(20) == 20 * 32 * 64
    assert run.tokens(60) == 60 * 2048
    assert run.seconds() == pytest.approx(60)


def test_folders_of_several_have_names_that_differ(tmp_path):
    for name in ("a/model", "b/model", "b/deep/other"):
        write_run(tmp_path / name, step_lines(20))
    found = find([str(tmp_path), str(tmp_path / "a" / "model")])
    assert [run.name for run in found.runs] == ["a/model", "other", "b/model"]


def test_runs_of_a_fine_tuning_are_no_trainings(tmp_path):
    model = write_run(tmp_path / "model", step_lines(20))
    task = write_classification(tmp_path / "task", [[1, 0], [1, 1]], model=model)
    write_run(tmp_path / "task" / "run-1" / "deeper", step_lines(20))
    found = find([str(tmp_path)])
    assert ([run.name for run in found.runs], [one.folder for one in found.results]) == (
        ["model"],
        [task],
    )
    # ... but when one is asked for
    assert [run.name for run in find([f"{task}/run-1"]).runs] == ["deeper"]


def test_what_is_not_ready_is_a_note(tmp_path):
    write_run(tmp_path / "a", step_lines(20))
    new = write_run(tmp_path / "b", None)
    tuned = write_classification(tmp_path / "c", [[1, 0]], runs=3)
    found = find([str(tmp_path)])
    assert [run.name for run in found.runs] == ["a"]
    assert found.results == ()
    assert sorted(found.notes) == [
        f"{new}: no step is written down yet: try again later",
        f"{tuned}: not finished, 1 of 3 runs: run the same finetune again",
    ]


def test_folders_without_a_run_are_one_sentence(tmp_path):
    new = write_run(tmp_path / "new", [])
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    for path, said in (
        ("empty", "holds no training and no fine-tuning: give the --output of `train`"),
        ("absent", "holds no training and no fine-tuning: give the --output of `train`"),
        ("file", "is a file: give the folder that it lies in"),
        ("new", "no step is written down yet"),
    ):
        with pytest.raises(UserError, match=said):
            find([str(tmp_path / path)])
    with pytest.raises(UserError, match="empty: it holds no training"):  # beside one that is there
        find([new, str(tmp_path / "empty")])


def test_a_run_in_a_bucket_is_read_by_tensorflow(tmp_path):
    folder = write_run(tmp_path / "run", step_lines(20), held_lines(0, 20))
    (run,) = find([f"file://{folder}/"]).runs
    assert (run.name, run.last_step, len(run.evaluations)) == ("run", 20, 2)
