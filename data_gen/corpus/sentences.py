"""Text -> sentences."""

import re
import unicodedata
from operator import itemgetter
from typing import Iterable, Iterator, List

from data_gen.corpus.quotes import STRAIGHT, opening_quotes

# A sentence ends after 。！？ (the author's rule, Chinese-BERT-wwm#73) or … (our choice). What
# closes on it stays, and so does a mark after that, as in （……）。
_MARKS = "。！？…｡"
_CLOSERS = "”’〞」』﹂﹄）》】〉〕〗〙〛］｝＂＇)]}\"'"
_OPENERS = "“‘〝「『﹁﹃（《【〈〔〖〘〚［｛([{ \t\u3000"
_GO_ON = "，、；：,;"  # right after a mark they say that the sentence goes on

_MARK, _TAIL = f"[{_MARKS}]", f"[{_MARKS}{re.escape(_CLOSERS)}]"
_PLAIN = re.compile(rf"[^{_MARKS}\n]+{_TAIL}*|{_MARK}{_TAIL}*")

# What `_PLAIN` gets wrong, all of it rare: a sentence is more than marks and what opens before an
# ellipsis; after a mark a comma goes on; a title is one name, whatever marks are in it.
_TITLE = "《[^《》\n]{1,60}》"
_BODY = rf"(?:[^{_MARKS}\n《]+|{_TITLE}|《)*"
_START = (
    rf"(?:[^\S\n]*{_MARK}{_TAIL}*|[{re.escape(_OPENERS)}]*…{_TAIL}*)?"
    rf"{_BODY}(?:{_MARK}{_TAIL}*[{_GO_ON}]{_BODY})*"
)
_END = f"(?:{_MARK}{_TAIL}*)?"
_CAREFUL = re.compile(rf"{_START}{_END}\n?")
_CAREFUL_PARTS = re.compile(rf"{_START}({_END})(\n?)")
# Some of it is in every text that `_PLAIN` gets wrong.
_ODD_STARTS = frozenset(_MARKS + _GO_ON)
_MARKED_TITLE = re.compile(f"《[^《》\n{_MARKS}]{{0,60}}{_MARK}[^《》\n]{{0,60}}》")
_OPENED_ELLIPSIS = re.compile(rf"[{re.escape(_OPENERS)}]…")
_QUOTE_IN_TAIL = re.compile(rf"{_TAIL}[{STRAIGHT}]")

_WINDOW = 1 << 16  # characters to look for a place to cut in at first
_UNSURE = 128  # the last characters, whose sentences may go on: a title, marks that follow
_LONGEST_WORD = 64
_CLAUSE_END = re.compile(r"(?s).*(?:[，、；：]|[,;:](?!\d)|\s)")


def split_sentences(text: str) -> List[str]:
    """Split after 。！？… and what closes on them, and between lines.

    No sentence begins with a clause mark or is of marks alone, if its line holds more. A mark in a
    title 《》 ends nothing. A straight quote that opens a quotation begins the next sentence.

    >>> split_sentences("“好。”他说。走！！")
    ['“好。”', '他说。', '走！！']
    >>> split_sentences('他走了。"好！"她说。')
    ['他走了。', '"好！"', '她说。']
    """
    if _has_quote_in_tail(text):
        ends = [*_ends(text)]
        return _stripped(text[start:end] for start, end in zip([0, *ends], ends))
    found = _stripped(_PLAIN.findall(text))
    return found if _is_plain(text, found) else _stripped(_CAREFUL.findall(text))


def _stripped(sentences: Iterable[str]) -> List[str]:
    return [*filter(None, map(str.strip, sentences))]


def last_sentence_end(text: str) -> int:
    """Find the place to cut a text at that goes on: the offset, above 0, after its last sentence.

    Without one, after its last clause mark or space; without these, where no Latin word and no
    combined character is cut. The text must not be empty.

    >>> last_sentence_end("他走了。" * 40 + "她" * 200)
    160
    """
    size = _WINDOW
    while True:
        window = text[-size:]
        found = _last_end(window) or (_last_clause(window) if size >= len(text) else 0)
        if found:
            return len(text) - len(window) + found
        if size >= len(text):
            return _between_characters(text)
        size *= 8


def _is_plain(text: str, sentences: List[str]) -> bool:
    """True if `_PLAIN` has found what `_CAREFUL` would, unless a quote is in a tail."""
    return (
        _ODD_STARTS.isdisjoint(map(itemgetter(0), sentences))
        and not ("《" in text and _MARKED_TITLE.search(text))
        and not ("…" in text and _OPENED_ELLIPSIS.search(text))
    )


def _has_quote_in_tail(text: str) -> bool:
    return any(quote in text for quote in STRAIGHT) and bool(_QUOTE_IN_TAIL.search(text))


def _ends(text: str) -> Iterator[int]:
    """Yield the offsets after sentences and lines, ascending; the last is the end of the text."""
    opening = opening_quotes(text) if _has_quote_in_tail(text) else ()
    for match in _CAREFUL_PARTS.finditer(text):
        start, stop = match.span(1)
        if opening:
            stop = next((place for place in range(start, stop) if place in opening), stop)
        if start < stop:
            yield stop
        if match[2]:
            yield match.end()
    yield len(text)


def _last_end(window: str) -> int:
    """Return the offset after the last sentence that surely ends in a window, else 0."""
    sure = max(len(window) - _UNSURE, len(window) // 2)
    ends = [end for end in _ends(window) if 0 < end <= sure]
    # One that no straight quote stands at is right whatever the rest of its line holds.
    free = (end for end in reversed(ends) if not set(STRAIGHT) & set(window[end - 1 : end + 1]))
    return next(free, ends[-1] if ends else 0)


def _last_clause(window: str) -> int:
    match = _CLAUSE_END.match(window[:-1])
    return match.end() if match else 0


def _between_characters(text: str) -> int:
    """Return the last offset in a text, above 0 if it can be, that cuts no Latin word and no
    combined character.
    """
    for place in range(len(text) - 1, max(len(text) - _LONGEST_WORD, 1) - 1, -1):
        before, after = text[place - 1], text[place]
        in_word = before.isalnum() and before.isascii() and after.isalnum() and after.isascii()
        if not (in_word or before == "\u200d" or _is_attached(after)):
            return place
    return len(text)


def _is_attached(character: str) -> bool:
    """True if a character is drawn together with the one before it."""
    return unicodedata.category(character)[0] == "M" or character in "\u200d\u200c"
