"""Similar words learned from text in which 猫 and 狗, 今天 and 昨天 stand in the same places."""

import random

import numpy as np
import pytest

from data_gen.config import DataConfig
from data_gen.corpus import blocks
from data_gen.engine.processes import LocalEngine
from data_gen.jobs import corpus_vectors
from data_gen.jobs.corpus_vectors import vectors_of_text
from data_gen.jobs.inputs import resolve_inputs, scan_inputs
from data_gen.shared.errors import UserError
from data_gen.synonyms import context_vectors
from data_gen.synonyms.vector_files import Vectors
from tests.conftest import default_settings
from tests.data_gen.helpers import show

SMALL = ["segmenter.name=presegmented"]
ANIMALS, DAYS = ["猫", "狗", "鸡", "羊"], ["今天", "昨天", "明天", "后天"]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    rng = random.Random(1)
    lines = []
    for _ in range(3000):
        animal, day = rng.choice(ANIMALS), rng.choice(DAYS)
        lines.append(
            f"{day} 的 {animal} 在 院子 里 叫 了 两 声 。"
            if rng.random() < 0.5
            else f"我 {day} 看见 一 只 {animal} 跑 。"
        )
    lines.append("\U00020000\U00020001 很 罕见 。")
    path = tmp_path_factory.mktemp("text") / "in.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def learn(text, folder, *overrides, workers=1, known=None):
    config = default_settings(DataConfig, [*SMALL, *overrides])
    corpus = scan_inputs(resolve_inputs(config, [text]), None, LocalEngine(1), show)
    return vectors_of_text(config, corpus, str(folder), LocalEngine(workers), show, known)


def test_words_of_the_same_places_are_near(tokenizer, text, tmp_path):
    found = learn(text, tmp_path)
    texts = [tokenizer.join(word) for word in found.words]
    unit = found.matrix / np.linalg.norm(found.matrix, axis=1)[:, None]
    for group in (ANIMALS, DAYS):
        rows = [texts.index(word) for word in group]
        others = [i for i, word in enumerate(texts) if word not in group]
        within = unit[rows] @ unit[rows].T
        assert within.min() > (unit[rows] @ unit[others].T).max() + 0.2


def test_every_frequent_word_has_a_vector(tokenizer, text, tmp_path, monkeypatch):
    found = learn(text, tmp_path)
    texts = [tokenizer.join(word) for word in found.words]
    assert set(texts) >= {*ANIMALS, *DAYS, "的", "。", "院子"}
    # 罕见 stands once, and what holds [UNK] is no word
    assert "罕见" not in texts
    assert not any(tokenizer.unk in word for word in found.words)
    assert found.counts.tolist() == sorted(found.counts.tolist(), reverse=True)
    assert found.counts[texts.index("。")] == 3001
    monkeypatch.setattr(context_vectors, "MOST_WORDS", 5)
    assert 0 < len(learn(text, tmp_path / "few").words) <= 5


def test_the_same_text_gives_the_same_vectors(text, tmp_path, monkeypatch):
    first = learn(text, tmp_path / "1")
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 10_000)
    second = learn(text, tmp_path / "2", workers=2)
    assert first.words == second.words
    assert np.array_equal(first.matrix, second.matrix)
    other = learn(text, tmp_path / "3", "random_seed=1")
    assert not np.array_equal(first.matrix, other.matrix)


def test_words_that_are_written_are_not_segmented_again(text, tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 10_000)
    whole = learn(text, tmp_path / "whole")
    written = []

    def interrupted(task):
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(task)
        write(task)

    write = corpus_vectors.write_words
    monkeypatch.setattr(corpus_vectors, "write_words", interrupted)
    with pytest.raises(KeyboardInterrupt):
        learn(text, tmp_path / "parts")
    done = len(written)
    written.clear()

    def count(task):
        written.append(task)
        write(task)

    monkeypatch.setattr(corpus_vectors, "write_words", count)
    again = learn(text, tmp_path / "parts")
    assert done == 3 < len(written)
    assert not {task.path for task in written} & {
        f"{tmp_path}/parts/words-0000{i}" for i in range(3)
    }
    assert np.array_equal(again.matrix, whole.matrix)


def known(words, size=20):
    matrix = np.random.RandomState(1).randn(len(words), size).astype(np.float32)
    return Vectors(words, matrix, {})


def test_words_are_known_by_the_vectors_that_they_have(tokenizer, text, tmp_path):
    lines = ["甲 在 院子 里 叫 。", "乙 在 花园 里 叫 。", "丙 在 天上 里 叫 。", "我 吃 饭 。"]
    path = tmp_path / "in.txt"
    path.write_text("\n".join(f"{words} {mark}" for words in lines for mark in "。！"), "utf-8")
    vectors = known(["院子", "花园", "天上"])
    vectors.matrix[1] = vectors.matrix[0] + 0.01
    found = learn(str(path), tmp_path, known=lambda: vectors)
    assert found.matrix.shape[1] == 4 * 20
    texts = [tokenizer.join(word) for word in found.words]
    unit = found.matrix / np.linalg.norm(found.matrix, axis=1)[:, None]
    garden, yard, sky = (unit[texts.index(word)] for word in ("甲", "乙", "丙"))
    assert "！" not in texts  # always alone, so nothing is known of it
    assert garden @ yard > garden @ sky + 0.2
    assert garden @ yard > 0.95


def test_a_text_without_chinese_reads_no_known_vectors(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("the weather is good .\n" * 3, encoding="utf-8")
    found = learn(str(path), tmp_path, known=lambda: pytest.fail("read"))
    assert len(found.words) == 5
    assert not found.chinese


def test_a_text_without_repeated_words_gives_none(tmp_path):
    (tmp_path / "in.txt").write_text("今天 天气 很 好 。", encoding="utf-8")
    found = learn(str(tmp_path / "in.txt"), tmp_path)
    assert found.words == []
    assert found.matrix.shape == (0, 400)
    assert found.chinese


def test_damaged_words_of_an_interrupted_run_are_one_sentence(text, tmp_path):
    learn(text, tmp_path)
    (tmp_path / "words-00000").write_bytes(b"PK")
    with pytest.raises(UserError, match="words-00000 is damaged: delete it"):
        learn(text, tmp_path)
