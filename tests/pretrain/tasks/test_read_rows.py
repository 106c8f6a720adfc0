import bz2
import gzip
import lzma
import sys

import pytest

from data_gen.shared.errors import UserError
from pretrain.tasks.read_rows import read_rows

HEADINGS = ("label", "text")
WITHOUT_HEADER = {2: ("text", "label"), 3: ("text_a", "text_b", "label")}


def rows(path):
    return [(row.place, row.values) for row in read_rows(path, HEADINGS, WITHOUT_HEADER)]


def error(path):
    with pytest.raises(UserError) as caught:
        rows(path)
    return str(caught.value)[len(path) :]


def test_a_header_names_the_columns(write):
    path = write("a.tsv", "Label\ttext\n1\t很好\n0\t不好\n")
    assert rows(path) == [
        ("line 2", {"label": "1", "text": "很好"}),
        ("line 3", {"label": "0", "text": "不好"}),
    ]


def test_without_a_header_the_place_does(write):
    path = write("a.txt", "喜欢打篮球的男生\t爱打篮球的男生\t1\r\n我手机丢了\t我想换手机\t0\r\n")
    assert rows(path) == [
        ("line 1", {"text_a": "喜欢打篮球的男生", "text_b": "爱打篮球的男生", "label": "1"}),
        ("line 2", {"text_a": "我手机丢了", "text_b": "我想换手机", "label": "0"}),
    ]


def test_quotes_are_ordinary_characters_in_tsv(write):
    path = write("a.tsv", '"房间"小\t0\n"一晚，吵\t0\n')
    assert [values["text"] for _, values in rows(path)] == ['"房间"小', '"一晚，吵']


def test_quotes_quote_in_csv(write):
    path = write("a.csv", 'label,text\r\n1,"快,""香""\n好吃"\r\n0,慢\r\n')
    assert rows(path) == [
        ("line 2", {"label": "1", "text": '快,"香"\n好吃'}),
        ("line 4", {"label": "0", "text": "慢"}),
    ]


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\0", "\x0b", "\x0c", "\x1e", "\r"])
def test_only_a_newline_ends_a_line_of_tsv(write, mark):
    path = write("a.tsv", f"好{mark}吃\t1\n慢\t0\n")
    assert [values["text"] for _, values in rows(path)] == [f"好{mark}吃", "慢"]


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\x0c", "\x1e"])
def test_nor_does_another_mark_end_a_line_of_csv_or_json(write, mark):
    path = write("a.csv", f"好{mark}吃,1\n慢,0\n")
    assert [values["text"] for _, values in rows(path)] == [f"好{mark}吃", "慢"]
    escaped = mark if mark > "\x1f" else f"\\u{ord(mark):04x}"
    path = write("a.jsonl", f'{{"text": "好{escaped}吃"}}\n{{"text": "慢"}}\n')
    assert [values["text"] for _, values in rows(path)] == [f"好{mark}吃", "慢"]


@pytest.mark.parametrize("name", ["a.tsv", "a.csv", "a.json"])
def test_a_byte_order_mark_is_no_text(write, name):
    line = '{"text": "好", "label": "1"}' if name == "a.json" else "text\tlabel\n好\t1"
    line = line.replace("\t", ",") if name == "a.csv" else line
    path = write(name, b"\xef\xbb\xbf" + line.encode("utf-8"))
    assert [values for _, values in rows(path)] == [{"text": "好", "label": "1"}]


def test_json_lines_and_a_json_array(write):
    path = write("a.json", '{"id": 7, "Text": "好"}\n\n{"id": 8, "Text": "坏"}')
    assert rows(path) == [
        ("line 1", {"id": 7, "text": "好"}),
        ("line 3", {"id": 8, "text": "坏"}),
    ]
    path = write("b.json", ' [{"text": "好"},\n{"text": "坏"}]')
    assert rows(path) == [("entry 1", {"text": "好"}), ("entry 2", {"text": "坏"})]


def test_an_empty_file_has_no_rows(write):
    for name in ("a.tsv", "a.csv", "a.json"):
        assert rows(write(name, "")) == rows(write(name, "\n\n")) == []


@pytest.mark.skipif(sys.version_info >= (3, 9), reason="is about Python 3.7")
def test_on_an_old_python_a_packed_file_names_the_newer_one(write):
    path = write("a.tsv.zst", b"")
    with pytest.raises(UserError, match=r"needs Python 3\.9 or newer: there, pip .*\[data\]"):
        rows(path)


@pytest.mark.skipif(sys.version_info < (3, 9), reason="packed files need the generator")
def test_packed_files(write):
    pytest.importorskip("zstandard")
    import zstandard

    packers = {
        ".gz": gzip.compress,
        ".bz2": bz2.compress,
        ".xz": lzma.compress,
        ".zst": zstandard.compress,
    }
    for suffix, pack in packers.items():
        path = write(f"a.tsv{suffix}", pack("好\t1\n".encode()))
        assert rows(path) == [("line 1", {"text": "好", "label": "1"})]
    path = write("b.tsv.gz", gzip.compress("好\t1\n".encode() * 1000)[:-9])
    with pytest.raises(UserError, match=r"cannot read .*b.tsv.gz"):
        rows(path)


@pytest.mark.parametrize(
    ("name", "content", "begins"),
    [
        (
            "a.tsv",
            "好\t1\n快\t又快\t1\n",
            ", line 2 has 3 columns, where the lines before have 2: a",
        ),
        ("a.tsv", "好\t1\n\n慢\t0\n", ", line 2 has 1 columns"),
        (
            "a.csv",
            "好,1\n快,又快,1\n",
            ", line 2 has 3 columns, where the lines before have 2: a te",
        ),
        (
            "a.tsv",
            "1\t2\t3\t好\n",
            " has 4 columns without names: write a first line that names the",
        ),
        ("a.tsv", "text\ttext\n好\t坏\n", ', line 1 names two columns "text": name them apart'),
        ("a.csv", '好,1\n"快,0\n慢,0\n', ", line 2 is not CSV: a field that holds quotes"),
        ("a.csv", '好,1\n"快"吗,0\n', ", line 2 is not CSV"),
        ("a.csv", "好,1\n快\r慢,0\n", ", line 2 is not CSV"),
        ("a.tsv", "好\t1\n快\t0\n".encode("gb18030"), ", line 1 is not UTF-8: convert the file"),
        ("a.tsv", "好\t1\n".encode() + b"\xff\t0\n", ", line 2 is not UTF-8"),
        ("a.json", '{"text": "好"}\n{"text": \n', ", line 2 is not JSON (Expecting value)"),
        ("a.json", '[{"text": "好"},\n{"text" "坏"}]', ", line 2 is not JSON ("),
        ("a.json", '{"text": "好"}\n["坏"]\n', ", line 2 is not an object"),
        ("a.json", '[{"text": "好"}, 3]', ", entry 2 is not an object"),
        ("a.xlsx", "好\t1\n", " ends in none of .tsv, .txt, .csv, .json, .jsonl: rename it"),
    ],
)
def test_errors_name_the_line(write, name, content, begins):
    assert error(write(name, content)).startswith(begins)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*none.tsv: No such file"):
        rows(str(tmp_path / "none.tsv"))
