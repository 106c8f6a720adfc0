"""What kind of word a word is, by its characters: for `masking.skip`."""

import unicodedata

CLASSES = ("punctuation", "number", "latin", "single", "other")


def word_class(word: str) -> str:
    """The first of `CLASSES` that fits: marks and symbols alone; digits and numerals, with the
    marks within them; letters of an alphabet among them; one other character (的, 了); the rest.

    >>> [word_class(word) for word in ("，", "3.14", "一百", "BERT-base", "的", "模型")]
    ['punctuation', 'number', 'number', 'latin', 'single', 'other']
    """
    marks = [unicodedata.category(char)[0] in "PSZC" for char in word]
    if all(marks):
        return "punctuation"
    if all(mark or char.isnumeric() for mark, char in zip(marks, word)):
        return "number"
    if any(unicodedata.category(char) in ("Lu", "Ll", "Lt") for char in word):
        return "latin"
    return "single" if len(word) == 1 else "other"
