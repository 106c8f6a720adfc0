"""The class of a word by its characters, for `masking.skip`."""

from unicodedata import ucd_3_2_0

CLASSES = ("punctuation", "number", "latin", "single", "other")

# The blocks of Chinese characters, as a class of a regular expression has them.
CHINESE_CHARACTERS = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"

_CHINESE_NUMERALS = frozenset(
    "〇零一二三四五六七八九十百千万亿两壹贰叁肆伍陆柒捌玖拾佰仟萬億兩貳參陸"
)


def word_class(word: str) -> str:
    """Return the first of `CLASSES` that fits: marks and symbols alone; digits and numerals, with
    the marks within them; letters of an alphabet among them; one other character (的, 了); the
    rest.

    >>> [word_class(word) for word in ("，", "3.14", "一百", "BERT-base", "的", "模型")]
    ['punctuation', 'number', 'number', 'latin', 'single', 'other']
    """
    categories = [ucd_3_2_0.category(char) for char in word]
    marks = [category[0] in "PSZ" for category in categories]
    if all(marks):
        return "punctuation"
    if all(
        m or c[0] == "N" or char in _CHINESE_NUMERALS for m, c, char in zip(marks, categories, word)
    ):
        return "number"
    if any(category in ("Lu", "Ll", "Lt") for category in categories):
        return "latin"
    return "single" if len(word) == 1 else "other"
