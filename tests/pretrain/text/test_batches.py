import gzip
import json
import subprocess
import sys

import pytest

from data_gen.shared.errors import UserError
from pretrain.text.batches import as_batch, encode_with_masks, padded_length
from pretrain.text.sentences import read_lines, sentences_of, split_lines
from pretrain.text.tokenizer import load_tokenizer
from tests.pretrain.small_model import FakeTokenizer, write_model

reads_text = pytest.mark.skipif(
    sys.version_info < (3, 9), reason="is about text, which needs Python 3.9"
)


def test_a_batch_has_both_marks_and_is_padded():
    batch = as_batch([[10, 11], [12] * 31], cls=2, sep=3)
    assert batch["input_ids"].shape == (2, 64)
    assert batch["input_ids"][0, :5].tolist() == [2, 10, 11, 3, 0]
    assert batch["input_mask"].sum(axis=1).tolist() == [4, 33]
    assert not batch["segment_ids"].any()


@pytest.mark.parametrize(
    ("pieces", "most", "length"), [(0, None, 32), (30, None, 32), (31, None, 64), (31, 40, 40)]
)
def test_padded_length(pieces, most, length):
    assert padded_length(pieces, most) == length
    assert as_batch([[1] * pieces], 2, 3, most)["input_ids"].shape == (1, length)


def test_masks_are_cut_out_of_the_text():
    texts = ["天[MASK]地", "[MASK][MASK]", "", "[mask]", "天。[MASK]"]
    found = encode_with_masks(FakeTokenizer(), texts)
    assert found[0] == ([10, 4, 11], [(0, 1), (1, 7), (7, 8)])
    assert found[1] == ([4, 4], [(0, 6), (6, 12)])
    assert found[2] == ([], [])
    assert found[3] == ([1] * 6, [(i, i + 1) for i in range(6)])
    assert found[4] == ([10, 6, 4], [(0, 1), (1, 2), (2, 8)])


def test_sentences_know_where_they_come_from():
    pytest.importorskip("tokenizers")
    lines = ["  天。 天。天 ", "", "地！[MASK]。", " \n", "人"]
    found = list(split_lines(lines))
    assert [sentence.text for sentence in found] == ["天。", "天。", "天", "地！", "[MASK]。", "人"]
    assert [sentence.line for sentence in found] == [1, 1, 1, 3, 3, 5]
    for sentence in found:
        line = lines[sentence.line - 1]
        assert line[sentence.start : sentence.start + len(sentence.text)] == sentence.text
    assert [sentence.start for sentence in found] == [2, 5, 7, 0, 2, 0]


def test_wordpiece_around_masks(tmp_path):
    pytest.importorskip("tokenizers")
    tokenizer = load_tokenizer(write_model(tmp_path))
    (found,) = encode_with_masks(tokenizer, ["天 Linux[MASK]ux 地?"])
    assert [tokenizer.pieces[i] for i in found.ids] == [
        *("天", "linux", "[MASK]", "[UNK]", "地", "[UNK]")
    ]
    assert found.offsets == [(0, 1), (2, 7), (7, 13), (13, 15), (16, 17), (17, 18)]


def test_sentencepiece_around_masks(tmp_path):
    pytest.importorskip("sentencepiece")
    from tests.data_gen.helpers import train_sentencepiece

    train_sentencepiece(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "sentencepiece"}')
    tokenizer = load_tokenizer(str(tmp_path))
    text = "我们[MASK] 一个[MASK]。"
    (found,) = encode_with_masks(tokenizer, [text])
    assert found.ids.count(tokenizer.mask) == 2
    surfaces = "".join(text[first:last] for first, last in found.offsets)
    assert surfaces.replace(" ", "") == text.replace(" ", "")


@reads_text
def test_damaged_utf8_names_the_line(tmp_path):
    pytest.importorskip("omegaconf")
    path = tmp_path / "text.txt"
    path.write_bytes("天\n".encode() + "地\n".encode("gb18030"))
    with pytest.raises(UserError, match=r"text\.txt, line 2 is not UTF-8"):
        list(read_lines([str(path)]))
    assert list(read_lines([str(path)], ["corpus.bad_bytes=skip_line"])) == ["天"]


TEXT = "第一篇。\n还有一行\n\n第二篇"
RECORDS = [{"text": "第一篇。\n还有一行"}, {"text": "第二篇"}]


@reads_text
@pytest.mark.parametrize(
    ("name", "data", "settings"),
    [
        ("a.txt", TEXT.encode(), []),
        ("a.txt.gz", gzip.compress(TEXT.encode()), []),
        ("a.txt", TEXT.encode("gb18030"), ["corpus.encoding=gb18030"]),
        ("a.jsonl", "\n".join(map(json.dumps, RECORDS)).encode(), []),
        ("a.json", json.dumps(RECORDS, ensure_ascii=False).encode(), []),
        (
            "b.jsonl.gz",
            gzip.compress("\n".join(json.dumps({"content": r["text"]}) for r in RECORDS).encode()),
            ["corpus.field=content"],
        ),
        ("a.csv", 'text\n"第一篇。\n还有一行"\n第二篇\n'.encode(), []),
    ],
    ids=["text", "gz", "gb18030", "lines", "array", "field", "csv"],  # packed bytes hold the time
)
def test_text_of_any_form_is_read_as_build_reads_it(tmp_path, name, data, settings):
    pytest.importorskip("omegaconf")
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / name
    path.write_bytes(data)
    for pattern in (path, tmp_path / "in", tmp_path / "in" / "*"):
        found = list(sentences_of([str(pattern)], settings))
        assert found == [["第一篇。", "还有一行"], ["第二篇"]]
    lines = list(read_lines([str(path)], settings))
    by_line = ["第一篇。", "还有一行", "", "第二篇"]
    assert lines == (by_line if ".txt" in name else ["第一篇。\n还有一行", "第二篇"])


@reads_text
def test_what_is_not_text_is_refused_or_skipped(tmp_path):
    pytest.importorskip("omegaconf")
    (tmp_path / "a.txt").write_text("天。", encoding="utf-8")
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert list(sentences_of([str(tmp_path)])) == [["天。"]]
    with pytest.raises(UserError, match=r"b\.png"):
        list(sentences_of([str(tmp_path / "b.png")]))
    (tmp_path / "a.txt").write_text(" \n", encoding="utf-8")
    with pytest.raises(UserError, match="there is no text in"):
        list(sentences_of([str(tmp_path)]))


@reads_text
@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("masking.seed=1", "--set masking.seed=1 is no setting of the text"),
        ("corpus.feld=a", "there is no setting corpus.feld; did you mean field"),
        ("corpus.format=nothing", "corpus.format must be one of"),
    ],
)
def test_settings_of_the_text_are_checked(tmp_path, setting, sentence):
    pytest.importorskip("omegaconf")
    (tmp_path / "a.txt").write_text("天。", encoding="utf-8")
    with pytest.raises(UserError, match=sentence):
        list(sentences_of([str(tmp_path)], [setting]))


@reads_text
def test_standard_input_is_read_as_a_file_is(tmp_path):
    pytest.importorskip("omegaconf")
    code = "from pretrain.text.sentences import sentences_of; print(*sentences_of(['-']))"
    data = json.dumps(RECORDS).encode()
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "['第一篇。', '还有一行'] ['第二篇']"
