import json
import os
import shutil

import pytest

from data_gen.shared.errors import UserError
from pretrain.results.files import find_results, read_results, read_scores
from tests.pretrain.results.helpers import write_classification, write_spans


@pytest.fixture
def folder(tmp_path):
    return write_classification(tmp_path / "a", [[1, 0, 1, 1], [1, 1, 1, 1]], model="中文")


def change(folder, **values):
    path = os.path.join(folder, "results.json")
    with open(path, encoding="utf-8") as handle:
        content = {**json.load(handle), **values}
    with open(path, "w", encoding="utf-8") as handle:
        json.dump(content, handle)


def test_reads_what_a_fine_tuning_wrote(folder):
    results = read_results(folder)
    assert (results.task, results.model, results.layers) == ("chnsenticorp", "中文", 4)
    assert results.seeds == [1, 2]
    assert results.of("test", "accuracy") == [0.75, 1.0]
    assert results.headlines("test") == {1: 0.75, 2: 1.0}
    assert (results.scored_parts, results.chosen_on) == (["test"], "dev")
    assert read_scores(results, "test", 1)["1"] == {"accuracy": 0.0}


def test_the_score_of_a_span_task_is_the_mean_of_em_and_f1(tmp_path):
    folder = write_spans(tmp_path / "cmrc", [[(1, 1.0), (0, 0.5)]])
    results = read_results(folder)
    assert results.headline == ("exact_match", "f1")
    assert results.headlines("test") == {1: (0.5 + 0.75) / 2}
    assert read_scores(results, "test", 1)["Q1"] == {"exact_match": 0.0, "f1": 0.5}


def test_finds_the_tasks_in_a_folder_once(tmp_path):
    for task in ("xnli", "bq"):
        write_classification(tmp_path / "m" / task, [[1, 0]], task=task)
    above = str(tmp_path)
    found = find_results([above, os.path.join(above, "m"), os.path.join(above, "m", "bq")])
    assert [results.task for results in found] == ["bq", "xnli"]


def test_nothing_there(tmp_path):
    with pytest.raises(UserError, match=r"no results\.json in it: pass the --output folder"):
        find_results([str(tmp_path)])
    with pytest.raises(UserError, match=r"no results\.json: pass"):
        read_results(str(tmp_path / "absent"))


def test_unfinished(folder):
    change(folder, settings={"runs": 5})
    with pytest.raises(UserError, match="not finished, 2 of 5 runs: run the same finetune again"):
        read_results(folder)
    change(folder, settings={})
    os.mkdir(os.path.join(folder, "run-3"))
    with pytest.raises(UserError, match="not finished, 2 of 3 runs"):
        find_results([folder])
    os.remove(os.path.join(folder, "results.json"))
    with pytest.raises(UserError, match=r"not finished, no results\.json yet"):
        find_results([os.path.dirname(folder)])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"format": 2}, "not format 1 of `finetune`"),
        ({"runs": []}, "0 of 2 runs"),
        ({"runs": {}}, "damaged"),
        ({"runs": [{"seed": 1, "test": {"accuracy": 0.5}}]}, "damaged .KeyError: 'macro_f1'"),
        ({"measures": []}, "damaged"),
        ({"model": None}, "damaged"),
        ({"parts": []}, "damaged"),
        ({"chosen_on": 3}, "damaged .TypeError: 3 is no text"),
        ({"measures": ["accuracy"], "runs": [{"seed": 1, "test": {"accuracy": 81.2}}]}, "81.2 is"),
        ({"measures": ["accuracy"], "runs": [{"seed": 1}, {"seed": 2}]}, "have no scores"),
    ],
)
def test_damaged(folder, values, sentence):
    change(folder, **values)
    with pytest.raises(UserError, match=sentence):
        read_results(folder)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b""])
def test_no_json(folder, content):
    with open(os.path.join(folder, "results.json"), "wb") as handle:
        handle.write(content)
    with pytest.raises(UserError, match=r"results\.json: (damaged, no JSON|not format 1)"):
        read_results(folder)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ('{"id": "0", "right": 1}\n{"id"', "line 2: damaged"),
        ('{"id": "0", "right": 1}\n{"id": "0", "right": 1}', "line 2: id 0 is there twice"),
        ('{"id": "0"}', "line 1: damaged"),
        ('{"id": "0", "right": null}', "line 1: damaged"),
        ('{"id": "0", "right": 1}', "accuracy 1.0000, but results.json says 0.7500"),
        ("\x00", "line 1: damaged"),
    ],
)
def test_damaged_predictions(folder, lines, sentence):
    path = os.path.join(folder, "run-1", "predictions-test.jsonl")
    with open(path, "w", encoding="utf-8") as handle:
        handle.write(lines)
    with pytest.raises(UserError, match=sentence):
        read_scores(read_results(folder), "test", 1)


def test_absent_predictions(folder):
    shutil.rmtree(os.path.join(folder, "run-2"))
    with pytest.raises(UserError, match="the tests need it"):
        read_scores(read_results(folder), "test", 2)
