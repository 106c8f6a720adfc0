"""The measure of docs/compare.md: transformers' whole word masking on Chinese text."""

import pytest

pytest.importorskip("transformers")
from data_gen.shared.errors import UserError
from scripts import measure_transformers_masking as script

# Without a space the text is one word; with one after each word it has those words.
RUNNING = "使用语言模型来预测下一个词的概率" * 10
SPACED = "使用 语言 模型 来 预测 下 一个 词 的 概率 " * 12


def test_chinese_without_spaces_is_one_word_masked_whole_or_not_at_all():
    found = script.measure([RUNNING] * 20, length=66, draws=20)
    assert (found.words, found.longest) == ([1] * 20, [64] * 20)
    assert set(found.masked) == {0.0, 1.0}
    assert 0.78 < found.share(0, 0) < 0.92  # the word is chosen with 0.15


def test_spaces_between_words_bring_the_masks_back():
    found = script.measure([SPACED] * 20, length=66, draws=20)
    assert min(found.words) > 30
    assert max(found.longest) == 2
    assert found.share(0, 0) < 0.05
    assert found.share(0.5, 1) == 0


def test_lines_are_words_unless_joined(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("一行\n又一行\n\n第二篇\n", encoding="utf-8")
    assert script.read_documents([str(path)]) == ["一行\n又一行", "第二篇"]
    assert script.read_documents([str(path)], join=True) == ["一行又一行", "第二篇"]


def test_a_text_that_is_too_short_is_one_sentence(tmp_path, capsys):
    with pytest.raises(UserError, match="no document has 128 pieces"):
        script.measure(["短"])
    path = tmp_path / "text.txt"
    path.write_text("短", encoding="utf-8")
    assert script.main([str(path)]) == 1
    assert capsys.readouterr().err.startswith("error: no document has 128 pieces: ")
