"""The command, its page and its picture."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from data_gen.shared.errors import UserError
from pretrain.__main__ import main
from pretrain.learning.stages import StageConfig
from pretrain.report.page import write_picture
from pretrain.report.report import make_report
from pretrain.train.loop import train
from tests.conftest import ROOT
from tests.pretrain.helpers import DATA as GOLDEN
from tests.pretrain.report.helpers import DATA, held_lines, step_lines, write_run
from tests.pretrain.results.helpers import drawn, write_classification

WEB = os.path.join(ROOT, "pretrain", "report", "web")
VOID = {"meta", "link", "input", "wbr"}


class Page(HTMLParser):
    """The text of a page, the attributes of its elements; every element must be closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], []
        self.feed(text)
        assert self.open == ["html"] or self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def count(self, tag, name):
        return sum(t == tag and name in (a.get("class") or "").split() for t, a in self.tags)


def page_of(tmp_path, *folders):
    path = str(tmp_path / "deep" / "report.html")
    assert main(["report", *folders, "--html", path]) == 0
    with open(path, encoding="utf-8") as handle:
        return handle.read()


@pytest.fixture
def two(tmp_path):
    """A training of two stages with held-out data and a probe, and a shorter one without."""
    stages = [StageConfig(num_train_steps=40, train_batch_size=8), StageConfig(num_train_steps=60)]
    held = held_lines(0, 50, 100, probe={"chnsenticorp": {"accuracy": 0.5}})
    data = [{**DATA, "max_seq_length": 64}, DATA]
    return [
        write_run(tmp_path / "runs" / "a<b>", step_lines(100), held, data, stages=stages),
        write_run(tmp_path / "runs" / "全词", step_lines(60), optimizer="lamb"),
    ]


def test_a_training_itself(settings, tmp_path, capsys):
    model = str(tmp_path / "model")
    sets = ["num_train_steps=10", "save_checkpoints_steps=5", "heldout_shards=1", "log_steps=5"]
    train(settings(*sets), [os.path.join(ROOT, GOLDEN)], model, None)
    capsys.readouterr()
    assert main(["report", model]) == 0
    said = capsys.readouterr().out
    assert re.search(r"\nSteps +10 of 10\n", said)
    assert re.search(r"\nMasked pieces found: kept +\S+% → \S+%\n", said)
    assert "\nN-grams, by words: 1 42.9%" in said
    page = Page(page_of(tmp_path, model))
    assert page.count("svg", "plot") >= 10


def test_two_runs_as_text(two, capsys):
    assert main(["report", *two]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split("  ")[0]: line.split()[-2:] for line in lines if line}
    assert rows[""] == ["a<b>", "全词"]
    assert rows["Pieces seen"] == ["143k", "123k"]
    assert rows["optimizer"] == ["adamw", "lamb"]
    assert rows["Pairs told"] == ["50.0%", "-"]


def test_needs_no_tensorflow(tmp_path, two):
    code = (
        "import sys; from pretrain.__main__ import main; "
        "assert main(['report', *sys.argv[1:]]) == 0; assert 'tensorflow' not in sys.modules"
    )
    for options in ([], ["--html", str(tmp_path / "a.html"), "--svg", str(tmp_path / "a.svg")]):
        command = [sys.executable, "-c", code, *two, *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def test_the_page_of_two_runs(tmp_path, two):
    text = page_of(tmp_path, *two)
    page = Page(text)
    said = "".join(page.text)
    assert [a["name"] for t, a in page.tags if a.get("type") == "checkbox"] == ["r0", "r1"]
    assert "a<b> · 全词" in said
    assert "<b>" not in text
    for title in ("Loss", "Settings that differ", "Data", "Speed and optimizer"):
        assert title in page.text
    for meaning in ("cross-entropy, in nats", "padding included"):
        assert meaning in said
    # each chart over steps and over pieces, with the start of the second stage
    charts = json.loads(text.split('id="data">')[1].split("</script>")[0])
    assert page.count("svg", "plot") == len(charts) == 2 * page.count("div", "over-tokens")
    assert page.count("g", "stage") == len(charts)
    assert {c["name"] for chart in charts for c in chart["curves"]} >= {"a<b> held-out", "全词"}


def test_one_run_needs_no_controls(tmp_path, two):
    page = Page(page_of(tmp_path, two[1]))
    assert [t for t, a in page.tags if t == "input"] == []
    assert page.count("div", "over-tokens") == 0
    assert "Settings" in page.text


def test_a_page_needs_nothing_else(tmp_path, two):
    text = page_of(tmp_path, *two)
    assert "default-src 'none'" in text
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|url\(|@import", text)
    assert not re.search(r"<(script|img|iframe)[^>]+src=", text)


def test_the_same_runs_give_the_same_bytes(tmp_path, two):
    assert page_of(tmp_path, *two) == page_of(tmp_path, *two)


def test_a_thousand_steps_and_no_numbers_stay_a_small_page(tmp_path):
    lines = step_lines(20_000)
    lines[700]["loss"] = float("nan")
    text = page_of(tmp_path, write_run(tmp_path / "a", lines))
    assert len(text) < 200_000
    assert "NaN" not in text
    assert "a: Loss, all together is no number at step 7,010" in text


def test_fine_tunings_stand_in_the_table_of_results(tmp_path, two):
    model = [
        write_classification(tmp_path / "tuned" / name, drawn(i, 3, 400, right), model=name)
        for i, (name, right) in enumerate((("none", 0.7), ("a<b>", 0.85)))
    ]
    page = Page(page_of(tmp_path, two[0], str(tmp_path / "tuned")))
    said = "\n".join(page.text)
    assert "Fine-tuning" in page.text
    assert "\na<b>\n" in said
    assert "a<b> is better than none by" in said
    alone = Page(page_of(tmp_path, *model))  # no training at all
    assert "chnsenticorp" in alone.text


def test_fine_tunings_that_cannot_be_compared_stand_alone(tmp_path, capsys):
    for name, sha in (("x", "abc"), ("y", "def")):
        write_classification(tmp_path / name, [[1, 0], [1, 1]], model=name, sha256=sha)
    assert main(["report", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.count("max (mean) +- sd") == 2
    assert "note: chnsenticorp: x (" in said


def test_a_picture_for_a_readme(tmp_path, two, capsys):
    path = tmp_path / "curve.svg"
    assert main(["report", two[0], "--svg", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    text = path.read_text(encoding="utf-8")
    assert re.findall(r'class="title"[^>]*>([^<]*)', text) == [
        *("Loss of the masked pieces", "Loss of the pairs", "Masked pieces found", "Pairs told"),
    ]
    Page(text)
    # of a training without parts: what there is
    lines = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}]
    write_picture(str(path), make_report([write_run(tmp_path / "c", lines)]))
    assert path.read_text(encoding="utf-8").count('class="title"') == 1


def test_files_of_others_are_not_written_over(tmp_path, two, capsys):
    other = tmp_path / "notes.html"
    other.write_text("mine")
    for options in (["--html", str(other)], ["--svg", str(other)], ["--html", str(tmp_path)]):
        assert main(["report", two[0], *options]) == 1
        assert capsys.readouterr().err.count("\n") == 1
    assert other.read_text() == "mine"


def test_no_curves_are_no_picture(tmp_path):
    tuned = write_classification(tmp_path / "x", [[1, 0], [1, 1]])
    with pytest.raises(UserError, match="there is no loss and no accuracy to draw"):
        write_picture(str(tmp_path / "a.svg"), make_report([tuned]))


def test_a_bad_run_is_one_sentence(tmp_path, capsys):
    assert main(["report", str(tmp_path / "absent"), "--html", str(tmp_path / "a.html")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "a.html").exists()


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return sum(x * y for x, y in zip(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("dark", [False, True])
def test_contrast_of_text_and_curves(dark):
    colours = {}
    for name in ("chart.css", "page.css"):
        with open(os.path.join(WEB, name), encoding="utf-8") as handle:
            blocks = re.findall(r":root \{([^}]*--[^}]*)\}", handle.read())
        assert len(blocks) == 2
        colours.update(re.findall(r"--([\w-]+): (#\w+)", blocks[dark]))
    pairs = [(ink, back) for ink in ("ink", "soft") for back in ("card", "back")]
    pairs += [(f"c{n}", "card") for n in range(8)] + [("ink", "note"), ("accent", "back")]
    for one, other in pairs:
        low, high = sorted((luminance(colours[one]), luminance(colours[other])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (one, other)
