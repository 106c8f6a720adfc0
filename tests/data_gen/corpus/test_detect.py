"""What a file is: by its name and its first bytes."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile

import fsspec
import pytest
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem

from data_gen.__main__ import main
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.detection.detect import detect
from data_gen.corpus.detection.refused import REFUSED
from data_gen.corpus.stream import stream_lines
from data_gen.engine.processes import LocalEngine
from data_gen.jobs.inputs import scan_text_files
from data_gen.shared.errors import UserError
from tests.data_gen.helpers import WRITERS, as_arrow, scan, show

DOCUMENTS = [["一。", "二。"], ["三。"]]


def packed_tar(mode):
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode=mode) as archive:
        entry = tarfile.TarInfo("a.txt")
        entry.size = 6
        archive.addfile(entry, io.BytesIO("一。".encode()))
    return written.getvalue()


def zipped(name):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr(name, "一。")
    return written.getvalue()


@pytest.mark.parametrize(
    ("name", "head", "form"),
    [
        ("a.txt", "山路很长。", "text"),
        ("README.md", "# 说明\n\n文。", "text"),
        ("wiki_00", '{"text": "好。"}\n', "jsonl"),
        ("a.txt", '\ufeff \n{"text": "好。"}', "jsonl"),
        ("a.json", '{"text": "好。"}', "jsonl"),
        ("a.json", '{"text": "好', "jsonl"),  # longer than what is looked at
        ("a.JSONLINES", '{"text": "好。"}\n', "jsonl"),
        ("a.ndjson", "好。\n", "jsonl"),  # its error names the line
        ("a.jsonl", '[{"text": "好。"}]', "json"),
        ("a.txt", '[\n  {"text": "好。"}\n]', "json"),
        ("a.json", "[]", "json"),
        ("a.json", '["好。", "坏。"]', "json"),
        ("a.json", '{\n  "text": "好。"\n}', "json"),
        ("a.txt", '{"id": "1", "revid": "2", "url": "u", "title": "t", "text": "x"}', None),
        ("a", '{"id": 1, "url": "https://x?curid=1", "title": "t", "text": "x"}\n', None),
        ("a", '{"id": 1, "url": "https://x/t", "title": "t", "text": "x"}\n', "jsonl"),
        ("wiki_00", '<doc id="1" url="u" title="t">\nt\n\n好。\n</doc>\n', "wikiextractor"),
        ("a.csv", "id,text\n1,好。\n", "csv"),
        ("a.TSV", "id\ttext\n1\t好。\n", "tsv"),
        ("a.json", '{"text": "好。"}{"text": "坏。"}', "json"),  # one after another on a line
        ("a.txt", '[0, "好。"]\n[1, "坏。"]\n', "jsonl"),  # its error names the line
        ("a.txt", '"\\u597d\\u3002"\n"\\u574f"\n', "jsonl"),
        # tables whose name says nothing
        ("train.txt", "label\ttext\n1\t好。\n0\t坏。\n", "tsv"),
        ("train", 'id,text\n1,好。\n2,"坏,很坏。"\n', "csv"),
        # begins like something else, and is text
        ("a.txt", "\t开头空着。\n\t每行都是。\n\t好。\n", "text"),
        ("a.txt", "目录\t页\n好。\n第一章\t2\n第二章\t3\n", "text"),
        ("a.txt", "一\t二\n三\t四\n", "text"),  # two lines may be chance
        ("a.txt", "好,是的\n来,走吧\n去,看看\n", "text"),
        ("a.txt", "hello,world\n来,走吧\n好。\n", "text"),
        ("a.txt", '"你好。"\n"再见。"\n', "text"),
        ("a.txt", "[1, 2]\n[3]\n", "text"),
        ("a.txt", "[1] 参考文献\n", "text"),
        ("a.txt", "[{注}] 一个例子\n", "text"),
        ("a.txt", '["引号"]是这样写的。\n', "text"),
        ("a.txt", "[图片]\n说明", "text"),
        ("a.txt", "{{cite}} 条目\n", "text"),
        ("a.txt", '{"花括号"} 里的字\n', "text"),
        ("a.txt", "<b>粗体</b>\n", "text"),
        ("a.txt", "<<史记>>\n", "text"),
        ("a.txt", "<headline>\n正文。\n", "text"),
        ("a.txt", "PK 一下\n", "text"),
        ("a.txt", "BZh9 是一个词\n", "text"),
        ("a.txt", "%PDF 是格式\n", "text"),
        ("a.txt", "GIF 图\n", "text"),
        ("a.txt", "id,text\n1,好。\n", "text"),
    ],
)
def test_the_form_of_text(name, head, form):
    for text in (head.encode(), head.encode("utf-16")):
        assert detect(text, name, packed=False).form == (form or "wikiextractor_json")


def test_text_in_other_encodings_is_text():
    for encoding in ("gb18030", "big5", "utf-16-le", "utf-16-be"):
        text = "天氣很好。他說：我們去公園。\n".encode(encoding)
        assert detect(text, "a.txt", packed=False).form == "text", encoding


KINDS = {
    "dump.xml": ("MediaWiki XML", b'<mediawiki xmlns="http://www.mediawiki.org/">\n<page>'),
    "dump2.txt": ("MediaWiki XML", b'<?xml version="1.0"?>\n<mediawiki>\n'),
    "a.html": ("HTML", "<!DOCTYPE html>\n<p>好。".encode()),
    "b.txt": ("HTML", "\ufeff<!-- 注 -->\n<HTML lang=zh>".encode()),
    "c.htm": ("HTML", "<div>好。</div>".encode()),
    "a.xml": ("XML", "<book>好。</book>".encode()),
    "sogou.txt": ("XML", "<doc>\n<url>http://x</url>\n<content>好。</content>\n</doc>\n".encode()),
    "b.rss": ("XML", b'<?xml version="1.0" encoding="utf-8"?>\n<rss>'),
    "cnews.train.txt": (
        "table without names",
        "体育\t马晓旭受伤。\n".encode() * 9,
    ),
    "a.tex": ("LaTeX", "\\documentclass{article}\n好。".encode()),
    "a.srt": ("subtitles", "1\n00:00:01,000 --> 00:00:02,000\n好。\n".encode()),
    "clean.py": ("source code", "print('好。')\n".encode()),
    "a.ipynb": ("source code", b'{"cells": [], "nbformat": 4}'),
    "a.yaml": ("settings", "text: 好。\n".encode()),
    "train.log": ("log", "2026-01-01 好。\n".encode()),
    "a.eml": ("mail", "Subject: x\n\n好。\n".encode()),
    "utf32.txt": ("UTF-32", "好。".encode("utf-32")),
    "hz.txt": ("text of seven bits", "天气很好，我们去了。\n".encode("hz")),
    "iso2022.txt": ("text of seven bits", "天気はいい。\n".encode("iso2022_jp")),
    "a.zip": ("archive", zipped("a.txt")),
    "a.tar": ("archive", packed_tar("w")),
    "a.7z": ("archive", b"7z\xbc\xaf\x27\x1c\0\4"),
    "a.rar": ("archive", b"Rar!\x1a\x07\x01\0"),
    "a.docx": ("office document", zipped("[Content_Types].xml")),
    "a.doc": ("office document", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0"),
    "a.pdf": ("PDF", b"%PDF-1.7\n%\xe2\xe3"),
    "a.png": ("image", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    "a.jpg": ("image", b"\xff\xd8\xff\xe0\0\x10JFIF"),
    "a.gif": ("image", b"GIF89a\x01\0"),
    "a.webp": ("image", b"RIFF\x24\0\0\0WEBPVP8 "),
    "a.mp3": ("sound or film", b"ID3\x03\0\0\0\0"),
    "a.mp4": ("sound or film", b"\0\0\0\x20ftypisom"),
    "packed": ("packed file", gzip.compress(b"x" * 50)),
    "packed2": ("packed file", bz2.compress(b"x" * 50)),
    "packed3": ("packed file", lzma.compress(b"x" * 50)),
    "a.feather": ("Feather of version 1", b"FEA1\0\0\0\0"),
    "a.bin": ("binary data", bytes(range(256)) * 20),
    "a.npy": ("binary data", b"\x93NUMPY\x01\0v\0{'descr'" + b"\0" * 50),
}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_what_is_no_text_is_refused_by_name_with_what_to_do(tmp_path, name):
    kind, content = KINDS[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as error:
        scan(str(tmp_path / name), name)
    assert str(error.value) == f"{tmp_path / name} {REFUSED[kind]}"


@pytest.mark.parametrize("name", ["dump.xml", "a.html", "sogou.txt"])
def test_markup_is_read_as_text_where_a_user_says_so(tmp_path, name):
    (tmp_path / name).write_bytes(KINDS[name][1])
    assert scan(str(tmp_path / name), name, CorpusConfig(format="text")).form == "text"


def test_a_file_packed_twice_is_named(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(gzip.compress("好。".encode())))
    with pytest.raises(UserError, match="is packed twice: unpack it once"):
        scan(str(tmp_path / "a.txt.gz"), "a.txt")


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_the_archive_within_a_packing_is_named(tmp_path, mode):
    path = tmp_path / f"a.tar.{mode[2:]}"
    path.write_bytes(packed_tar(mode))
    with pytest.raises(UserError, match=r"a\.tar\.\w+ is an archive: unpack it"):
        scan(str(path), "a.tar")


@pytest.mark.parametrize("form", ["auto", "parquet"])
def test_a_packed_parquet_file_is_named(tmp_path, form):
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress(WRITERS["parquet"](DOCUMENTS)))
    with pytest.raises(UserError, match="is a packed Parquet or Arrow file: unpack it"):
        scan(str(tmp_path / "a.parquet.gz"), "a.parquet", CorpusConfig(format=form))


def test_in_a_folder_they_are_skipped_counted_and_said_once(tmp_path, capsys):
    for name, (_, content) in KINDS.items():
        (tmp_path / name).write_bytes(content)
    for name in ("README.md", "LICENSE", "dataset_info.json", "state.json", "_SUCCESS"):
        (tmp_path / name).write_bytes(b"{}")
    for name in ("cache-12ab.arrow", "empty.txt", ".DS_Store"):
        (tmp_path / name).write_bytes(b"")
    for name, written in (
        ("a.txt", WRITERS["text"](DOCUMENTS)),
        ("wiki_00", WRITERS["wikiextractor"](DOCUMENTS)),
        ("a.json", WRITERS["json"](DOCUMENTS)),
        ("a.parquet", WRITERS["parquet"](DOCUMENTS)),
        ("data-00000-of-00001.arrow", as_arrow(DOCUMENTS)),
        ("b.arrow", as_arrow(DOCUMENTS, stream=False)),
    ):
        (tmp_path / name).write_bytes(written)
    for patterns in ([str(tmp_path)], [f"{tmp_path}/*"]):
        found = scan_text_files(patterns, CorpusConfig(), None, LocalEngine(1), show)
        counts = found.counts()
        forms = {name: count for name, count in counts.items() if name.startswith("files/")}
        assert forms == {
            "files/text": 1,
            "files/wikiextractor": 1,
            "files/json": 1,
            "files/parquet": 1,
            "files/arrow": 2,
        }
        assert counts["skipped_files/image"] == 4
        assert counts["skipped_files/archive"] == 4
        assert counts["skipped_files/description"] == 5
        assert counts["skipped_files/cache"] == counts["skipped_files/empty"] == 1
        assert sum(counts.values()) == 6 + len(KINDS) + 7
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "4 x image (a.gif, ...)" in said


def test_a_readme_that_is_named_is_text(tmp_path):
    (tmp_path / "README.md").write_text("# 说明\n")
    found = scan_text_files([f"{tmp_path}/README.md"], CorpusConfig(), None, LocalEngine(1), show)
    assert found.counts() == {"files/text": 1}


def test_a_folder_without_text_says_what_it_holds(tmp_path):
    (tmp_path / "a.png").write_bytes(KINDS["a.png"][1])
    with pytest.raises(UserError, match=r"there is no text in .*: nothing but 1 x image \(a.png\)"):
        scan_text_files([str(tmp_path)], CorpusConfig(), None, LocalEngine(1), show)


def test_a_text_with_a_nul_byte_is_no_binary_file(tmp_path):
    text = ("山路很长。\n" * 200).encode()
    (tmp_path / "a.txt").write_bytes(text + b"a\0b\n" + text)
    with pytest.raises(UserError, match=r"a\.txt, line 201 holds a NUL byte"):
        scan(str(tmp_path / "a.txt"), "a.txt")
    found = scan(str(tmp_path / "a.txt"), "a.txt", CorpusConfig(bad_bytes="replace"))
    assert found.counts.replaced_bytes == 1


def test_links_that_lead_nowhere_or_in_circles_are_one_sentence(tmp_path):
    os.symlink(tmp_path / "b", tmp_path / "a")
    os.symlink(tmp_path / "a", tmp_path / "b")
    with pytest.raises(UserError, match=r"cannot read .*/[ab]: "):
        scan_text_files([str(tmp_path)], CorpusConfig(), None, LocalEngine(1), show)


class Hub(DirFileSystem):
    """A stand-in for the Hugging Face hub: files below hf://."""

    protocol = "hf"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A dataset on the hub: a function that gives its URL."""
    folder = tmp_path / "hub" / "datasets" / "owner" / "name"
    folder.mkdir(parents=True)
    for i in range(2):
        written = WRITERS["parquet"]([[f"第{i}篇。", "好。"]] * 3)
        (folder / f"train-{i}.parquet").write_bytes(written)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    (folder / ".gitattributes").write_text("*.parquet filter=lfs\n")

    def to_fs(url):
        inner = url.split("://")[1].strip("/")
        return Hub(path=str(tmp_path / "hub"), fs=LocalFileSystem()), inner

    monkeypatch.setattr("fsspec.core.url_to_fs", to_fs)
    assert fsspec.core.url_to_fs is to_fs
    return "hf://datasets/owner/name"


@pytest.mark.parametrize("pattern", ["", "/*", "/*.parquet", "/train-0.parquet"])
def test_files_of_the_hub_are_read_as_local_ones(hub, pattern):
    found = scan_text_files([hub + pattern], CorpusConfig(), None, LocalEngine(1), show)
    assert [file.name for file in found.files] == [
        f"train-{i}.parquet" for i in range(1 if "0" in pattern else 2)
    ]
    assert {file.form for file in found.files} == {"parquet"}


def test_standard_input_is_an_input(tmp_path, capsys, monkeypatch):
    from data_gen.storage.standard_input import standard_input

    standard_input.cache_clear()
    text = io.TextIOWrapper(io.BytesIO(WRITERS["jsonl"]([["今天天气很好。", "我们去公园。"]] * 9)))
    monkeypatch.setattr("sys.stdin", text)
    argv = ["build", "--config", "configs/data/tiny.yaml", "--input", "-", "--workers", "1"]
    argv += ["--output", str(tmp_path / "out"), "--set", "segmenter.name=char"]
    argv += ["--set", "masking.corruption=partial_mask"]
    assert main(argv) == 0, capsys.readouterr().err
    assert main(["stats", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "jsonl 1" in said
    standard_input.cache_clear()


@pytest.mark.parametrize("content", ["一\t二\n" * 5, "text_a\ttext_b\n" + "一\t二\n" * 5])
def test_a_reader_of_lines_has_their_tabs(tmp_path, content):
    """As `predict` has them, for models of pairs."""
    (tmp_path / "pairs.txt").write_text(content)
    found = [*stream_lines([str(tmp_path / "pairs.txt")], CorpusConfig())]
    assert "\n".join(found).rstrip("\n") == content.rstrip("\n")
