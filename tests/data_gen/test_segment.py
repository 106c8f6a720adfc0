import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.segment import SEGMENTERS, Segmenter, fetch_ltp, word_boundaries
from data_gen.settings import UserError

NAMES = sorted(SEGMENTERS)
texts = st.lists(st.text(alphabet="中国人民爱语言模型 \t\u3000\u200b\x00aA1.，。“😀𠮷"), max_size=4)


@pytest.fixture(scope="module")
def engines(ltp_model):
    return {name: SEGMENTERS[name](ltp_model if name == "ltp" else None) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_every_engine_is_lossless(engines, name):
    @given(texts)
    def check(sentences):
        for sentence, marks in zip(sentences, word_boundaries(engines[name], sentences)):
            if marks is None:
                # counted as misaligned; only LTP may do it, on characters that it eats
                assert name == "ltp"
                continue
            assert marks == sorted(marks)
            assert all(0 <= mark <= len(sentence) for mark in marks)
            words = {sentence[a:b] for a, b in zip(marks, marks[1:])}
            assert all(word.isspace() or not set(word) & set(" \t\u3000") for word in words)

    check()


@pytest.mark.parametrize("name", NAMES)
def test_words_of_a_plain_sentence_rejoin(engines, name):
    sentence = "使用语言模型来预测下一个词的概率。"
    (marks,) = word_boundaries(engines[name], [sentence])
    assert marks[0] == 0
    assert marks[-1] == len(sentence)


def test_real_words(engines):
    (marks,) = word_boundaries(engines["jieba"], ["使用语言模型"])
    assert marks == [0, 2, 4, 6]
    assert word_boundaries(engines["rjieba"], ["使用语言模型"]) == [marks]
    assert word_boundaries(engines["presegmented"], ["使用 语言模型"]) == [[0, 2, 3, 7]]
    assert word_boundaries(engines["char"], ["使用"]) == [[0, 1, 2]]


def test_ltp_finds_the_words_it_was_trained_on(engines):
    (marks,) = word_boundaries(engines["ltp"], ["管理员提醒游客，不要攀折花枝"])
    assert marks[1:5] == [3, 5, 7, 8]


def test_words_that_do_not_rejoin_are_reported_not_trusted():
    broken = Segmenter(lambda runs: [[run[:-1]] for run in runs], "drops the last character")
    assert word_boundaries(broken, ["好的", ""]) == [None, []]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "ltp"])
def test_a_model_for_an_engine_without_models_is_an_error(name):
    with pytest.raises(UserError, match="takes no model"):
        SEGMENTERS[name]("folder")


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (None, "no folder of an LTP model"),
        ({"nerual": True, "tasks": {"cws": "x"}}, "neural LTP model"),
        ({"nerual": False}, "no folder of an LTP model"),
        ({"nerual": False, "tasks": {"cws": "config.json"}}, "not an LTP word segmentation model"),
    ],
)
def test_a_folder_that_is_no_model_is_an_error(tmp_path, config, sentence):
    if config:
        (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=sentence):
        SEGMENTERS["ltp"](str(tmp_path))


def test_fetching_takes_the_two_files_of_the_model(monkeypatch, tmp_path):
    import huggingface_hub

    calls = []

    def snapshot_download(model, **options):
        calls.append((model, options))
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    folder = str(tmp_path / "new")
    assert fetch_ltp("LTP/legacy", folder) == str(tmp_path)
    patterns = ["config.json", "cws_model.bin"]
    assert calls == [("LTP/legacy", {"allow_patterns": patterns, "local_dir": folder})]


def test_a_hub_that_cannot_be_reached_says_what_to_do(monkeypatch):
    import huggingface_hub

    def snapshot_download(model, **options):
        raise ConnectionError

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(UserError, match="segmenter train"):
        SEGMENTERS["ltp"]("LTP/legacy")
