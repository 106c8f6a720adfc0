import pytest

from pretrain.text.batches import as_batch, encode_with_masks, padded_length
from pretrain.text.sentences import read_lines, split_lines
from pretrain.text.tokenizer import load_tokenizer
from tests.pretrain.small_model import FakeTokenizer, write_model


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


def test_damaged_utf8_names_the_line(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("天\n".encode() + "地\n".encode("gb18030"))
    lines = read_lines(str(path))
    assert next(lines) == "天\n"
    with pytest.raises(Exception, match=r"line 2 of .*text\.txt is not UTF-8: unpack it, or"):
        next(lines)
