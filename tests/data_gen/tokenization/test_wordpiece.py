"""WordPiece against google-research/bert's tokenization.py; what holds for every tokenizer is in
test_pieces.py.
"""

import hashlib
import json

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from data_gen.pipeline.align import word_starts
from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import SPECIALS
from data_gen.tokenization.tokenizer import Tokens
from data_gen.tokenization.wordpiece import BasicTokenizer, WordPiece, load_wordpiece
from tests.data_gen.helpers import is_cjk, word_spans


def golden(name):
    with open(f"tests/golden/{name}.json", encoding="utf-8") as handle:
        return json.load(handle)


@pytest.mark.parametrize("case", ["lower", "cased"])
def test_pieces_are_those_of_googles_tokenizer(tokenizer, case):
    ours = WordPiece(tokenizer.pieces, do_lower_case=case == "lower")
    expected = dict(golden("wordpiece")[case])
    assert len(expected) == 197
    for text, (ids, offsets) in zip(expected, ours.encode(list(expected))):
        assert [ours.pieces[i] for i in ids] == expected[text], ascii(text)
        assert len(ids) == len(offsets)


@pytest.mark.parametrize("case", ["lower", "cased"])
def test_every_character_is_treated_as_by_google(case):
    """Before and after a letter and on its own, for every character of the blocks that differ in
    anything but Chinese characters.
    """
    expected = golden("basic_tokenizer")
    left_out = {
        code
        for name in ("pythons_differ", "tables_differ")
        for part in expected[name].split()
        for code in range(int(part.split("-")[0], 16), int(part.split("-")[-1], 16) + 1)
    }
    basic = BasicTokenizer(do_lower_case=case == "lower")
    for block, digest in expected[case].items():
        first = int(block, 16) << 8
        characters = [chr(c) for c in range(first, first + 256) if c not in left_out]
        text = " ".join(f"a{c}b {c} |" for c in characters)
        runs = basic.split(basic.normalize(text))
        assert hashlib.sha256("\n".join(runs).encode()).hexdigest()[:8] == digest, block


def pieces_and_words(tokenizer, sentence, words):
    boundaries = []
    position = 0
    for word in words:
        position = sentence.index(word, position)
        boundaries += [position, position + len(word)]
        position += len(word)
    ((ids, offsets),) = tokenizer.encode([sentence])
    spans = word_spans(offsets, boundaries)
    return ["".join(tokenizer.pieces[i] for i in ids[start:stop]) for start, stop in spans]


@pytest.mark.parametrize(
    ("sentence", "words", "expected"),
    [
        ("使用语言模型", ["使用", "语言", "模型"], ["使用", "语言", "模型"]),
        # a number that WordPiece cuts elsewhere than the segmenter: the straddling piece joins
        ("在1998年底", ["在", "19", "98年", "底"], ["在", "1998年", "底"]),
        ("用TensorFlow训练", ["用", "TensorFlow", "训练"], ["用", "te##ns##or##flow", "训练"]),
        ("Café 店", ["Café", "店"], ["cafe", "店"]),
        ("a b", ["a", "b"], ["a", "b"]),
        ("3.14元", ["3.14", "元"], ["3.14", "元"]),
        # characters that BERT drops take no part
        ("中\u200b国人", ["中\u200b国", "人"], ["中国", "人"]),
    ],
)
def test_words_and_pieces_meet_in_character_offsets(tokenizer, sentence, words, expected):
    assert pieces_and_words(tokenizer, sentence, words) == expected


def test_producible_pieces_are_what_tokenizing_can_give(tokenizer):
    reachable_ids = {tokenizer.pieces[i] for i in tokenizer.reachable_ids}
    assert not reachable_ids & set(SPECIALS)
    assert not any(piece.startswith("[unused") for piece in reachable_ids)
    inner = [piece[2:] for piece in reachable_ids if piece.startswith("##")]
    assert not any(is_cjk(char) for body in inner for char in body)
    assert {"语", "the", "##ing", "。", "1998"} <= reachable_ids
    # Google's generator draws from all 21,128; the vocabulary has 7,321 of ## + Chinese alone
    assert 13000 < len(reachable_ids) < 14000


@given(st.data())
def test_every_producible_start_of_a_word_is_produced(tokenizer, data):
    piece = tokenizer.pieces[data.draw(st.sampled_from(tokenizer.reachable_ids))]
    assume(not piece.startswith("##"))
    ((ids, _),) = tokenizer.encode([piece])
    assert [tokenizer.pieces[i] for i in ids] == [piece]


def test_the_vocabulary_is_read_whole(tokenizer):
    assert len(tokenizer.pieces) == 21128
    assert tokenizer.ids["[MASK]"] == tokenizer.mask == 103


def test_a_model_is_refused():
    with pytest.raises(UserError, match=r"takes no model.*tokenizer\.name=sentencepiece"):
        load_wordpiece("configs/vocab/bert_base_chinese.txt", "spiece.model", True)


def test_a_run_of_more_than_200_characters_is_unknown(tokenizer):
    tokens = tokenizer.tokenize(["a" * 200, "a" * 201])
    second = tokens.ids[tokens.first > 200].tolist()
    assert second == [tokenizer.unk]
    assert tokenizer.unk not in tokens.ids[tokens.first < 200]


def test_a_piece_without_text_at_the_end_stays_with_its_sentence():
    """The second sentence is at [3, 5); its word starts there, not at what ends the first."""
    tokens = Tokens(np.zeros(3), np.array([0, 2, 3]), np.array([2, 2, 5]))
    marks = np.array([True, False, True, True, False, True])
    assert word_starts(tokens, np.array([0, 2]), marks).tolist() == [True, False, True]
