"""Rows of texts and of questions, and the gold answers that they keep."""

import pytest

from data_gen.shared.errors import UserError
from pretrain.finetune.encode_questions import best_windows, cut, encode_questions
from pretrain.finetune.encode_texts import encode_texts
from pretrain.tasks.examples import Question, TextExample
from tests.pretrain.finetune.helpers import finetune_settings
from tests.pretrain.small_model import PIECES, FakeTokenizer

TEN = "天地人日月山水火木金"


@pytest.fixture(scope="module")
def tokenizer():
    pytest.importorskip("tokenizers")
    from data_gen.tokenization.wordpiece import load_wordpiece

    return load_wordpiece("configs/vocab/bert_base_chinese.txt", None, True)


def question(context, answer, text="谁？", start=None):
    start = context.index(answer) if start is None else start
    return Question("q1", text, context, (answer,), start)


def rows_of(example, tokenizer=None, **settings):
    settings = finetune_settings(**settings)
    return list(encode_questions(tokenizer or FakeTokenizer(), [example], [], settings))


def gold_texts(example, rows):
    """The text between the gold positions of each row; None at [CLS]."""
    texts = []
    for row in rows:
        first, last = row.targets["start_positions"], row.targets["end_positions"]
        offsets = row.place["offsets"]
        shift = row.place["first"]
        texts.append(
            example.context[offsets[first - shift][0] : offsets[last - shift][1]] if first else None
        )
    return texts


def pieces(row):
    return "".join(PIECES[i] for i in row.ids)


@pytest.mark.parametrize(
    ("context", "answer"),
    [
        ("圖書館有三層，二樓是自習室。", "自習室"),
        ("版本 2.0 支持CPU  和 GPU，都行", "CPU  和 GPU"),
        ("　甲乙　丙", "乙　丙"),
        ("门票１２８元，在Ｎ Ｂ Ａ店", "１２８元"),
        ("门票１２８元，在Ｎ Ｂ Ａ店", "Ｎ Ｂ Ａ"),
        ("老板José Müller说好", "José Müller"),
        ("老板Jose\u0301说好", "Jose\u0301"),  # the accent is a character of its own
        ("ÅΣ是İstanbul的", "İstanbul"),  # longer in lower case
        ("中\u00ad国\u0007人好", "国\u0007人"),
        ("中\u00ad国\u0007人好", "中\u00ad国"),
        ("\u0301中文", "中"),
        ("𠀀𪚥字", "𪚥"),  # two unknown pieces
        ("他去한국어", "한국어"),  # several pieces of one character
    ],
)
def test_answers_are_the_paragraphs_own_text(tokenizer, context, answer):
    example = question(context, answer)
    assert gold_texts(example, rows_of(example, tokenizer)) == [answer]


@pytest.mark.parametrize(
    ("context", "answer", "kept"),
    [
        ("成立于1908年", "908", "1908"),  # a part of a piece: the whole of it
        ("中国\u00ad", "国\u00ad", "国"),  # nothing stands for a soft hyphen
        ("a\u200d中", "\u200d", None),
    ],
)
def test_answers_that_are_no_pieces(tokenizer, context, answer, kept):
    example = question(context, answer)
    assert gold_texts(example, rows_of(example, tokenizer)) == [kept]


def test_a_cased_tokenizer_keeps_accents_as_pieces():
    pytest.importorskip("tokenizers")
    from data_gen.tokenization.wordpiece import WordPiece

    cased = WordPiece([*PIECES, "e", "##\u0301"], do_lower_case=False)
    example = question("天e\u0301地", "e")
    (row,) = rows_of(example, cased)
    assert row.place["offsets"] == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert gold_texts(example, [row]) == ["e"]


def test_windows_and_an_answer_in_the_overlap_of_two():
    example = question(TEN, "月山", text="人")
    rows = rows_of(example, max_seq_length=10, doc_stride=3)
    assert [pieces(row) for row in rows] == [
        "[CLS]人[SEP]天地人日月山[SEP]",
        "[CLS]人[SEP]日月山水火木[SEP]",
        "[CLS]人[SEP]水火木金[SEP]",
    ]
    assert gold_texts(example, rows) == ["月山", "月山", None]
    assert [row.targets["start_positions"] for row in rows] == [7, 4, 0]
    # Of 月 both sides count: 1 piece after it in the first window, 1 before it in the second.
    assert [row.place["best"] for row in rows] == [
        [True, True, True, True, True, False],
        [False, False, True, True, True, False],
        [False, False, True, True],
    ]


def test_a_half_answer_is_at_cls():
    example = question(TEN, "山水", text="人")
    rows = rows_of(example, max_seq_length=10, doc_stride=6)
    assert gold_texts(example, rows) == [None, None]
    assert [pieces(row)[-9:] for row in rows] == ["人日月山[SEP]", "水火木金[SEP]"]


@pytest.mark.parametrize(
    ("count", "room", "stride", "windows"),
    [
        (0, 5, 3, [(0, 0)]),
        (5, 5, 3, [(0, 5)]),
        (6, 5, 3, [(0, 5), (3, 6)]),
        (10, 4, 100, [(0, 4), (4, 8), (8, 10)]),  # no gap where the stride is too long
    ],
)
def test_cut(count, room, stride, windows):
    assert cut(count, room, stride) == windows


def test_of_equal_windows_the_first_is_best():
    assert best_windows(cut(6, 4, 2), 6) == [0, 0, 0, 1, 1, 1]
    assert best_windows(cut(5, 4, 1), 5) == [0, 0, 0, 1, 1]


def test_an_empty_question():
    example = question("天地人", "地", text="")
    (row,) = rows_of(example)
    assert pieces(row) == "[CLS][SEP]天地人[SEP]"
    assert row.first == 2
    assert row.targets == {"unique_ids": 0, "start_positions": 3, "end_positions": 3}


def test_a_long_question_is_cut_or_refused():
    example = question("天地人", "地", text="日" * 30)
    rows = rows_of(example, max_seq_length=8, max_query_length=4)
    assert [pieces(row) for row in rows] == [
        f"[CLS]日日日日[SEP]{piece}[SEP]" for piece in example.context
    ]
    with pytest.raises(UserError, match=r"question q1 .* set max_query_length to at most 4"):
        rows_of(example, max_seq_length=8, max_query_length=5)


def test_a_row_is_of_one_paragraph():
    examples = [
        question("天地人日月" * 3, "地", text="金"),
        question("天地人日月" * 3, "月", text="木"),
        question("山水火", "水", text="金"),
        question("天地人日月" * 3, "月", text="金"),
    ]
    settings = finetune_settings(max_seq_length=10, doc_stride=4)
    rows = list(encode_questions(FakeTokenizer(), examples, [], settings))
    assert [row.example for row in rows] == [0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 3, 3, 3]
    for row in rows:
        offsets = row.place["offsets"]
        text = examples[row.example].context[offsets[0][0] : offsets[-1][1]]
        assert pieces(row) == f"[CLS]{examples[row.example].question}[SEP]{text}[SEP]"


def test_a_question_without_an_answer():
    for example in (
        Question("q", "人", "天地", (), -1),
        Question("q", "人", "天地", ("山",), -1),  # an answer that the paragraph has not
    ):
        assert gold_texts(example, rows_of(example)) == [None]


def test_texts_and_pairs():
    examples = [
        TextExample("line 1", "天地人日月山水", None, "b"),
        TextExample("line 2", "天地人", "日月山水", "a"),
        TextExample("line 3", "天地人日", "月山", None),
        TextExample("line 4", "天", "日月", "a"),
    ]
    rows = list(
        encode_texts(FakeTokenizer(), examples, ["a", "b"], finetune_settings(max_seq_length=8))
    )
    assert [pieces(row) for row in rows] == [
        "[CLS]天地人日月山[SEP]",
        "[CLS]天地人[SEP]日月[SEP]",
        "[CLS]天地人[SEP]月山[SEP]",
        "[CLS]天[SEP]日月[SEP]",
    ]
    assert [row.first for row in rows] == [8, 5, 5, 3]
    assert [row.targets["label_ids"] for row in rows] == [1, 0, 0, 0]
    assert all(row.targets["is_real_example"] == 1 for row in rows)
