"""Text -> sentences."""

import re
from typing import List

# A sentence ends after 。！？ (the author's rule, Chinese-BERT-wwm#73) or … (our choice). What
# closes on it stays, and so does a mark after that, as in （……）。
_MARKS = "。！？…"
_CLOSERS = "”’〞」』﹂﹄）》】〉〕〗〙〛］｝＂＇)]}\"'"
_SENTENCE = re.compile(rf"[^{_MARKS}\n]*(?:[{_MARKS}][{_MARKS}{re.escape(_CLOSERS)}]*|\n|$)")


def split_sentences(text: str) -> List[str]:
    """Split after 。！？… and what closes on them, and between lines.

    >>> split_sentences("“好。”他说。走！！")
    ['“好。”', '他说。', '走！！']
    """
    return [*filter(None, map(str.strip, _SENTENCE.findall(text)))]
