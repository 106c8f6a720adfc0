import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.__main__ import main
from data_gen.config import DataConfig
from data_gen.core.documents import Document
from data_gen.engine.processes import LocalEngine
from data_gen.jobs.segment_corpus import segment
from data_gen.pipeline.load import load_document_tokenizer
from data_gen.pipeline.tokenized_text import DocumentTokenizer
from data_gen.segmentation.boundaries import word_boundaries
from data_gen.segmentation.segmenter import Segmenter
from data_gen.segmentation.segmenters import (
    SEGMENTERS,
    SegmenterConfig,
    SegmenterKind,
    load_segmenter,
)
from data_gen.shared.errors import UserError
from tests.conftest import default_settings
from tests.data_gen.helpers import TEXT, run, show

NAMES = sorted(SEGMENTERS)
texts = st.lists(st.text(alphabet="中国人民爱语言模型 \t\u3000\u200b\x00aA1.，。“😀𠮷"), max_size=4)


@pytest.fixture(scope="module")
def engines(ltp_model):
    return {
        name: load_segmenter(SegmenterConfig(name, ltp_model if name == "ltp" else None))
        for name in NAMES
    }


def check_lossless(engine, sentences):
    for sentence, marks in zip(sentences, word_boundaries(engine, sentences)):
        assert marks == sorted(set(marks))
        assert all(0 <= mark <= len(sentence) for mark in marks)
        words = {sentence[a:b] for a, b in zip(marks, marks[1:])}
        assert all(word.isspace() or not set(word) & set(" \t\u3000") for word in words)
        assert all(
            i in marks for i in (0, len(sentence)) if sentence and sentence == sentence.strip()
        )


@pytest.mark.parametrize("name", NAMES)
def test_every_engine_is_lossless(engines, name):
    @given(texts)
    def check(sentences):
        check_lossless(engines[name], sentences)

    check()


def test_each_different_run_is_segmented_once():
    asked = []

    def halves(runs):
        asked.extend(runs)
        return [[run[:1], run[1:]] for run in runs]

    sentences = ["中国 人民 中国", "人民", "爱 中国"]
    marks = word_boundaries(Segmenter(halves, "halves"), sentences)
    assert asked == ["中国", "人民", "爱"]
    assert marks == [[0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2], [0, 1, 2, 3, 4]]


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


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("Pre-training (for short) helps.", "Pre|-|training|(|for|short|)|helps|."),
        ("I don't pay $3.14, ok?", "I|don|'|t|pay|$|3|.|14|,|ok|?"),
        ("naïve Ａ１ Привет, мир…", "naïve|Ａ１|Привет|,|мир|…"),
        ("iPhone15Pro的芯片，OK", "iPhone15Pro|的|芯|片|，|OK"),
        ("a_b@c.de\u3000https://x.y", "a|_|b|@|c|.|de|https|:|/|/|x|.|y"),
        ("“quoted”—dash\xa0nbsp", "“|quoted|”|—|dash|nbsp"),
        ("𠮷a😀b", "𠮷|a😀b"),
    ],
)
def test_words_of_english_and_mixed_text(sentence, words, tokenizer):
    engine = load_segmenter(SegmenterConfig("latin"))
    (marks,) = word_boundaries(engine, [sentence])
    found = [sentence[a:b] for a, b in zip(marks, marks[1:])]
    assert [word for word in found if not word.isspace()] == words.split("|")
    # no word is cut where BERT's tokenizer does not cut: a piece that goes on begins none
    tokenize = DocumentTokenizer(tokenizer, engine)
    assert tokenize([Document("d", (sentence,))])[1]["rejoined_pieces"] == 0


def test_what_an_engine_drops_is_a_word():
    drops = Segmenter(lambda runs: [run.split("\u200b") for run in runs], "")
    assert word_boundaries(drops, ["\u200b我 \u200b们\u200b"]) == [[0, 1, 2, 3, 4, 5, 6]]


def test_words_that_are_not_in_the_text_are_reported_not_trusted():
    broken = Segmenter(lambda runs: [[run[::-1]] for run in runs], "backwards")
    assert word_boundaries(broken, ["好的", "", "我 好的 我"]) == [None, [], None]


@pytest.mark.parametrize(
    ("name", "setting"),
    [(name, "model") for name in NAMES if name != "ltp"]
    + [(name, "user_dict") for name in ("presegmented", "latin", "char")],
)
def test_a_setting_that_an_engine_does_not_take_is_an_error(name, setting, tmp_path):
    (tmp_path / "file").write_text("word")
    others = {"model": "ltp", "user_dict": "ltp or jieba or rjieba"}[setting]
    sentence = f"the segmenter {name} takes no {setting}: .* segmenter.name to {others}$"
    with pytest.raises(UserError, match=sentence):
        load_segmenter(SegmenterConfig(name, **{setting: str(tmp_path / "file")}))


def test_an_entry_of_the_table_is_all_that_a_segmenter_needs(monkeypatch, tmp_path, capsys):
    """Words of so many characters, as the "model" says: built with, segmented with, shown."""

    def load(config, user_words):
        size = int(config.model)
        return Segmenter(
            lambda runs: [[run[i : i + size] for i in range(0, len(run), size)] for run in runs],
            f"even {size}",
        )

    monkeypatch.setitem(SEGMENTERS, "even", SegmenterKind(load, takes=("model",)))
    settings = ["segmenter.name=even", "segmenter.model=3", "masking.corruption=partial_mask"]
    settings += ["max_seq_length=64", "max_predictions_per_seq=20", "num_shards=1"]
    info = run(default_settings(DataConfig, settings), tmp_path / "data")
    assert info.manifest["segmenter"] == "even 3"
    sizes = info.manifest["statistics"]["masked_by_word_size"]
    assert sizes["3"] > 0.5
    words = ["segment", "--config", "tests/data/golden.yaml", "--input", TEXT, "--workers", "1"]
    words += ["--set", settings[0], "--set", settings[1], "--output", str(tmp_path / "words")]
    assert main(words) == 0
    assert main(["show", str(tmp_path / "data")]) == 0
    assert "example 1 of " in capsys.readouterr().out
    with pytest.raises(UserError, match=r"char takes no model: .* segmenter.name to ltp or even$"):
        load_segmenter(SegmenterConfig("char", "3"))
    with pytest.raises(UserError, match="the segmenter even takes no user_dict"):
        load_segmenter(SegmenterConfig("even", "3", "words.txt"))


def test_words_between_spaces_are_not_for_pieces_that_keep_them(monkeypatch):
    """Asked of the entries of both tables, not of the names that stand there today."""
    kind = SEGMENTERS["char"]._replace(spaces_separate_words=True)
    monkeypatch.setitem(SEGMENTERS, "between_bars", kind)
    for name in ("presegmented", "between_bars"):
        config = default_settings(
            DataConfig, [f"segmenter.name={name}", "tokenizer.name=sentencepiece"]
        )
        with pytest.raises(UserError, match=f"segmenter.name={name} takes spaces for ends of"):
            load_document_tokenizer(config)


TAKES_WORDS = ("ltp", "jieba", "rjieba")


@pytest.fixture(scope="module")
def with_words(ltp_model, tmp_path_factory):
    """Engines with words of a user that none of them finds by itself."""
    path = tmp_path_factory.mktemp("dictionary") / "words.txt"
    path.write_text("C++\n国人民爱 1000 nz\nA1.\n", encoding="utf-8")
    return {
        name: load_segmenter(SegmenterConfig(name, ltp_model if name == "ltp" else None, str(path)))
        for name in TAKES_WORDS
    }


@pytest.mark.parametrize("name", TAKES_WORDS)
def test_users_words_are_found_in_any_text(engines, with_words, name):
    @given(texts)
    def lossless(sentences):
        check_lossless(with_words[name], sentences)

    lossless()
    for engine, found in ((engines[name], False), (with_words[name], True)):
        ((*words,),) = engine.words(["用C++写国人民爱"])
        assert ({"C++", "国人民爱"} <= set(words)) == found
    assert list(with_words[name].words([])) == []


@pytest.mark.parametrize("name", TAKES_WORDS)
def test_users_words_are_of_one_configuration_and_in_its_identity(
    engines, with_words, name, ltp_model
):
    model = ltp_model if name == "ltp" else None
    plain = load_segmenter(SegmenterConfig(name, model))
    assert list(plain.words(["用C++写"])) == list(engines[name].words(["用C++写"]))
    assert plain.identity == engines[name].identity
    assert with_words[name].identity.startswith(f"{plain.identity}, user_dict ")


def test_the_two_jiebas_take_the_same_words_from_a_dictionary(with_words):
    runs = ["中国人民爱C++语言模型", "国人民爱言语", "我爱😀模A1."]
    assert list(with_words["jieba"].words(runs)) == list(with_words["rjieba"].words(runs))


@pytest.mark.parametrize("name", ["jieba", "rjieba"])
@pytest.mark.parametrize("word", ["阿·德", "爱😀模", "国，民", "ａｐｐ", "αβ", "カメラ", "éa"])
def test_a_word_that_an_engine_never_finds_is_refused_with_its_line(name, word, tmp_path):
    (tmp_path / "words.txt").write_text(f"C++\n{word} 5 n\n", encoding="utf-8")
    sentence = f"^line 2 of segmenter.user_dict .* can never match, since {name} always ends words"
    with pytest.raises(UserError, match=sentence):
        load_segmenter(SegmenterConfig(name, None, str(tmp_path / "words.txt")))


def test_ltp_finds_words_of_any_characters(ltp_model, tmp_path):
    words = ["阿·德", "爱😀模", "国，民", "𠮷言语", "カメラ"]
    (tmp_path / "words.txt").write_text("\n".join(words), encoding="utf-8")
    engine = load_segmenter(SegmenterConfig("ltp", ltp_model, str(tmp_path / "words.txt")))
    for word in words:
        assert word in engine.words([f"我们的{word}在"])[0]


@pytest.mark.parametrize(
    ("word", "normalize", "sentence"),
    [
        ("Ｃ＋＋", "[width]", r"corpus.normalize writes it as C\+\+ \(write it so\)"),
        ("語言學", "[t2s]", "corpus.normalize writes it as 语言学"),
        ("“好”", "[quotes]", 'corpus.normalize writes it as "好"'),
        ("好吗？好", "[]", "a sentence ends in it"),
    ],
)
def test_a_word_that_no_text_of_the_settings_holds_is_refused(
    word, normalize, sentence, ltp_model, tmp_path
):
    (tmp_path / "words.txt").write_text(f"语言\n{word}\n", encoding="utf-8")
    settings = [f"segmenter.model={ltp_model}", f"segmenter.user_dict={tmp_path / 'words.txt'}"]
    config = default_settings(DataConfig, [*settings, f"corpus.normalize={normalize}"])
    with pytest.raises(UserError, match=f"^line 2 of .* can never match, (since )?{sentence}"):
        load_document_tokenizer(config)
    with pytest.raises(UserError, match=r"line 2 of .* can never match"):
        segment(config, [TEXT], str(tmp_path / "w"), LocalEngine(1), show)
    (tmp_path / "words.txt").write_text("语言\nC++ 3\n", encoding="utf-8")
    load_document_tokenizer(config)


def test_jieba_keeps_to_the_dictionary_of_its_package(monkeypatch, tmp_path):
    """Neither the process's other dictionary nor a cache of another version decides words."""
    import jieba

    jieba.setLogLevel("ERROR")
    jieba.add_word("使用语言")
    monkeypatch.setattr(jieba.Tokenizer, "initialize", None)
    engine = load_segmenter(SegmenterConfig("jieba"))
    assert list(engine.words(["使用语言模型"])) == [["使用", "语言", "模型"]]


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:3"])
def test_devices(device):
    assert SegmenterConfig(device=device).device == device


@pytest.mark.parametrize("settings", [{"device": "gpu"}, {"batch_size": 0}, {"name": "hanlp"}])
def test_settings_out_of_range_are_errors(settings):
    with pytest.raises(ValueError, match="segmenter"):
        SegmenterConfig(**settings)
