import io
import json
import sys

import pytest

pytest.importorskip("tokenizers")
from pretrain.__main__ import main
from pretrain.checkpoint.load import load_model
from pretrain.predict.fill import Place, Proposal
from pretrain.predict.predictor import Predictor, as_lines, replaced
from pretrain.text.tokenizer import load_tokenizer
from tests.pretrain.small_model import CHARACTERS, write_model

SURE = ["--ratio", "1", "--above", "0"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def predict(folder, capsys):
    """Run the command; what it printed as JSON."""

    def run(*arguments, status=0):
        assert main(["predict", "--model", folder, "--json", *arguments]) == status
        output = capsys.readouterr()
        return [json.loads(line) for line in output.out.splitlines()] if not status else output.err

    return run


def test_a_sentence_with_a_mask_is_filled(predict):
    (found,) = predict("天地[MASK][MASK]。", "--top", "3")
    assert found["task"] == "fill"
    assert [(mask["start"], mask["stop"]) for mask in found["masks"]] == [(2, 8), (8, 14)]
    (word,) = found["words"]
    assert len(word["proposals"]) == 3
    assert found["result"] == f"天地{word['proposals'][0]['text']}。"


def test_a_sentence_without_one_is_corrected(predict):
    (found,) = predict("天地日月。", *SURE)
    assert found["task"] == "correct"
    assert found["suspicious"]
    for one in found["suspicious"]:
        assert found["text"][one["start"] : one["stop"]] == one["text"]
        assert one["proposals"][0]["text"] != one["text"]
        assert one["proposals"][0]["probability"] >= one["probability"]
    (kept,) = predict("天地日月。", "--ratio", "1e9")
    assert (kept["suspicious"], kept["result"]) == ([], "天地日月。")


def test_the_result_is_the_text_with_the_best_proposals():
    places = [
        Place(0, 1, (Proposal("天地", 0.5),)),
        Place(2, 8, (Proposal("", 0.5),)),
        Place(8, 9, ()),
    ]
    assert replaced("人日[MASK]月火", places) == "天地日月火"


def test_nothing_of_a_long_text_is_lost(predict):
    text = CHARACTERS * 30  # of one sentence; the model has 40 positions
    (found,) = predict(text, *SURE)
    assert found["text"] == text
    assert found["suspicious"][-1]["stop"] > len(text) - 40
    masked = "".join(c + "[MASK]" for c in text)
    (filled,) = predict(masked)
    assert len(filled["masks"]) == len(text)
    (filled,) = predict(f"{text}[MASK]")
    assert len(filled["masks"][0]["proposals"]) == 5


def test_sentences_of_a_file_come_in_their_order(predict, tmp_path):
    path = tmp_path / "text.txt"
    lines = ["天地。人[MASK]。", "", CHARACTERS, "   ", "日[MASK]", "。"]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    found = predict("--input", str(path))
    assert [one["text"] for one in found] == ["天地。", "人[MASK]。", CHARACTERS, "日[MASK]", "。"]
    assert [one["line"] for one in found] == [1, 1, 3, 5, 6]
    assert [one["start"] for one in found] == [0, 3, 0, 0, 0]
    assert [one["task"] for one in found] == ["correct", "fill", "correct", "fill", "correct"]


def test_a_file_is_answered_while_it_is_read(folder):
    """Only some sentences are held: an input without end is answered, too."""

    def endless():
        while True:
            read.append(1)
            yield "天地。\n"

    read = []
    model = load_model(folder)
    answers = Predictor(model, load_tokenizer(folder))(endless(), together=8)
    for _ in range(20):
        assert next(answers)["text"] == "天地。"
    assert len(read) <= 32


def test_standard_input(predict, standard_input, tmp_path):
    (tmp_path / "text.txt").write_text("天[MASK]\n地", encoding="utf-8")
    standard_input(tmp_path / "text.txt")
    assert [one["line"] for one in predict("--input", "-")] == [1, 2]


def test_json_is_utf8_on_any_terminal(predict, monkeypatch):
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    predict("😀天")
    assert json.loads(stdout.buffer.getvalue().decode("utf-8"))["text"] == "😀天"


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_of_nothing_nothing_is_said(predict, text):
    assert predict(text) == []


def test_unknown_characters_stay(predict):
    (found,) = predict("😀龘[MASK]？", *SURE)
    assert found["result"].startswith("😀龘")
    (found,) = predict("😀龘", *SURE)
    assert (found["result"], found["suspicious"]) == ("😀龘", [])


def test_lines_for_people(folder, capsys):
    assert main(["predict", "--model", folder, "天[MASK]", "地", *SURE, "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("天")
    assert lines[1].startswith("  1-7 [MASK] -> ")
    assert lines[1].count("%") == 2
    found = {
        "result": "山人",
        "text": "地人",
        "suspicious": [
            {
                "start": 0,
                "stop": 1,
                "probability": 0.000042,
                "proposals": [{"text": "山", "probability": 0.8342}],
            }
        ],
    }
    assert list(as_lines(found)) == ["山人", "  0-1 地 0.004% -> 山 83.4%"]


def test_where_nothing_is_suspicious_the_thresholds_are_said(folder, capsys):
    assert main(["predict", "--model", folder, "天地日月。", "人山", "--ratio", "1e9"]) == 0
    said = capsys.readouterr()
    assert said.out == "天地日月。\n人山\n"
    expected = "nothing is suspicious by --ratio 1e+09 --above 0.3: lower values list more\n"
    assert said.err.endswith(expected)
    for more in (SURE, ["--json", "--ratio", "1e9"]):
        assert main(["predict", "--model", folder, "天地日月。", *more]) == 0
        assert "lower values" not in capsys.readouterr().err
    assert main(["predict", "--model", folder, "  "]) == 0
    assert "lower values" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "give one of: texts, --input PATH, --serve"),
        (["天", "--input", "x"], "give one of: texts, --input PATH, --serve"),
        (["天", "--port", "1"], "--port is of the page: add --serve"),
        (["--input", "nowhere"], "no input matches nowhere"),
        (["\udcff"], "a TEXT is not UTF-8: put it into a file"),
    ],
)
def test_mistakes_are_one_sentence(predict, arguments, sentence):
    error = predict(*arguments, status=1)
    assert error.startswith("error: ")
    assert sentence in error
    assert "unexpected" not in error


def test_help_shows_an_example(capsys):
    with pytest.raises(SystemExit) as exit_code:
        main(["predict", "--help"])
    assert exit_code.value.code == 0
    assert "example:\n  python -m pretrain predict --model" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--ratio", "0.5"],
        ["--ratio", "nan"],
        ["--ratio", "inf"],
        ["--above", "2"],
        ["--port", "99999"],
    ],
)
def test_numbers_out_of_range_are_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as exit_code:
        main(["predict", "--model", "x", "天", *arguments])
    assert exit_code.value.code == 2
    assert "is not a" in capsys.readouterr().err


def test_a_model_without_its_masked_lm_head_is_refused(tmp_path, capsys):
    folder = write_model(tmp_path, without=["cls/predictions"])
    assert main(["predict", "--model", folder, "天"]) == 1
    error = capsys.readouterr().err
    assert "lacks cls/predictions/" in error
    assert "give a checkpoint with its heads" in error


def test_the_other_head_is_not_needed(tmp_path, capsys):
    folder = write_model(tmp_path, without=["cls/seq_relationship", "bert/pooler"])
    assert main(["predict", "--model", folder, "天"]) == 0
    capsys.readouterr()
