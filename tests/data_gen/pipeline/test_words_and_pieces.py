"""Words and pieces together: a `##` piece belongs to the word before it, with every segmenter."""

import numpy as np
import pytest

from data_gen.config import DataConfig
from data_gen.core.documents import Document
from data_gen.pipeline.load import load_document_tokenizer, load_pipeline, pieces_identity
from data_gen.segmentation.segmenter import Segmenter
from data_gen.segmentation.segmenters import SEGMENTERS, SegmenterKind
from data_gen.shared.errors import UserError
from data_gen.synonyms.table import Table, make_source_table
from tests.conftest import default_settings

SENTENCES = ("iPhone15Pro的芯片很快，我们在Ubuntu13.10上测试过。", "电池也很耐用，WiFi6E速度快。")


def words_of(settings, *sentences):
    """The words of the sentences of one document as texts of their pieces, and the counts."""
    tokenize = load_document_tokenizer(default_settings(DataConfig, settings))
    text, counts = tokenize([Document("d", sentences)])
    pieces = tokenize.tokenizer.pieces
    spelt = [" ".join(pieces[i] for i in text.word(n)) for n in range(len(text.words) - 1)]
    ends = text.sentences.tolist()
    return [spelt[first:last] for first, last in zip(ends, ends[1:])], counts


@pytest.fixture
def cutting(monkeypatch):
    """A segmenter that cuts after every second character, also within runs."""

    def cut(runs):
        return [[run[i : i + 2] for i in range(0, len(run), 2)] for run in runs]

    kind = SegmenterKind(lambda config, words: Segmenter(cut, "cutting"))
    monkeypatch.setitem(SEGMENTERS, "cutting", kind)


def test_a_run_that_a_segmenter_cuts_is_one_word(cutting):
    ((*words,),), counts = words_of(["segmenter.name=cutting"], "Ubuntu13.10的")
    assert words == ["ubuntu ##13", ". 10 的"]
    assert counts["rejoined_pieces"] == 1


@pytest.mark.parametrize("name", [name for name in sorted(SEGMENTERS) if name != "char"])
def test_no_word_begins_with_a_piece_that_goes_on(name, ltp_model, tmp_path):
    settings = [f"segmenter.name={name}", *([f"segmenter.model={ltp_model}"] * (name == "ltp"))]
    if "user_dict" in SEGMENTERS[name].takes:
        (tmp_path / "words.txt").write_text("Pro的 1000\n15Pro 1000\nFi6E\n", encoding="utf-8")
        settings.append(f"segmenter.user_dict={tmp_path / 'words.txt'}")
    words, counts = words_of(settings, *SENTENCES)
    every = [word for row in words for word in row]
    assert not [word for word in every if word.startswith("##")]
    assert sum("##" in word for word in every) >= 2
    if name == "jieba":
        assert counts["rejoined_pieces"] > 0


def test_with_char_every_piece_of_a_run_is_a_word():
    ((*words,),), counts = words_of(["segmenter.name=char"], "Ubuntu13的")
    assert words == ["ubuntu", "##13", "的"]
    assert counts["rejoined_pieces"] == 0


def test_pieces_of_words_that_are_not_in_the_text_keep_their_run(monkeypatch):
    wrong = SegmenterKind(lambda config, words: Segmenter(lambda runs: [["好"]] * len(runs), "no"))
    monkeypatch.setitem(SEGMENTERS, "wrong", wrong)
    ((*words,),), counts = words_of(["segmenter.name=wrong"], "在Ubuntu13上")
    assert counts["misaligned_sentences"] == 1
    assert words == ["在", "ubuntu ##13", "上"]


def test_a_word_of_more_than_half_a_sequence_is_cut_between_its_runs_first():
    address = "http://" + "/".join(["ubuntu13"] * 20)
    settings = ["segmenter.name=presegmented", "masking.corruption=partial_mask"]
    settings += ["max_seq_length=64", "max_predictions_per_seq=20", "masking.selector=word"]
    pipeline = load_pipeline(default_settings(DataConfig, settings))
    made, counts = pipeline.examples([Document("d", (f"地址 是 {address} 。", "好 的 。"))])
    sizes = {name: n for name, n in counts.items() if name.startswith("words_of_size/")}
    assert sizes.get("words_of_size/2", 0) >= 20  # ubuntu ##13
    assert "words_of_size/3" not in sizes
    pieces = np.array(pipeline.tokenize_documents.tokenizer.pieces)
    run = pieces[made.examples.masked_labels]
    assert np.char.startswith(run, "##").sum() == (run == "ubuntu").sum() > 0


def test_a_table_with_ids_beyond_the_vocabulary_is_refused(tokenizer, tmp_path):
    config = default_settings(
        DataConfig, ["segmenter.name=char", f"synonyms.table={tmp_path / 't.safetensors'}"]
    )
    words = [(5,), (len(tokenizer.pieces),)]
    layer = make_source_table(words, np.array([[1], [0]]), np.ones((2, 1)), str)
    Table({"toolkit": layer}, pieces_identity(config)).save(config.synonyms.table)
    with pytest.raises(UserError, match=r"holds the id 21128, and the vocabulary .* ends at 21127"):
        load_pipeline(config)
