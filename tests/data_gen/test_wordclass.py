import pytest

from data_gen.wordclass import CLASSES, word_class


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("，", "punctuation"),
        ("……", "punctuation"),
        ("+", "punctuation"),
        ("1998", "number"),
        ("3.14", "number"),
        ("50%", "number"),
        ("二〇二〇", "number"),
        ("bert", "latin"),
        ("bert-base", "latin"),
        ("gpt4", "latin"),
        ("t恤", "latin"),
        ("的", "single"),
        ("模型", "other"),
        ("第二", "other"),
        ("カタカナ", "other"),
        ("𠮷", "single"),
    ],
)
def test_classes(word, expected):
    assert word_class(word) == expected
    assert expected in CLASSES
