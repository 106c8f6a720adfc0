"""`predict` with fine-tuned models."""

import json
import os
import sys

import pytest

pytest.importorskip("tokenizers")
from pretrain.__main__ import main
from pretrain.predict import task_predictor
from tests.pretrain.finetuned import CONTEXT, QUESTIONS, TEXTS, finetuned, write_finetuned


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return finetuned(tmp_path_factory.mktemp("labels"), "classification")


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return finetuned(tmp_path_factory.mktemp("spans"), "cmrc2018", "doc_stride=8")


@pytest.fixture
def predict(capsys):
    """Run the command; what it printed: as JSON, or with another status its errors."""

    def run(folder, *arguments, status=0):
        assert main(["predict", "--model", folder, "--json", *arguments]) == status
        output = capsys.readouterr()
        return [json.loads(line) for line in output.out.splitlines()] if not status else output.err

    return run


def read_lines(*path):
    with open(os.path.join(*path), encoding="utf-8") as handle:
        return [json.loads(line) for line in handle]


def test_labels_are_those_of_the_run(classifier, predict):
    """The same as `finetune` scored, with the labels in order."""
    found = predict(classifier, *TEXTS)
    expected = read_lines(classifier, "predictions-dev.jsonl")
    assert [one["result"] for one in found] == [one["predicted"] for one in expected]
    for one, wanted in zip(found, expected):
        assert one["probability"] == pytest.approx(wanted["probability"], abs=1e-4)
    first = found[0]
    assert (first["line"], first["task"], first["text"]) == (1, "classification", TEXTS[0])
    assert {each["label"] for each in first["labels"]} == {"好", "坏"}
    assert first["labels"][0] == {"label": first["result"], "probability": first["probability"]}
    assert sum(each["probability"] for each in first["labels"]) == pytest.approx(1, abs=1e-3)
    assert "second" not in first


def test_a_tab_makes_a_pair(classifier, predict):
    pair, joined = predict(classifier, "天地\t日月", "天地日月")
    assert (pair["text"], pair["second"]) == ("天地", "日月")
    assert pair["labels"] != joined["labels"]
    error = predict(classifier, "天", "天\t地\t人", status=1)
    assert "line 2 has 3 columns: give one text, or two with a tab between" in error


def test_lines_of_a_file_come_in_their_order(classifier, predict, tmp_path):
    path = tmp_path / "in.tsv"
    lines = ["天地。", "", "人\t日月", "   ", TEXTS[0] * 3, "。"]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    found = predict(classifier, "--input", str(path))
    assert [one["line"] for one in found] == [1, 3, 5, 6]
    assert [one["text"] for one in found] == ["天地。", "人", TEXTS[0] * 3, "。"]
    assert found[1]["second"] == "日月"


@pytest.mark.parametrize(
    ("text", "truncated"),
    [
        ("天" * 22, False),
        ("天" * 23, True),
        ("天" * 11 + "\t" + "地" * 10, False),
        ("天" * 12 + "\t" + "地" * 10, True),
        ("天" * 5000, True),
    ],
)
def test_what_has_no_room_is_said(classifier, predict, text, truncated):
    """The run was trained on 24 pieces, with [CLS] and one or two [SEP]."""
    (found,) = predict(classifier, text)
    assert found["truncated"] is truncated
    assert found["text"] == text.split("\t")[0]


def test_many_lines_are_as_good_as_one(classifier, reader, predict, tmp_path, monkeypatch):
    """Whatever stands beside a line in its batch."""
    monkeypatch.setattr(task_predictor, "_LINES", 7)
    monkeypatch.setattr(task_predictor, "_POSITIONS", 96)
    questions = [f"{question}\t{CONTEXT[i:]}" for i, (question, _) in enumerate(QUESTIONS * 4)]
    for folder, lines in (
        (classifier, [t * (i % 4 + 1) for i, t in enumerate(TEXTS * 3)]),
        (reader, questions),
    ):
        path = tmp_path / "in.txt"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        together = predict(folder, "--input", str(path))
        assert len(together) == len(lines)
        for number in (0, 6, 7, 13):
            (alone,) = predict(folder, lines[number])
            assert together[number]["result"] == alone["result"]
            assert together[number]["probability"] == pytest.approx(alone["probability"], rel=2e-3)


def test_answers_are_those_of_the_run(reader, predict):
    """A paragraph of several windows; the same n-best list as `finetune` wrote."""
    found = predict(reader, *(f"{question}\t{CONTEXT}" for question, _ in QUESTIONS))
    with open(os.path.join(reader, "nbest-dev.json"), encoding="utf-8") as handle:
        expected = json.load(handle)
    for number, one in enumerate(found):
        wanted = expected[f"Q{number}"]
        assert [best["text"] for best in one["nbest"]] == [best["text"] for best in wanted]
        assert [best["start"] for best in one["nbest"]] == [best["start"] for best in wanted]
        assert (one["question"], one["text"]) == (QUESTIONS[number][0], CONTEXT)
        for best in one["nbest"]:
            assert CONTEXT[best["start"] : best["stop"]] == best["text"]
        first = one["nbest"][0]
        assert (one["result"], one["start"], one["stop"]) == (
            first["text"],
            first["start"],
            first["stop"],
        )
        assert one["probability"] == pytest.approx(wanted[0]["probability"], rel=2e-3)


def test_a_paragraph_may_hold_tabs_and_be_long_or_empty(reader, predict):
    tabs, long, empty = predict(reader, "天\t地\t人\t日", f"天\t{CONTEXT * 20}", "天\t")
    assert tabs["text"] == "地\t人\t日"
    assert long["text"][long["start"] : long["stop"]] == long["result"]
    assert (empty["result"], empty["start"], empty["nbest"]) == (None, None, [])
    error = predict(reader, "天地人", status=1)
    assert "line 1 has no tab: give a question, a tab and the paragraph with its answer" in error


def test_a_question_as_long_as_a_sequence_leaves_room(reader, predict):
    (found,) = predict(reader, f"{'天' * 500}\t地人日")
    assert found["result"]


def test_people_read_a_line_for_each(classifier, reader, capsys):
    (label,) = json_of(capsys, classifier, "天地\t日月")
    share = f"{label['probability']:.1%}"
    assert main(["predict", "--model", classifier, "天地\t日月"]) == 0
    assert capsys.readouterr().out == f"{label['result']} {share}\t天地\t日月\n"
    (one,) = json_of(capsys, reader, "天\t地人日")
    assert main(["predict", "--model", reader, "天\t地人日", "天\t "]) == 0
    line, none = capsys.readouterr().out.splitlines()
    assert line == f"{one['result']} {one['start']}-{one['stop']} {one['probability']:.1%}\t天"
    assert none == "(no answer)\t天"


def json_of(capsys, folder, *texts):
    assert main(["predict", "--model", folder, "--json", *texts]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--top", "3", "天"),
        ("--ratio", "2", "天"),
        ("--above", "0", "天"),
        ("--serve",),
        ("--serve", "--port", "0"),
    ],
)
def test_options_of_proposals_are_refused(classifier, predict, arguments):
    error = predict(classifier, *arguments, status=1)
    sentence = f"{arguments[0]} is for a model with its masked LM head, and {classifier}"
    assert sentence in error
    assert error.rstrip().endswith("is fine-tuned on a task: leave it out")


def test_a_terminal_gets_each_answer_at_once(
    classifier, capsys, monkeypatch, standard_input, tmp_path
):
    path = tmp_path / "in.txt"
    path.write_text("天\n地\n", encoding="utf-8")
    standard_input(path)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert len(json_of(capsys, classifier, *["--input", "-"])) == 2


def test_a_head_that_is_not_there_is_an_error(tmp_path, predict):
    folder = write_finetuned(tmp_path / "model", "classification", ["a", "b"])
    os.rename(os.path.join(folder, "run.json"), str(tmp_path / "run.json"))
    assert "lacks cls/predictions" in predict(folder, "天", status=1)


def test_a_model_without_a_length_reads_all_its_positions(tmp_path, predict):
    folder = write_finetuned(tmp_path / "model", "classification", ["a", "b"])
    assert [one["truncated"] for one in predict(folder, "天" * 46, "天" * 47)] == [False, True]
