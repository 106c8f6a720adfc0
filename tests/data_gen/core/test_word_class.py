import pytest

from data_gen.core.word_class import CLASSES, word_class


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
        # numerals or letters only in some versions of Unicode, and so of Python
        ("两", "number"),
        ("京", "single"),
        ("拾", "number"),
        ("什", "single"),
        ("\u9ffd", "single"),
    ],
)
def test_classes(word, expected):
    assert word_class(word) == expected
    assert expected in CLASSES
