"""What holds for every tokenizer: offsets, words, the pieces that may stand in for others."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import SPECIALS, read_vocabulary
from data_gen.tokenization.sentence_piece import SPACE
from data_gen.tokenization.tokenizer import Tokenizer
from data_gen.tokenization.wordpiece import WordPiece
from tests.data_gen.helpers import hard_sentences, word_spans

NAMES = ["wordpiece", "cased wordpiece", "unigram", "bpe"]


@pytest.fixture(scope="session")
def tokenizers(tokenizer, sentencepieces):
    cased = WordPiece(tokenizer.pieces, do_lower_case=False)
    return {"wordpiece": tokenizer, "cased wordpiece": cased, **sentencepieces}


@pytest.mark.parametrize("name", NAMES)
@given(sentence=hard_sentences)
def test_offsets_ascend_and_leave_out_only_spaces_and_what_is_dropped(tokenizers, name, sentence):
    tokenizer = tokenizers[name]
    ((ids, offsets),) = tokenizer.encode([sentence])
    assert len(ids) == len(offsets)
    assert all(0 <= first <= last <= len(sentence) for first, last in offsets)
    assert list(offsets) == sorted(offsets, key=lambda pair: pair[0])
    assert list(offsets) == sorted(offsets, key=lambda pair: pair[1])
    covered = {i for first, last in offsets for i in range(first, last)}
    for i in set(range(len(sentence))) - covered:
        dropped = unicodedata.category(sentence[i]) in ("Cc", "Cf", "Mn", "Zs", "Zl", "Zp")
        # Some accents of one Python's Unicode are unknown to the next one's.
        unassigned = unicodedata.category(sentence[i]) == "Cn"
        assert dropped or unassigned or sentence[i] in ("\ufffd", SPACE), ascii(sentence[i])


@pytest.mark.parametrize("name", NAMES)
@given(sentence=hard_sentences)
def test_a_text_gives_no_special_piece_but_unk(tokenizers, name, sentence):
    tokenizer = tokenizers[name]
    ((ids, _),) = tokenizer.encode([sentence])
    assert all(0 <= i < len(tokenizer.pieces) for i in ids)
    assert not {tokenizer.pieces[i] for i in ids} & {*SPECIALS} - {"[UNK]"}
    assert set(ids) <= {tokenizer.unk, *tokenizer.reachable_ids, tokenizer.ids.get(SPACE)}


@pytest.mark.parametrize("name", NAMES)
@given(sentence=st.lists(st.sampled_from("语言模型的一个公园，。 ab1"), max_size=12).map("".join))
def test_the_text_at_its_offsets_is_the_piece(tokenizers, name, sentence):
    tokenizer = tokenizers[name]
    ((ids, offsets),) = tokenizer.encode([sentence])
    for i, (first, last) in zip(ids, offsets):
        piece = tokenizer.pieces[i].strip(SPACE)
        surface = sentence[first:last].replace("，", "," if "piece" not in name else "，")
        assert surface == (piece[2:] if piece.startswith("##") else piece) or i == tokenizer.unk
    assert "".join(sentence[first:last] for first, last in offsets) == sentence.replace(" ", "")


@pytest.mark.parametrize("name", NAMES)
@given(sentence=hard_sentences, boundaries=st.sets(st.integers(0, 30)))
def test_words_are_cut_where_a_boundary_lies_between_two_pieces(
    tokenizers, name, sentence, boundaries
):
    ((ids, offsets),) = tokenizers[name].encode([sentence])
    spans = word_spans(offsets, sorted(boundaries))
    assert [i for span in spans for i in range(*span)] == list(range(len(ids)))
    starts = {start for start, _ in spans}
    with_text = [i for i, (first, last) in enumerate(offsets) if first < last]
    for left, right in zip(with_text, with_text[1:]):
        between = any(offsets[left][1] <= mark <= offsets[right][0] for mark in boundaries)
        assert (left + 1 in starts) == between  # what has no text goes with the next piece
    assert len(spans) == 1 or all(any(i in with_text for i in range(*span)) for span in spans)


@given(st.lists(st.integers(1, 3), max_size=8), st.sets(st.integers(0, 24)))
def test_spans_cover_all_pieces_and_end_only_at_boundaries(sizes, boundaries):
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    offsets = list(zip([0, *ends], ends))
    spans = word_spans(offsets, sorted(boundaries))
    assert [i for span in spans for i in range(*span)] == list(range(len(sizes)))
    inner = {offsets[stop - 1][1] for _, stop in spans[:-1]}
    assert inner == {end for end in ends[:-1] if end in boundaries}


def test_without_boundaries_all_is_one_word():
    assert word_spans([(0, 1), (1, 2)], []) == [(0, 2)]
    assert word_spans([], [0, 1]) == []


@pytest.mark.parametrize("name", NAMES)
@given(texts=st.lists(hard_sentences, max_size=5))
def test_many_sentences_at_once_give_what_each_gives(tokenizers, name, texts):
    """Runs that are looked up are those that the package makes, wherever they stand."""
    tokenizer = tokenizers[name]
    expected = Tokenizer.tokenize(tokenizer, texts)
    for _ in range(2):
        tokens = tokenizer.tokenize(texts)
        assert [column.tolist() for column in tokens] == [column.tolist() for column in expected]
    encoded = tokenizer.encode(texts)
    assert tokens.ids.tolist() == [i for ids, _ in encoded for i in ids]
    text = "\n".join(texts)
    assert [text[a:b] for a, b in zip(tokens.first.tolist(), tokens.last.tolist())] == [
        sentence[a:b] for sentence, (_, offsets) in zip(texts, encoded) for a, b in offsets
    ]


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        # a ▁ before the word it belongs to, and one at the end
        ([(0, 2), (3, 3), (3, 5)], [(0, 1), (1, 3)]),
        ([(0, 2), (3, 5), (5, 5)], [(0, 1), (1, 3)]),
        ([(0, 0), (0, 2), (3, 5)], [(0, 2), (2, 3)]),
        ([(2, 2)], [(0, 1)]),
        # two pieces of one character
        ([(0, 2), (2, 3), (2, 3), (3, 5)], [(0, 1), (1, 3), (3, 4)]),
        # a piece that ends within a character, and one that ends a word too late
        ([(0, 3), (2, 3), (3, 5)], [(0, 2), (2, 3)]),
        ([(0, 1), (1, 4), (4, 5)], [(0, 3)]),
    ],
)
def test_pieces_without_text_and_parts_of_characters(offsets, expected):
    """The words are [0, 2), [2, 3) and [3, 5)."""
    assert word_spans(offsets, [0, 2, 2, 3, 3, 5]) == expected


@pytest.mark.parametrize("name", NAMES)
def test_no_special_piece_stands_in_for_others(tokenizers, name):
    tokenizer = tokenizers[name]
    reachable_ids = {tokenizer.pieces[i] for i in tokenizer.reachable_ids}
    assert not reachable_ids & {*SPECIALS, SPACE}
    assert len(reachable_ids) > 0.6 * len(tokenizer.pieces)
    assert list(tokenizer.reachable_ids) == sorted(tokenizer.reachable_ids)


@pytest.mark.parametrize("name", NAMES)
def test_clause_marks_and_text(tokenizers, name):
    tokenizer = tokenizers[name]
    ((ids, _),) = tokenizer.encode(["一个，小"])
    assert [i in tokenizer.clause_marks for i in ids][-2:] == [True, False]
    assert tokenizer.join(ids).replace(",", "，") == "一个，小"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["[PAD]", "[UNK]", "中"], r"lacks \[CLS\] \[SEP\] \[MASK\]"),
        ([*SPECIALS, "中", "中"], "'中' on the lines 6 and 7"),
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
