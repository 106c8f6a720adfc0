import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from data_gen.settings import UserError
from data_gen.types import Span
from data_gen.wordpiece import (
    SPECIALS,
    WordPiece,
    piece_spans,
    read_vocabulary,
    word_spans,
)

# The one case known to differ: Python lowers a final capital sigma to ς, the Rust tokenizers of
# all fast implementations letter by letter to σ.
DIFFERENT = {"ΑΒΓ ΣΊΣΥΦΟΣ"}

# The blocks in which Google's BasicTokenizer makes every character a piece of its own
# (tokenization.py).
_CJK_BLOCKS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def is_cjk(char: str) -> bool:
    """Whether Google's tokenizer treats `char` as a Chinese character."""
    return any(first <= ord(char) <= last for first, last in _CJK_BLOCKS)


with open("tests/golden/wordpiece.json", encoding="utf-8") as handle:
    GOOGLE = json.load(handle)  # made by google-research/bert's FullTokenizer


@pytest.mark.parametrize("case", ["lower", "cased"])
def test_pieces_are_those_of_googles_tokenizer(tokenizer, case):
    ours = WordPiece(tokenizer.pieces, do_lower_case=case == "lower")
    expected = {text: pieces for text, pieces in GOOGLE[case] if text not in DIFFERENT}
    assert len(expected) > 30
    for text, (ids, offsets) in zip(expected, ours.encode(list(expected))):
        assert [ours.pieces[i] for i in ids] == expected[text], text
        assert len(ids) == len(offsets)


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


@given(st.lists(st.integers(1, 3), max_size=8), st.sets(st.integers(0, 24)))
def test_spans_cover_all_pieces_and_end_only_at_boundaries(sizes, boundaries):
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    offsets = list(zip([0, *ends], ends))
    spans = word_spans(offsets, sorted(boundaries))
    assert [i for span in spans for i in range(*span)] == list(range(len(sizes)))
    inner = {offsets[span.stop - 1][1] for span in spans[:-1]}
    assert inner == {end for end in ends[:-1] if end in boundaries}


def test_without_boundaries_all_is_one_word_and_piece_spans_are_single():
    assert word_spans([(0, 1), (1, 2)], []) == (Span(0, 2),)
    assert word_spans([], [0, 1]) == ()
    assert piece_spans(2) == (Span(0, 1), Span(1, 2))


def test_producible_pieces_are_what_tokenizing_can_give(tokenizer):
    producible = {tokenizer.pieces[i] for i in tokenizer.producible}
    assert not producible & set(SPECIALS)
    assert not any(piece.startswith("[unused") for piece in producible)
    inner = [piece[2:] for piece in producible if piece.startswith("##")]
    assert not any(is_cjk(char) for body in inner for char in body)
    assert {"语", "the", "##ing", "。", "1998"} <= producible
    # Google's generator draws from all 21,128; the vocabulary has 7,321 of ## + Chinese alone
    assert 13000 < len(producible) < 14000


@given(st.data())
def test_every_producible_start_of_a_word_is_produced(tokenizer, data):
    piece = tokenizer.pieces[data.draw(st.sampled_from(tokenizer.producible))]
    assume(not piece.startswith("##"))
    ((ids, _),) = tokenizer.encode([piece])
    assert [tokenizer.pieces[i] for i in ids] == [piece]


def test_the_vocabulary_is_read_whole(tokenizer):
    assert len(tokenizer.pieces) == 21128
    assert tokenizer.ids["[MASK]"] == tokenizer.mask == 103


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["[PAD]", "[UNK]", "中"], r"lacks \[CLS\] \[SEP\] \[MASK\]"),
        ([*SPECIALS, "中", "中"], "'中' on two lines"),
    ],
)
def test_a_vocabulary_that_cannot_be_used_is_an_error(tmp_path, lines, sentence):
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(UserError, match=sentence):
        read_vocabulary(str(path))


def test_a_missing_vocabulary_is_named():
    with pytest.raises(UserError, match=r"cannot read the vocabulary nowhere\.txt"):
        read_vocabulary("nowhere.txt")
