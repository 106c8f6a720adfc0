"""The pages of docs/reference that are generated: they say what the code says today."""

import os
import re
import shlex

import pytest

import data_gen.__main__
import pretrain.__main__
from data_gen.shared.commands import COMMANDS
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
