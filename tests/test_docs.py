"""The pages: no dead link, no unknown command, and two READMEs that say the same."""

import os
import re
import statistics

import pytest

pytest.importorskip("tokenizers")
from data_gen.shared.errors import UserError
from tests.conftest import ROOT
from tests.docs_commands import check
from tests.docs_pages import (
    SHELL,
    Command,
    anchors,
    commands,
    divide,
    headings,
    links,
    original_of,
    pages,
    read,
)

PAGES = pages()

# What a block may need that a test has not.
NEEDS = {"index", "hub", "gpu", "tpu", "cluster", "browser"}


def shape(page):
    return [level for level, _ in headings(page)]


def bash(page):
    """The words of the commands, without comments."""
    return [one.words for one in commands(page) if one.needs != "a look"]


def test_the_pages_are_found():
    assert {"README.md", "README_zh.md", "docs/design.md", "docs/guide/data.md"} <= set(PAGES)
    assert sum(len(commands(page)) for page in PAGES) > 60


@pytest.mark.parametrize("page", PAGES)
def test_links_and_anchors_lead_somewhere(page):
    dead = []
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        there = os.path.exists(os.path.join(ROOT, target)) and not target.startswith("..")
        if not there or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("page", [one for one in PAGES if original_of(one)])
def test_a_translation_has_the_same_headings_commands_and_tables(page):
    original = original_of(page)
    assert shape(page) == shape(original)
    assert bash(page) == bash(original)
    assert [one.needs for one in divide(page)[1]] == [one.needs for one in divide(original)[1]]
    rows = [sum(line.startswith("|") for line in divide(one)[0]) for one in (page, original)]
    assert rows[0] == rows[1]
    assert 0.8 < len(read(page).splitlines()) / len(read(original).splitlines()) < 1.25


def test_a_stranger_finishes_the_readme():
    for page in ("README.md", "README_zh.md"):
        assert len(read(page).splitlines()) <= 150
    pictures = [link for link in links("README.md") if link.endswith(".svg")]
    assert pictures == [link for link in links("README_zh.md") if link.endswith(".svg")]
    assert len(pictures) == 3


PROSE = [one for one in PAGES if not one.startswith(("docs/reference/", "tests/", "CHANGELOG"))]


@pytest.mark.parametrize("page", PROSE)
def test_paragraphs_have_a_human_length(page):
    """In words; two Chinese characters are one."""
    text = re.sub(r"(?m)^([|#!<].*|\s*)$", "", "\n".join(divide(page)[0]))
    text = re.sub(r"(?m)^(\s*(- |\d+\. ))", r"\n\1", text)
    paragraphs = [part for part in re.split(r"\n{2,}", text) if part.strip()]
    words = [len(re.findall(r"[\u4e00-\u9fff]{1,2}|[^\s\u4e00-\u9fff]+", x)) for x in paragraphs]
    assert statistics.median(words) <= 60
    assert max(words) <= 120


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_read_by_the_program_that_it_names(page, tmp_path, monkeypatch):
    """In an empty folder: what it names is shipped, or the reader's own."""
    monkeypatch.chdir(tmp_path)
    for command in commands(page):
        try:
            check(command)
        except (AssertionError, UserError) as error:
            pytest.fail(f"{command}\n{error}")


def test_what_a_block_needs_is_known():
    for page in PAGES:
        for block in divide(page)[1]:
            assert block.needs in {"", *NEEDS}, f"{page}:{block.line}"
            marked = block.needs or block.language not in SHELL
            script = any("bash scripts/" in line for line in block.lines)
            assert marked or not script, f"{page}:{block.line}: mark it, scripts are not run"


@pytest.mark.parametrize(
    "words",
    [
        "python -m data_gen biuld --config tiny --input a --output b",
        "python -m data_gen build --config tiny --input a --outptu b",
        "python -m data_gen build --config tyni --input a --output b",
        "python -m data_gen build --config tiny --input a --output b --set masking.selectro=word",
        "python -m pretrain train --config macbert_512 --data a --output b",
        "python -m pretrain finetune --task xnil --data a --init b --output c",
        "python -m pretrain check-head --model a --input b --set segmenter.name=char",
        "macbert-pretrain build --config tiny",
        "pip install .[data,trian]",
        "bash scripts/train_gpu.sh corpus.txt",
        "bash scripts/build_ray.sh heat 10.0.0.1",
        "bash scripts/build_ray.sh build --config macbert_512 --input a --otuput b",
        "bash scripts/quickstat.sh",
        "python scripts/none.py",
        "python scripts/measure_transformers_masking.py a.txt --jion",
        "python -m tests.campaigns.none",
        "pirp install x",
    ],
)
def test_a_mistake_in_a_command_is_found(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((AssertionError, UserError)):
        check(Command("page.md", 1, "", words.split()))
