"""Answers from the scores of positions; right values by hand."""

import math

import numpy as np
import pytest

from pretrain.finetune.encode_questions import encode_questions
from pretrain.finetune.spans import span_figures, span_predictions, window_candidates
from pretrain.tasks.examples import Question
from tests.pretrain.finetune.helpers import finetune_settings
from tests.pretrain.small_model import FakeTokenizer

LENGTH = 10
SETTINGS = {"max_seq_length": LENGTH, "doc_stride": 3}
TEN = "天地人日月山水火木金"  # windows: 天地人日月山, 日月山水火木, 水火木金


def question(context, *answers, text="人"):
    start = context.index(answers[0]) if answers else -1
    return Question("q1", text, context, answers, start)


def places_of(examples, tokenizer=None, **settings):
    settings = finetune_settings(**{**SETTINGS, **settings})
    rows = encode_questions(tokenizer or FakeTokenizer(), examples, [], settings)
    return [{"example": row.example, "pieces": len(row.ids), **row.place} for row in rows]


def scores_of(places, *marks, length=LENGTH):
    """Scores of each row, -5 but for the marks (row, 0 first or 1 last, position, score)."""
    scores = [np.full([2, length], -5, np.float32) for _ in places]
    for row, end, position, score in marks:
        scores[row][end, position] = score
    return scores


def predict(examples, places, scores, **settings):
    settings = finetune_settings(**{**SETTINGS, **settings})
    return span_predictions(scores, places, examples, [], settings)


def test_the_best_answer_of_all_windows_is_the_paragraphs_text():
    example = question(TEN, "水火")
    places = places_of([example])
    marks = [(0, 0, 4, 1.0), (0, 1, 4, 1.0), (1, 0, 6, 3.0), (1, 1, 7, 2.0)]
    (found,) = predict([example], places, scores_of(places, *marks), n_best=2)
    assert (found["id"], found["text"]) == ("q1", "水火")
    assert (found["exact_match"], found["f1"]) == (1, 1)
    best, second = found["nbest"]
    assert (best["text"], best["start"], second["text"], second["start"]) == ("水火", 6, "地", 1)
    assert best["probability"] == pytest.approx(1 / (1 + math.exp(-3)), abs=1e-6)


def test_a_first_piece_counts_in_its_best_window_alone():
    example = question(TEN, "月")
    places = places_of([example])
    # 月 has a piece after it in the first window and one before it in the second: the first counts.
    marks = [(1, 0, 4, 9.0), (1, 1, 4, 9.0), (0, 0, 7, 1.0), (0, 1, 8, 1.0)]
    (found,) = predict([example], places, scores_of(places, *marks), n_best=1)
    assert found["text"] == "月山"
    # Its last piece may lie anywhere in the window.
    assert found["nbest"][0]["start"] == 4


def test_an_answer_has_at_most_so_many_pieces():
    example = question(TEN, "天地人")
    places = places_of([example])
    scores = scores_of(places, (0, 0, 3, 9.0), (0, 1, 5, 9.0), (0, 1, 4, 1.0))
    for most, text in ((1, "天"), (2, "天地"), (3, "天地人")):
        (found,) = predict([example], places, scores, max_answer_length=most)
        assert found["text"] == text


def test_an_answer_is_inside_the_paragraph_and_not_backwards():
    example = question("天地", "地")
    places = places_of([example])
    # [CLS] 人 [SEP] 天 地 [SEP] [PAD]...: none but 地 is left of these
    marks = [(0, end, position, 9.0) for end in (0, 1) for position in (0, 1, 2, 5, 6, 9)]
    marks += [(0, 0, 4, 8.0), (0, 1, 3, 8.5), (0, 1, 4, 1.0)]
    (found,) = predict([example], places, scores_of(places, *marks))
    assert [x["text"] for x in found["nbest"]] == ["地", "天", "天地"]
    assert sorted(
        (c.start, c.stop)
        for c in window_candidates(
            scores_of(places, *marks)[0], places[0], finetune_settings(**SETTINGS)
        )
    ) == [(0, 1), (0, 2), (1, 2)]


def test_scores_may_be_of_a_trimmed_batch():
    example = question("天地", "地")
    places = places_of([example])
    marks = [(0, 0, 4, 8.0), (0, 1, 4, 1.0)]
    whole = predict([example], places, scores_of(places, *marks))
    assert whole == predict([example], places, scores_of(places, *marks, length=6))


def test_equal_texts_are_one_candidate():
    example = question("天地天地", "天")
    places = places_of([example])
    marks = [(0, 0, 3, 1.0), (0, 1, 3, 1.0), (0, 0, 5, 2.0), (0, 1, 5, 2.0)]
    (found,) = predict([example], places, scores_of(places, *marks))
    texts = [x["text"] for x in found["nbest"]]
    assert texts[0] == "天"
    assert found["nbest"][0]["start"] == 2
    assert len(texts) == len(set(texts))


def test_questions_do_not_mix_and_keep_their_order():
    examples = [
        question("天地人日月山水", "天"),
        question("火木金", "木", text=""),  # an empty question
        question("\u00ad", "\u00ad"),  # a paragraph without a piece
    ]
    places = places_of(examples, _Dropping())
    assert [place["example"] for place in places] == [0, 0, 1, 2]
    order = [2, 3, 0, 1]  # as a feature folder sorts rows by length
    marks = [(0, 0, 3, 1.0), (0, 1, 4, 1.0), (2, 0, 3, 4.0), (2, 1, 3, 4.0), (3, 0, 3, 9.0)]
    scores = scores_of(places, *marks)
    found = predict(examples, [places[i] for i in order], [scores[i] for i in order])
    assert [x["text"] for x in found] == ["天地", "木", ""]
    assert found[2]["nbest"] == []
    # 天地 and 天 share one of two and one characters: F1 2/3.
    assert [(x["exact_match"], round(x["f1"], 4)) for x in found] == [(0, 0.6667), (1, 1), (0, 0)]
    figures = span_figures(found, [])
    assert {name: round(x, 4) for name, x in figures.items()} == {
        "average": 0.4444,
        "exact_match": 0.3333,
        "f1": 0.5556,
    }


class _Dropping(FakeTokenizer):
    """Drops soft hyphens, as WordPiece does."""

    def encode(self, sentences):
        found = super().encode(sentences)
        kept = [[i for i, c in enumerate(text) if c != "\u00ad"] for text in sentences]
        return [
            ([ids[i] for i in kept_ones], [offsets[i] for i in kept_ones])
            for (ids, offsets), kept_ones in zip(found, kept)
        ]


def test_a_question_without_an_answer_has_no_measures():
    example = question("天地")
    places = places_of([example])
    (found,) = predict([example], places, scores_of(places))
    assert set(found) == {"id", "text", "nbest"}
    assert span_figures([found], []) == {}


@pytest.mark.parametrize(
    ("context", "first", "last", "text"),
    [
        ("館藏 報紙，印於1908年", 0, 3, "館藏 報紙"),
        ("门票１２８元，在Ｎ Ｂ Ａ店", 2, 4, "１２８元"),
        ("老板José Müller说好", 2, 4, "José Müller"),
        ("老板Jose\u0301说好", 2, 2, "Jose\u0301"),
        ("中\u00ad国\u0007 人好", 0, 1, "中\u00ad国"),
        ("是TensorFlow 2.0。", 1, 7, "TensorFlow 2.0"),
    ],
)
def test_answers_are_cut_out_by_characters(context, first, last, text):
    pytest.importorskip("tokenizers")
    from data_gen.tokenization.wordpiece import load_wordpiece

    tokenizer = load_wordpiece("configs/vocab/bert_base_chinese.txt", None, True)
    example = question(context, text)
    places = places_of([example], tokenizer, max_seq_length=32)
    marks = [(0, 0, 3 + first, 1.0), (0, 1, 3 + last, 1.0)]
    (found,) = predict([example], places, scores_of(places, *marks, length=32))
    assert found["text"] == text
    assert found["exact_match"] == 1
