"""SentencePiece's own traps; what holds for every tokenizer is in test_pieces.py."""

import os
import shutil

import pytest
from hypothesis import given

from data_gen.config import DataConfig
from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import SPECIALS
from data_gen.tokenization.sentence_piece import SPACE, SentencePiece, load_sentencepiece
from tests.conftest import default_settings
from tests.data_gen.helpers import VOCAB, hard_sentences, train_sentencepiece, word_spans
from tests.data_gen.helpers import run as build_of


def words(tokenizer, sentence, boundaries):
    ((ids, offsets),) = tokenizer.encode([sentence])
    return [tokenizer.join(ids[start:stop]) for start, stop in word_spans(offsets, boundaries)]


@pytest.mark.parametrize("name", ["unigram", "bpe"])
@pytest.mark.parametrize(
    ("sentence", "boundaries", "expected"),
    [
        ("小……小", [0, 1, 3, 4], ["小", "......", "小"]),
        ("小…小", [0, 1, 2, 3], ["小", "...", "小"]),
        ("小 小", [0, 1, 2, 3], ["小", "小"]),
        ("小\u3000小", [0, 1, 2, 3], ["小", "小"]),
        ("小\u200b小", [0, 3], ["小 小"]),
        (" 一个\xa0小 ", [1, 3, 4, 5], ["一个", "小"]),
    ],
)
def test_words_stay_whole_where_normalization_adds_or_drops(
    sentencepieces, name, sentence, boundaries, expected
):
    assert words(sentencepieces[name], sentence, boundaries) == expected


@pytest.mark.parametrize("name", ["unigram", "bpe"])
@given(sentence=hard_sentences)
def test_a_piece_is_in_the_normal_form_of_the_text_at_its_offsets(sentencepieces, name, sentence):
    tokenizer = sentencepieces[name]
    processor = tokenizer.processor
    ((ids, offsets),) = tokenizer.encode([sentence])
    for i, (first, last) in zip(ids, offsets):
        if i != tokenizer.unk:
            surface = processor.normalize(sentence[first:last])
            assert tokenizer.pieces[i].strip(SPACE) in surface


@pytest.mark.parametrize(
    "options",
    [
        {"add_dummy_prefix": True},
        {"remove_extra_whitespaces": False},
        {"treat_whitespace_as_suffix": True},
        {"treat_whitespace_as_suffix": True, "add_dummy_prefix": True},
        {"split_by_whitespace": False},
        {"normalization_rule_name": "nfkc"},
        {"normalization_rule_name": "identity"},
        {"user_defined_symbols": "小要,㎡"},
    ],
    ids=str,
)
def test_offsets_hold_for_models_of_other_kinds(tmp_path, options):
    tokenizer = train_sentencepiece(str(tmp_path), **options)
    assert len(tokenizer.reachable_ids) > 0.9 * len(tokenizer.pieces)
    assert tokenizer.ids[SPACE] not in tokenizer.reachable_ids
    for sentence in ["", " ", "小 要 a  ", "…㎡小要\u3000½", "\0a\u200bﷺ b", "𠮷…[SEP]é\u0301"]:
        ((ids, offsets),) = tokenizer.encode([sentence])
        covered = {i for first, last in offsets for i in range(first, last)}
        assert all(sentence[i] in " \u3000\u200b" for i in set(range(len(sentence))) - covered)
        stops = [last for _, last in offsets]
        assert stops == sorted(stops)
        assert len(ids) == len(offsets)


@pytest.fixture
def load(sentencepiece_folders, tmp_path):
    """Load a model with parts replaced."""

    def run(vocab=None, model=None, do_lower_case=True):
        folder = sentencepiece_folders["unigram"]
        model = model if model is not None else f"{folder}/spiece.model"
        return load_sentencepiece(vocab or f"{folder}/vocab.txt", model, do_lower_case)

    return run


def test_a_model_that_does_not_fit_is_an_error(load, tmp_path, sentencepiece_folders):
    assert isinstance(load(), SentencePiece)
    (tmp_path / "none.model").write_bytes(b"")
    (tmp_path / "other.model").write_bytes(b"no model")
    for case, sentence in [
        ({"model": ""}, r"needs a model.*tokenizer\.model=FILE"),
        ({"model": "nowhere.model"}, "cannot read the model nowhere"),
        ({"model": str(tmp_path / "none.model")}, "none.model is no model of SentencePiece"),
        ({"model": str(tmp_path / "other.model")}, "other.model is no model of SentencePiece"),
        ({"vocab": VOCAB}, "not the list of the pieces of .* from line 2 on"),
        ({"do_lower_case": False}, "lowers capital letters: set do_lower_case=true"),
    ]:
        with pytest.raises(UserError, match=sentence):
            load(**case)


def test_a_vocabulary_cut_short_is_an_error(load, tmp_path, sentencepiece_folders):
    with open(f"{sentencepiece_folders['unigram']}/vocab.txt", encoding="utf-8") as handle:
        lines = handle.readlines()
    (tmp_path / "vocab.txt").write_text("".join(lines[:-1]), encoding="utf-8")
    with pytest.raises(UserError, match=f"from line {len(lines)} on"):
        load(vocab=str(tmp_path / "vocab.txt"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"control_symbols": "", "user_defined_symbols": "[MASK]"}, "a text could spell it"),
        ({"byte_fallback": True, "vocab_size": 900}, "train it without byte_fallback"),
        ({"normalization_rule_name": "nmt_nfkc"}, "keeps capital letters: set do_lower_case=false"),
    ],
)
def test_a_model_made_for_something_else_is_an_error(tmp_path, options, sentence):
    train_sentencepiece(str(tmp_path), **options)
    with pytest.raises(UserError, match=sentence):
        load_sentencepiece(str(tmp_path / "vocab.txt"), str(tmp_path / "spiece.model"), True)


def test_specials_in_so_many_letters(sentencepieces):
    for tokenizer in sentencepieces.values():
        for special in SPECIALS:
            ((ids, _),) = tokenizer.encode([f"小{special}小"])
            assert tokenizer.ids[special] not in ids or special == "[UNK]"


def test_a_build_with_sentencepiece(sentencepiece_folders, tmp_path):
    """Any number of workers; the model's content counts, not its place."""
    folder = shutil.copytree(sentencepiece_folders["bpe"], tmp_path / "model")

    def build_with(output, model, workers=1):
        settings = ["max_seq_length=64", "max_predictions_per_seq=16", "num_shards=2"]
        settings += ["segmenter.name=jieba", "masking.corruption=partial_mask"]
        settings += ["tokenizer.name=sentencepiece", f"tokenizer.model={model}"]
        settings += [f"vocab_file={os.path.dirname(model)}/vocab.txt"]
        return build_of(default_settings(DataConfig, settings), tmp_path / output, workers=workers)

    info = build_with("one", f"{folder}/spiece.model")
    assert info.manifest["tokenizer"].startswith("sentencepiece ")
    assert info.manifest["statistics"]["pieces"] > 500
    assert build_with("two", f"{folder}/spiece.model", workers=2).shards == info.shards
    moved = f"{shutil.move(folder, tmp_path / 'moved')}/spiece.model"
    assert build_with("one", moved) == info
    other = f"{shutil.copytree(tmp_path / 'moved', tmp_path / 'other')}/spiece.model"
    with open(other, "ab") as handle:  # an empty trainer_spec: the same pieces in another file
        handle.write(b"\x12\x00")
    with pytest.raises(UserError, match="holds another build"):
        build_with("one", other)
