"""Encodings, damaged bytes, ends of lines, long lines: the text comes out whole or is named."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.corpus import blocks
from data_gen.corpus.blocks import group_into_blocks
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.detection.encodings import CODECS, guess_encoding
from data_gen.corpus.forms import decoded, long_lines
from data_gen.corpus.forms.decoded import read_lines
from data_gen.corpus.forms.form import Source
from data_gen.corpus.forms.long_lines import shorten
from data_gen.corpus.read import read_blocks
from data_gen.engine.processes import LocalEngine
from data_gen.jobs.inputs import scan_text_files
from data_gen.shared.errors import UserError
from tests.data_gen.helpers import WRITERS, scan, show

TEXT = "天氣很好。我們去公園。\n他說：「走吧！」\n\n第二篇。\n"


def documents(path, **settings):
    config = CorpusConfig(**settings)
    files = [scan(str(path), "a.txt", config)]
    return [
        list(d.sentences)
        for block in read_blocks(list(group_into_blocks(files)), config)
        for d in block
    ]


EXPECTED = [["天氣很好。", "我們去公園。", "他說：「走吧！」"], ["第二篇。"]]


@pytest.mark.parametrize("setting", ["named", "auto"])
@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "gb18030", "big5", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("chunk", [1, 3, 1 << 18])
def test_every_encoding_and_end_of_line_is_the_same_text(
    tmp_path, setting, codec, ends, chunk, monkeypatch
):
    (tmp_path / "a").write_bytes(TEXT.replace("\n", ends).encode(codec))
    monkeypatch.setattr(decoded, "CHUNK", chunk)
    encoding = next(name for name in CODECS if codec.startswith(name))
    found = documents(tmp_path / "a", encoding="auto" if setting == "auto" else encoding)
    assert found == EXPECTED


@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "tsv", "wikiextractor", "line"])
@pytest.mark.parametrize("encoding", ["gb18030", "big5", "utf-16"])
def test_every_form_may_be_of_another_encoding(tmp_path, form, encoding):
    written = WRITERS[form]([["天氣很好。"], ["第二篇。"]]).decode().encode(encoding)
    (tmp_path / "a").write_bytes(written)
    assert documents(tmp_path / "a", encoding="auto", format=form) == [["天氣很好。"], ["第二篇。"]]


def scan_all(folder, **settings):
    return scan_text_files([str(folder)], CorpusConfig(**settings), None, LocalEngine(1), show)


def test_all_files_of_other_encodings_are_named_at_once_with_the_advice_that_fits(tmp_path):
    for name, codec in (("b", "gb18030"), ("c", "big5"), ("d", "utf-16"), ("a", "utf-8")):
        (tmp_path / f"{name}.txt").write_bytes(TEXT.encode(codec))
    (tmp_path / "e.txt").write_bytes((TEXT * 5).encode() + b"\n\xd6\xd0\xb9\xfa\n")
    (tmp_path / "f.txt").write_bytes(TEXT.encode("gb18030"))
    with pytest.raises(UserError) as error:
        scan_all(tmp_path)
    said = str(error.value)
    assert "\n" not in said
    assert "a.txt" not in said
    assert "2 files are not UTF-8: this reads as GB18030: add --set corpus.encoding=auto" in said
    assert f": {tmp_path}/b.txt, line 1 (byte 1); {tmp_path}/f.txt, line 1 (byte 1)" in said
    assert "c.txt, line 1 is not UTF-8 (byte 1): this reads as BIG5: add --set corpus.enc" in said
    assert "d.txt, line 1 is not UTF-8 (byte 1): this reads as UTF-16" in said
    assert "e.txt, line 22 is not UTF-8 (byte 1): the rest is UTF-8" in said
    assert "corpus.bad_bytes=replace or skip_line" in said
    (tmp_path / "e.txt").unlink()
    assert scan_all(tmp_path, encoding="auto").counts() == {"files/text": 5}


def test_a_file_of_utf8_is_not_read_as_another_encoding(tmp_path):
    """Most UTF-8 can be decoded as GB18030: to other characters."""
    (tmp_path / "a.txt").write_bytes(TEXT.encode())
    assert TEXT.encode().decode("gb18030", "ignore")
    for encoding in ("gb18030", "big5", "utf-16"):
        with pytest.raises(UserError, match=r"a\.txt is UTF-8, not .*: set corpus\.encoding=auto"):
            documents(tmp_path / "a.txt", encoding=encoding)
    (tmp_path / "b.txt").write_bytes(b"plain ASCII text\n" * 4)
    with pytest.raises(UserError, match=r"b\.txt is UTF-8, not UTF-16"):
        documents(tmp_path / "b.txt", encoding="utf-16")
    assert documents(tmp_path / "b.txt", encoding="gb18030") == [["plain ASCII text"] * 4]


DAMAGED = "天气很好。\n".encode() * 9 + b"\xe4\xb8\n" + "\n坏\n".encode() + b"a\xff\xfeb\n\xe5\xa5"


def test_damaged_bytes_are_replaced_or_their_lines_skipped_and_counted(tmp_path):
    (tmp_path / "a.txt").write_bytes(DAMAGED)
    with pytest.raises(UserError, match=r"a\.txt, line 10 is not UTF-8 \(byte 1\): the rest is"):
        scan_all(tmp_path)
    found = scan_all(tmp_path, bad_bytes="replace")
    assert found.counts() == {"files/text": 1, "replaced_bytes": 6}
    bad = "\ufffd\ufffd"
    assert documents(tmp_path / "a.txt", bad_bytes="replace") == [
        ["天气很好。"] * 9 + [bad],
        ["坏", f"a{bad}b", bad],
    ]
    assert scan_all(tmp_path, bad_bytes="skip_line").counts() == {
        "files/text": 1,
        "skipped_lines": 3,
    }
    assert documents(tmp_path / "a.txt", bad_bytes="skip_line") == [["天气很好。"] * 9, ["坏"]]


@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "tsv"])
def test_damaged_records_are_skipped_or_mended_in_every_form(tmp_path, form):
    written = WRITERS[form]([["天气很好。"]] * 5 + [["坏字在这里。"], ["二。"]])
    if form == "jsonl":
        written = written.replace("坏".encode("unicode_escape"), "坏".encode())
    assert "坏".encode() in written
    (tmp_path / "a").write_bytes(written.replace("坏".encode(), b"\xff"))
    mended = documents(tmp_path / "a", format=form, bad_bytes="replace")
    assert mended == [["天气很好。"]] * 5 + [["\ufffd字在这里。"], ["二。"]]
    skipped = documents(tmp_path / "a", format=form, bad_bytes="skip_line")
    assert skipped == [["天气很好。"]] * 5 + [["二。"]]


@pytest.mark.parametrize("bad_bytes", ["replace", "skip_line"])
def test_a_text_of_another_encoding_is_not_taken_for_damage(tmp_path, bad_bytes):
    (tmp_path / "a.txt").write_bytes((TEXT * 3).encode("gb18030"))
    with pytest.raises(UserError, match="this reads as GB18030"):
        documents(tmp_path / "a.txt", bad_bytes=bad_bytes)


def test_a_character_of_the_replacement_is_no_damage(tmp_path):
    (tmp_path / "a.txt").write_bytes("原文有\ufffd。\n".encode())
    assert documents(tmp_path / "a.txt", bad_bytes="skip_line") == [["原文有\ufffd。"]]


def is_varied(text):
    return len(set(text)) > 5


@given(st.text("的一是不了在人有我他，。这中大来上", min_size=20, max_size=60).filter(is_varied))
def test_the_encoding_of_chinese_text_is_guessed(text):
    for codec in ("utf-8", "gb18030", "utf-16-le", "utf-16-be"):
        assert CODECS[guess_encoding(text.encode(codec)).encoding][:5] == codec[:5]


lines = st.lists(st.text("中文a \t。\u2028\x85", max_size=6), max_size=8)


@given(lines, st.sampled_from(["\n", "\r\n", "\r"]), st.integers(1, 9), st.booleans(), st.data())
def test_lines_come_out_whole_from_any_place(tmp_path_factory, texts, end, chunk, last, data):
    path = tmp_path_factory.getbasetemp() / "lines.txt"
    for codec in ("utf-8", "gb18030", "utf-16-le"):
        whole = end.join(texts) + (end if last and texts else "")
        path.write_bytes(whole.encode(codec))
        expected = texts if last or not texts or texts[-1] else texts[:-1]
        source = Source(str(path), codec=codec)
        original, decoded.CHUNK = decoded.CHUNK, chunk
        try:
            batches = list(read_lines(source, ()))
            assert [line for batch in batches for line in batch.lines] == expected
            if batches:
                at = data.draw(st.integers(0, len(batches) - 1))
                rest = [line for batch in batches[at:] for line in batch.lines]
                again = read_lines(source, batches[at].place)
                assert [line for batch in again for line in batch.lines] == rest
        finally:
            decoded.CHUNK = original


def test_a_long_line_is_cut_where_sentences_end_in_every_form(tmp_path, monkeypatch):
    monkeypatch.setattr(decoded, "CHUNK", 100)
    sentences = [f"这是第{i}句，说的是同一件事。" for i in range(500)]
    for module in (long_lines, "data_gen.corpus.forms.text", "data_gen.corpus.forms.wikiextractor"):
        if isinstance(module, str):
            monkeypatch.setattr(f"{module}.LIMIT", 300)
        else:
            monkeypatch.setattr(module, "LIMIT", 300)
    for size in (1 << 20, 4000):  # the second cuts the document, too
        monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
        found = {}
        for form in ("text", "line", "jsonl", "json", "csv", "parquet"):
            (tmp_path / "a").write_bytes(WRITERS[form]([["".join(sentences)], ["尾。"]]))
            found[form] = documents(tmp_path / "a", format=form)
        assert all(one == found["text"] for one in found.values())
        assert [one for document in found["text"] for one in document] == [*sentences, "尾。"]
        assert (len(found["text"]) == 2) == (size > 4000)


@given(st.text("中，。 a", max_size=200))
def test_short_lines_join_to_the_long_one(text):
    original, long_lines.LIMIT = long_lines.LIMIT, 20
    try:
        found = shorten([text])
        assert "".join("".join(found).split()) == "".join(text.split())
        assert max(map(len, found)) <= 20
        assert not text.strip() or not any(piece.isspace() for piece in found[:-1])
    finally:
        long_lines.LIMIT = original


def test_millions_of_blank_lines_are_no_documents(tmp_path):
    rng = random.Random(1)
    (tmp_path / "a.txt").write_bytes(b"".join(rng.choice([b"\n", b" \r\n"]) for _ in range(10**5)))
    with open(tmp_path / "a.txt", "ab") as handle:
        handle.write("好。\n".encode())
    assert documents(tmp_path / "a.txt") == [["好。"]]
