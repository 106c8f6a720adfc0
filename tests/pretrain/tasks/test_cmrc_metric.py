"""The metric of CMRC 2018 against the official script, and each of its oddities by name."""

import json
import random

import pytest

from pretrain.tasks.cmrc.metric import mixed_segmentation, remove_punctuation, score
from pretrain.tasks.cmrc.treebank import word_tokenize

with open("tests/golden/cmrc_metric.json", encoding="utf-8") as handle:
    GOLDEN = json.load(handle)


@pytest.mark.parametrize("kind", sorted(GOLDEN))
def test_equals_the_official_script(kind):
    assert len(GOLDEN[kind]) > 10
    for prediction, answers, exact, f1, tokens, answers_tokens, with_marks in GOLDEN[kind]:
        assert mixed_segmentation(prediction) == tokens, prediction
        assert [mixed_segmentation(answer) for answer in answers] == answers_tokens, answers
        assert mixed_segmentation(prediction, rm_punc=False) == with_marks, prediction
        assert score(prediction, answers) == (exact, f1), (prediction, answers)


def test_the_golden_pairs_are_no_matter_of_course():
    pairs = [pair for kind in GOLDEN.values() for pair in kind]
    assert 300 <= len(pairs) <= 500
    assert sum(pair[2] == 1 for pair in pairs) > 50
    assert sum(0 < pair[3] < 1 for pair in pairs) > 90


def test_f1_counts_the_longest_run_and_not_a_subsequence():
    # 北京 of four and four; as a subsequence 北京大学 would give 3 of 4.
    assert score("北京的大", ["北京大学"]) == (0.0, 0.5)
    assert score("甲乙丙丁", ["乙丙甲丁"]) == (0.0, 0.5)


def test_the_best_answer_counts_for_each_of_the_two_by_itself():
    assert score("北京", ["上海", "北京市", "北"]) == (0.0, pytest.approx(0.8))
    assert score("北京", ["上海", "北京"]) == (1.0, 1.0)
    # f1 of the one, exact match of the other
    assert score("。", ["a", "，"]) == (1.0, 0.0)


def test_no_answer_at_all_is_an_error():
    with pytest.raises(ValueError, match="empty"):
        score("北京", [])


def test_nothing_against_marks_alone_is_exact_with_an_f1_of_0():
    assert score("", ["，。"]) == (1.0, 0.0)
    assert score("", ["北京"]) == (0.0, 0.0)
    assert score("北京", [""]) == (0.0, 0.0)


def test_spaces_within_count_in_exact_match_and_not_in_f1():
    assert score("北 京", ["北京"]) == (0.0, 1.0)
    assert score(" 北京\u3000", ["北京"]) == (1.0, 1.0)
    assert score("New York", ["new  york"]) == (0.0, 1.0)
    assert remove_punctuation("  New - York: ") == "new  york"


def test_case_does_not_count():
    assert score("NBA总决赛", ["nba总决赛"]) == (1.0, 1.0)


def test_the_marks_are_those_of_the_script():
    marks = "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』"
    assert remove_punctuation(marks) == ""
    assert mixed_segmentation(marks) == []
    assert mixed_segmentation(marks, rm_punc=False) == list(marks)
    assert remove_punctuation(",.!?;()\"'—%") == ",.!?;()\"'—%"


def test_an_ellipsis_is_no_mark():
    assert remove_punctuation("好……") == "好……"
    assert score("好……", ["好"]) == (0.0, pytest.approx(2 / 3))


def test_the_closing_quote_is_a_mark_and_the_opening_one_is_not():
    assert remove_punctuation("‘好’") == "‘好"
    assert mixed_segmentation("‘好’") == ["‘", "好"]


def test_a_mark_taken_away_joins_what_stands_beside_it():
    assert mixed_segmentation("1-2") == ["12"]
    assert mixed_segmentation("1-2", rm_punc=False) == ["1", "-", "2"]
    assert mixed_segmentation("do·n“'t好") == ["do", "n't", "好"]
    assert score("1-2", ["12"]) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("一龥", ["一", "龥"]),
        ("龦龦", ["龦龦"]),  # U+9FA6, one behind the last of the range
        ("䶵㐀", ["䶵㐀"]),  # Extension A
        ("𠀀𠀀一", ["𠀀𠀀", "一"]),  # Extension B
        ("二〇一〇年", ["二", "〇", "一", "〇", "年"]),
        ("〇〇年", ["〇〇", "年"]),
        ("\uf900\uf901", ["\uf900\uf901"]),  # compatibility forms
        ("１２年", ["１２", "年"]),
        ("ＢＭＷ", ["ｂｍｗ"]),
    ],
)
def test_other_characters_than_those_of_the_range_are_words(text, tokens):
    assert mixed_segmentation(text) == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \u3000", []),
        ("2.5%", ["2.5", "%"]),
        ("$5", ["$", "5"]),
        ("1,000, 2", ["1,000", ",", "2"]),
        ('"a" "b', ["``", "a", "''", "``", "b"]),
        ("don't", ["do", "n't"]),
        ("it's 'round the dogs'", ["it", "'s", "'", "round", "the", "dogs", "'"]),
        ("cannot gonna 'tis", ["can", "not", "gon", "na", "'", "tis"]),
        ("a (b) [c]", ["a", "(", "b", ")", "[", "c", "]"]),
        ("1—2–3", ["1", "—", "2", "–", "3"]),
        ("a....b", ["a", "....", "b"]),
        ("«a» ‘b", ["«", "a", "»", "‘", "b"]),
        ("a\x1cb", ["a", "b"]),
    ],
)
def test_words_of_the_penn_treebank(text, tokens):
    assert word_tokenize(text) == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("see this. he goes.", ["see", "this", ".", "he", "goes", "."]),
        ("dr. who", ["dr.", "who"]),  # an abbreviation
        ("the u.s. he", ["the", "u.s.", "he"]),
        ("smith. who", ["smith", ".", "who"]),
        ("x. who", ["x.", "who"]),  # an initial before lower case
        ("x. 5", ["x", ".", "5"]),
        ("①. who", ["①", ".", "who"]),  # no letter
        ("x. administrators", ["x", ".", "administrators"]),  # seen at the head of sentences
        ("x. ℂ", ["x.", "ℂ"]),  # a capital without a small letter
        ("1. who", ["1.", "who"]),
        ("1. 2", ["1", ".", "2"]),
        ("b. 5. stewart", ["b", ".", "5.", "stewart"]),
        ("a? b", ["a", "?", "b"]),
        ("a.\n\x1f b", ["a.", "b"]),  # a line of a control character alone is no line
        ("(a.) b.", ["(", "a", ".", ")", "b", "."]),
        ("he.) it", ["he", ".", ")", "it"]),  # the bracket goes to the first sentence
        ("a . . . b.", ["a", ".", ".", ".", "b", "."]),
    ],
)
def test_only_the_last_period_of_a_sentence_is_a_word(text, tokens):
    assert word_tokenize(text) == tokens


def test_the_longest_run_is_that_of_the_plain_table():
    rng = random.Random("cmrc metric/longest run")
    for _ in range(300):
        first, second = ("".join(rng.choices("甲乙丙", k=rng.randint(1, 12))) for _ in range(2))
        longest = max(
            size
            for start in range(len(first))
            for size in range(len(first) - start + 1)
            if first[start : start + size] in second
        )
        precision, recall = longest / len(first), longest / len(second)
        expected = 2 * precision * recall / (precision + recall) if longest else 0.0
        assert score(first, [second]) == (float(first == second), expected)


def test_more_different_tokens_than_one_byte_holds():
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 5000)))
    assert score(text[:4000], [text[1000:]]) == (0.0, pytest.approx(0.75))
