"""Text -> sentences."""

import re
from typing import Iterator, List, Set

# A sentence ends after 。！？ (the author's rule, Chinese-BERT-wwm#73) or … (our choice). What
# closes on it stays, and so does a mark after that, as in （……）。
_MARKS = "。！？…"
_CLOSERS = "”’〞」』﹂﹄）》】〉〕〗〙〛］｝＂＇)]}\"'"
_SENTENCE = re.compile(rf"[^{_MARKS}\n]*(?:[{_MARKS}][{_MARKS}{re.escape(_CLOSERS)}]*|\n|$)")
_STRAIGHT = '"＂'  # open and close a quotation alike


def split_sentences(text: str) -> List[str]:
    """Split after 。！？… and what closes on them, and between lines.

    A straight quote that opens a quotation begins the next sentence: of those in a line the first,
    third and so on open, if there is an even number of them.

    >>> split_sentences("“好。”他说。走！！")
    ['“好。”', '他说。', '走！！']
    >>> split_sentences('他走了。"好！"她说。')
    ['他走了。', '"好！"', '她说。']
    """
    found = _SENTENCE.findall(text)
    if any(quote in text for quote in _STRAIGHT):
        found = [*_with_opening_quotes(text, found)]
    return [*filter(None, map(str.strip, found))]


def _with_opening_quotes(text: str, sentences: List[str]) -> Iterator[str]:
    """Move each straight quote that opens a quotation from a sentence's end to the next one."""
    opening: Set[int] = set()
    for quote in _STRAIGHT:
        start = 0
        for line in text.split("\n"):
            places = [i for i, character in enumerate(line, start) if character == quote]
            opening.update(places[::2] if len(places) % 2 == 0 else ())
            start += len(line) + 1
    carried = ""
    stop = 0
    for sentence in sentences:
        start, stop = stop, stop + len(sentence)
        ends = len(sentence.rstrip(_MARKS + _CLOSERS))  # all behind are marks and what closes
        cut = next((i for i in range(ends, len(sentence)) if start + i in opening), len(sentence))
        if cut == 0:  # a sentence of marks alone
            cut = len(sentence)
        yield carried + sentence[:cut]
        carried = sentence[cut:]
    if carried:
        yield carried
