import pytest

from pretrain.results.board import make_board
from pretrain.results.files import find_results
from pretrain.results.layout import Table, as_markdown, as_text, width
from pretrain.results.table import matrix, seed_table
from tests.pretrain.results.helpers import write_classification, write_spans

# Table X of the paper, MacBERT-large: maxima; the average is its, too.
TABLE_X = {
    "cmrc2018": (74.8, 90.7),
    "drcd": (91.7, 95.6),
    "cjrc": (62.9, 82.5),
    "chnsenticorp": (95.9,),
    "thucnews": (97.9,),
    "xnli": (81.3,),
    "lcqmc": (87.6,),
    "bq": (85.6,),
}


def table_x(task, layers, hidden_size):
    assert (layers, hidden_size) == (4, 256)
    scores = TABLE_X[task]
    names = ("exact_match", "f1") if len(scores) == 2 else ("accuracy",)
    return {"MacBERT-large": {name: (score, None) for name, score in zip(names, scores)}}


def rbt(task, layers, hidden_size):
    return {"RBT4": {"accuracy": (93.8, 93.1)}}


def test_seeds_then_their_summary_then_the_papers_rows(tmp_path):
    write_classification(tmp_path / "a", [[1, 0, 1, 1], [1, 1, 1, 1]], model="我")
    (results,) = find_results([str(tmp_path)])
    table = seed_table(results, "test", rbt)
    assert table.header == ("chnsenticorp, 我", "accuracy", "macro F1", "Matthews")
    assert table.rows == (
        ("seed 1", "75.00", "50.00", "-25.00"),
        ("seed 2", "100.00", "50.00", "-25.00"),
        (
            "max (mean) +- sd",
            "100.00 (87.50) +- 17.68",
            "50.00 (50.00) +- 0.00",
            "-25.00 (-25.00) +- 0.00",
        ),
        ("RBT4 (paper)", "93.8 (93.1)", "-", "-"),
    )
    assert table.notes == (
        "scores from test; best epoch chosen on dev, never on test.",
        "(paper): maximum (mean) of 10 runs on the paper's test set.",
    )


def test_one_run_has_no_standard_deviation(tmp_path):
    write_classification(tmp_path / "a", [[1, 0, 1, 1]], chosen_on=None)
    (results,) = find_results([str(tmp_path)])
    table = seed_table(results, "test", lambda *size: {})
    assert table.rows[-1][1] == "75.00 (75.00)"
    assert table.notes == ("scores from test; last epoch: there is no dev part.",)


def test_the_average_is_that_of_the_papers_table_x(tmp_path):
    for task, scores in TABLE_X.items():
        if len(scores) == 2:
            write_spans(tmp_path / task, [[(1, 1.0)], [(0, 0.5)]], task=task)
        else:
            write_classification(tmp_path / task, [[1, 1], [1, 0]], task=task)
    table = matrix(make_board(find_results([str(tmp_path)])), table_x)
    ours, paper = table.rows
    assert (table.header[-1], paper[-1]) == ("AVG", "87.18")
    assert ours[table.header.index("cmrc2018 EM / F1")] == (
        "100.0 (50.0) +- 70.7 / 100.0 (75.0) +- 35.4"
    )
    # Three tasks of mean (50 + 75) / 2, five of 75.
    assert ours[-1] == f"100.00 ({(3 * 62.5 + 5 * 75) / 8:.2f})"
    assert any("EM and F1 are averaged first" in note for note in table.notes)


def test_models_by_tasks(tmp_path):
    write_classification(tmp_path / "a" / "xnli", [[1, 1]], task="xnli", model="none")
    write_classification(
        tmp_path / "a" / "ocnli", [[1, 0]], task="ocnli", model="none", chosen_on=None
    )
    write_classification(tmp_path / "b", [[1, 0], [1, 0]], task="xnli", model="macbert")
    table = matrix(make_board(find_results([str(tmp_path)])), lambda *size: {})
    assert table.header == ("model", "ocnli", "xnli", "AVG")
    assert table.rows == (
        ("none", "50.0 (50.0)", "100.0 (100.0)", "75.00 (75.00)"),
        ("macbert", "-", "50.0 (50.0) +- 0.0", "-"),
    )
    assert table.notes[0] == "Percent: maximum (mean) +- standard deviation of 1 to 2 runs."
    assert "ocnli: scores from test; last epoch: there is no dev part." in table.notes
    assert "xnli: scores from test; best epoch chosen on dev, never on test." in table.notes


def test_models_of_a_task_that_chose_differently_are_named(tmp_path):
    write_classification(tmp_path / "a", [[1, 1]], model="a")
    write_classification(tmp_path / "b", [[1, 1]], model="b", chosen_on=None)
    notes = matrix(make_board(find_results([str(tmp_path)])), rbt).notes
    assert notes[1].startswith("chnsenticorp of a: scores from test; best epoch")
    assert notes[2].startswith("chnsenticorp of b: scores from test; last epoch")


def test_scores_of_dev_are_said_to_be_too_high_and_stand_without_the_papers(tmp_path):
    for name in "ab":
        write_classification(tmp_path / name, [[1, 1]], model=name, part="dev")
    table = matrix(make_board(find_results([str(tmp_path)])), rbt)
    assert len(table.rows) == 2
    assert "(so scores of dev are a little too high)" in table.notes[1]


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("模型", 4), ("（ｱ", 3), ("é", 1), ("e\u0301", 1), ("", 0)]
)
def test_width(text, columns):
    assert width(text) == columns


TABLE = Table(("model", "task"), (("全词", "1.0 (0.5)"), ("a|b", "-")), ("A note.", "Another."))


def test_text_is_aligned_by_its_width():
    assert as_text(TABLE).split("\n") == [
        "model       task",
        "全词   1.0 (0.5)",
        "a|b            -",
        "",
        "A note.",
        "Another.",
    ]


def test_markdown():
    assert as_markdown(TABLE).split("\n") == [
        "| model | task |",
        "| :--- | :---: |",
        "| 全词 | 1.0 (0.5) |",
        "| a\\|b | - |",
        "",
        "A note.",
        "",
        "Another.",
    ]
