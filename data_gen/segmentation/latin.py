"""Words of English and mixed text without a toolkit: what stands between spaces and marks.

A word is what BERT's tokenizer keeps together (google-research/bert, BasicTokenizer): letters and
digits up to a space, a mark or a Chinese character. So `don't` is three words and `3.14` too, as
they are for the model, and each Chinese character is a word.
"""

import re
from unicodedata import ucd_3_2_0

from data_gen.core.word_class import CHINESE_CHARACTERS
from data_gen.segmentation.segmenter import Segmenter

_LAST_MARK = 0x10000  # no punctuation beyond in this version of Unicode


def load_latin() -> Segmenter:
    """Make the segmenter; its words are the same on every Python."""
    marks = "".join(map(re.escape, filter(_is_mark, map(chr, range(_LAST_MARK)))))
    alone = rf"{marks}{CHINESE_CHARACTERS}"
    words = re.compile(rf"[{alone}]|\s|[^\s{alone}]+")
    return Segmenter(lambda texts: map(words.findall, texts), "latin", keeps_whitespace=True)


def _is_mark(char: str) -> bool:
    """Tell if a character is a mark, by Google's _is_punctuation."""
    if char.isascii():
        return char.isprintable() and not char.isalnum() and char != " "
    return ucd_3_2_0.category(char).startswith("P")
