"""Pages that follow from the code: those of docs/reference that are generated, and the tables of
docs/recipes.md.
"""

import itertools
import json
import os
import re
import shlex

import pytest

import data_gen.__main__
import pretrain.__main__
from data_gen.shared.commands import COMMANDS
from data_gen.shared.settings import load_settings
from data_gen.shared.shipped import setting_names
from pretrain.config import TrainConfig
from scripts import reference

FOLDER = os.path.join("docs", "reference")


def lines_of(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as handle:
        return handle.read().splitlines()


@pytest.mark.parametrize("name", sorted(reference.PAGES))
def test_a_page_is_what_the_code_generates(name):
    written, generated = lines_of(name), reference.PAGES[name]().splitlines()
    differing = [line for line in generated if line not in written][:3]
    assert written == generated, f"run `{reference.COMMAND}`; new lines: {differing}"


def test_every_setting_has_its_meaning_its_source_and_its_choices():
    rows = [
        re.split(r" (?<!\\)\| ", line.strip("| "))
        for line in reference.PAGES["settings.md"]().splitlines()
        if line.startswith("| `") and line.count(" | ") >= 4
    ]
    settings = {row[0]: row for row in rows if len(row) == 5}
    assert len(settings) > 80
    assert not [row for row in settings.values() if not all(cell.strip() for cell in row)]
    assert settings["`masking.selector`"][2] == "`piece`, `word`, `ngram`, `ngram_in_order`"
    assert settings["`masking.skip`"][2].startswith("list of `punctuation`, ")
    assert "paper IV-A" in settings["`masking.ngram_weights`"][4]
    assert not re.search(r"a name in \w", " ".join(map(str, rows)))


def test_every_command_has_its_arguments_and_an_example_that_parses():
    page = reference.PAGES["commands.md"]()
    titles = re.findall(r"^### (.*)$", page, re.MULTILINE)
    known = [f"{p.split()[-1]} {name}" for p, names in COMMANDS.items() for name in names]
    assert sorted(titles) == sorted(known)
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert not [row for row in rows if row.endswith("|  |")]
    parsers = {"data_gen": data_gen.__main__, "pretrain": pretrain.__main__}
    sections = [
        re.findall(r"```text\n(.*?)\n```", part, re.DOTALL) for part in page.split("\n### ")
    ]
    examples = [blocks[1] for blocks in sections[1:]]  # after the usage
    assert len(examples) == len(titles)
    for example in examples:
        for command in example.replace("\\\n", " ").splitlines():
            _, _, package, *words = shlex.split(command)
            parsers[package].make_parser().parse_args(words)


def table(page, first):
    """The rows of the table of a page whose head begins with `first`, as cells."""
    with open(page, encoding="utf-8") as handle:
        lines = handle.read().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[start + 2 :])
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


RECIPES = {"docs/recipes.md": ("model", "the question"), "docs/zh/recipes.md": ("模型", "问题")}


@pytest.mark.parametrize("page", sorted(RECIPES))
def test_the_recipes_are_the_presets(page):
    for row in table(page, RECIPES[page][0]):
        config = load_settings(TrainConfig, row[2].strip("`"))
        stages = config.values_of_stages()
        batches = [int(n) for n in re.findall(r"\d+", row[6].replace(",", ""))]
        assert batches == [values["train_batch_size"] for values in stages]
        optimizer, rate = re.match(r"(\w+)[,，]\s*([\de-]+)", row[7]).groups()
        assert optimizer.lower() == config.optimizer
        assert {float(rate)} == {values["learning_rate"] for values in stages}
        if page == "docs/recipes.md" and row[2] != "`continue`":
            plain = row[5].replace(",", "").replace("K", "000").replace("M", "000000")
            steps = [int(n) for n in re.findall(r"(\d+)(?: steps)? at", plain)]
            assert steps == [values["num_train_steps"] for values in stages]


@pytest.mark.parametrize("page", sorted(RECIPES))
def test_the_open_points_are_settings_and_statistics(page):
    rows = table(page, RECIPES[page][1])
    assert len(rows) == 14
    with open("tests/golden/dataset/dataset.json", encoding="utf-8") as handle:
        counted = json.load(handle)["statistics"]
    known = setting_names("data")
    for row in rows:
        for name in re.findall(r"`((?:masking|synonyms|pairs|corpus|segmenter)\.\w+)`", row[1]):
            assert name in known
        for name in re.findall(r"`(\w+)`", row[2]):
            assert name in counted, row


def test_where_a_new_thing_goes_is_there():
    rows = table("CONTRIBUTING.md", "what")
    assert len(rows) >= 13
    for row in rows:
        for path, name in re.findall(r"`([\w/]+\.py)`: `([A-Z_]+)`", " ".join(row)):
            with open(path, encoding="utf-8") as handle:
                assert re.search(rf"^{name}\b", handle.read(), re.MULTILINE), (path, name)
        for path in re.findall(r"`((?:tests|data_gen|pretrain)/[\w/.]+)`", " ".join(row)):
            assert os.path.exists(path), path
