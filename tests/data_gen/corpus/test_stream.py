"""Lines that are joined, and documents in one pass: the same as in a build."""

import re

import pytest

from data_gen.corpus import blocks
from data_gen.corpus.blocks import group_into_blocks
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.read import read_blocks
from data_gen.corpus.stream import stream_documents
from data_gen.engine.processes import LocalEngine
from data_gen.jobs.inputs import scan_text_files
from data_gen.shared.errors import UserError
from tests.data_gen.helpers import TEXT, WRITERS, show


@pytest.fixture(scope="module")
def documents(root):
    """The lines of the documents of the test's text."""
    with open(f"{root}/{TEXT}", encoding="utf-8") as handle:
        return [text.split("\n") for text in handle.read().strip().split("\n\n")]


def built(folder, config):
    files = scan_text_files([str(folder)], config, None, LocalEngine(1), show)
    found = [d for b in read_blocks(list(group_into_blocks(files.files)), config) for d in b]
    return files, found


@pytest.mark.parametrize("size", [200, 3000, 1 << 20])
@pytest.mark.parametrize("lines", ["sentence", "wrapped"])
def test_documents_in_one_pass_are_those_of_a_build(
    tmp_path, documents, lines, size, monkeypatch, capsys
):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
    for name, writer in WRITERS.items():
        (tmp_path / name).write_bytes(writer(documents))
    for name in ("csv", "tsv"):
        (tmp_path / name).rename(tmp_path / f"a.{name}")
    (tmp_path / "README.md").write_text("# 说明\n")
    config = CorpusConfig(lines=lines, normalize=["width"])
    _, found = built(tmp_path, config)
    assert list(stream_documents([str(tmp_path)], config)) == found
    assert len(found) >= 10 * len(documents) - len(documents)


def test_one_pass_says_what_a_scan_would(tmp_path):
    for name, content, reason in (
        ("a.jsonl", b"{", r"a\.jsonl, line 1 is not JSON"),
        ("a.txt", b"\xff\n", r"a\.txt, line 1 is not UTF-8 \(byte 1\)"),
        ("a.png", b"\x89PNG\r\n\x1a\n", r"a\.png is an image"),
        ("b.txt", b"\n \n", r"there is no text in .*b\.txt"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=reason):
            list(stream_documents([str(tmp_path / name)], CorpusConfig()))


def wrapped(text, width):
    return [text[i : i + width] for i in range(0, len(text), width)]


@pytest.mark.parametrize("size", [700, 1 << 20])
def test_wrapped_lines_are_joined_counted_and_said(tmp_path, documents, size, monkeypatch, capsys):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
    paragraphs = [re.sub(r"[!-~\s]", "", "".join(document)) for document in documents]
    for name, texts in (("whole", paragraphs), ("cut", [wrapped(p, 30) for p in paragraphs])):
        (tmp_path / name).mkdir()
        lines = texts if name == "whole" else ["\u3000\u3000" + "\n".join(one) for one in texts]
        (tmp_path / name / "a.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _, expected = built(tmp_path / "whole", CorpusConfig())
    assert "hard-wrapped" not in capsys.readouterr().err
    built(tmp_path / "cut", CorpusConfig())
    said = capsys.readouterr().err
    assert "warning: a.txt looks hard-wrapped at 60 columns" in said
    assert "corpus.lines=wrapped" in said
    built(tmp_path / "cut", CorpusConfig(lines="paragraph"))
    files, found = built(tmp_path / "cut", CorpusConfig(lines="wrapped"))
    assert "hard-wrapped" not in capsys.readouterr().err
    sentences = [s for document in found for s in document.sentences]
    original = [s for document in expected for s in document.sentences]
    if size == 1 << 20:
        assert sentences == original
        more = sum(-(-len(paragraph) // 30) - 1 for paragraph in paragraphs)
        assert files.counts() == {"files/text": 1, "joined_lines": more}
    else:  # a document without end is cut between two lines
        assert len(set(original) - set(sentences)) <= 4
