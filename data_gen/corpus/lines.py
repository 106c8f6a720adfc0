"""Lines of a file -> lines of text: for `corpus.lines`.

`LINES` is the table of what the end of a line means. In a hard-wrapped text it means nothing:
`Wrapping` is what can be known of how a text was wrapped, and `join_wrapped` undoes it.
"""

import re
import unicodedata
from collections import Counter
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence

from data_gen.corpus.line_sizes import CJK_SIZES, Sizes, right_edge, sizes_of

_MARKS = "。！？…；：.!?;:"  # a list's items end with one of them
_NO_START = (
    "。！？…，、；：”’」』）》】〉〕］｝,.;:!?)]}%"  # what a wrapped line must not start with
)
_NO_END = "“‘「『（《【〈〔［｛([{/\\"  # what a wrapped line must not end with
_BULLET = re.compile(r"(?:[-*+•●○◦▪■□◆◇▶►·] +|[•●○◦▪■□◆◇▶►])(?=\S)")
_NUMBER = re.compile(
    r"(?:\d{1,3}[.)、．](?!\d)|[(（][\d一二三四五六七八九十a-z]{1,3}[)）]|[一二三四五六七八九十]{1,3}、"
    r"|[①-⑳]|第[\d一二三四五六七八九十百千零〇]{1,7}[章节条编篇回])"
)
_OWN = 200  # lines of a document that say more about it than its neighbours do
_SOME = 0.03  # of the lines that go on: those that have an indent must be so many
_FEW = 3  # full lines of one size, from which on that is no chance


class _Line(NamedTuple):
    """A line of a file that is not blank."""

    text: str  # without outer whitespace
    indent: int  # columns
    sizes: Sizes  # with its indent
    spaced: bool  # one space stands at its end
    follows_blank: bool


class Wrapping(NamedTuple):
    """The way in which a text was wrapped."""

    measure: int  # an index of `Sizes`: columns, characters or bytes were counted
    width: int  # of a full line
    indent: int = 0  # columns before a line that does not begin a paragraph
    cuts_words: bool = False  # lines end at their width, also within a Latin word
    keeps_words: bool = False  # they end between words; neither is known where no word stands there
    at_spaces: bool = False  # they end at spaces, also beside Chinese

    def fits(self, lines: Sequence[_Line]) -> bool:
        """True if lines are as wide. Only some of their ends show more than that."""
        sizes = [line.sizes[self.measure] for line in lines]
        full = sizes.count(self.width)
        return full >= _FEW and full > sum(size > self.width for size in sizes)

    def is_full(self, line: _Line, following: _Line) -> bool:
        """True if what follows had no more room in a line, give or take two characters."""
        unit = following.text[:1] if self.cuts_words else _first_unit(following.text)
        if self.at_spaces:
            unit = following.text.partition(" ")[0]
        room = self.width - 2 * CJK_SIZES[self.measure]
        return line.sizes[self.measure] + sizes_of(unit)[self.measure] > room

    def is_cut(self, line: _Line, following: _Line) -> bool:
        """True if a line ends where it does whatever stands there."""
        size = line.sizes[self.measure]
        if self.cuts_words:  # sizes of rare characters are not exact
            return size >= self.width - 1
        if not self.keeps_words and line.text[-1].isdigit() and following.text[0].isdigit():
            return size >= self.width - 1  # one number: one seldom follows another
        # What is longer than a line must be cut somewhere.
        run = line.text.rpartition(" ")[2] + following.text.partition(" ")[0]
        return self.at_spaces and size == self.width < sizes_of(run)[self.measure]

    def is_flush(self, line: _Line) -> bool:
        """True if a line has the usual indent, or a space of the text behind it."""
        return 0 <= line.indent - self.indent <= 1


class LineRule(NamedTuple):
    """An entry of the table of line ends."""

    # The lines of a document (or of a part of it) as they stand in the file, and the wrapping of
    # the block that it stands in -> lines of text without outer whitespace, of which none is blank.
    # Each ends a sentence.
    join: Callable[[Sequence[str], Optional[Wrapping]], List[str]]
    # Lines are joined: they are needed as they stand in the file, and so is the wrapping of blocks.
    joins: bool = False
    # Nobody chose it: text that looks as if its lines should be joined gets a warning.
    is_default: bool = False


def keep_lines(lines: Sequence[str], wrapping: Optional[Wrapping] = None) -> List[str]:
    """Return the lines without outer whitespace and blank ones."""
    return [*filter(None, map(str.strip, lines))]


def join_wrapped(lines: Sequence[str], wrapping: Optional[Wrapping] = None) -> List[str]:
    """Join the lines of a hard-wrapped document to its paragraphs.

    A paragraph ends at a blank line, before an indent, before an item of a list, and after a line
    in which what follows would have had room. A document of many lines shows how it was wrapped;
    others were as `wrapping` says, and so was one whose lines are as wide.
    """
    read = [*_read(lines)]
    if wrapping is None or (len(read) >= _OWN and not wrapping.fits(read)):
        wrapping = _wrapping(read)
    joined: List[str] = []
    before = first = None
    for line in read:
        if before and first and not _begins(line, before, first, wrapping):
            joined[-1] += _between(before, line, wrapping) + line.text
        else:
            joined.append(line.text)
            first = line
        before = line
    return joined


LINES: Dict[str, LineRule] = {
    "sentence": LineRule(keep_lines, is_default=True),  # the end of a line ends a sentence
    "paragraph": LineRule(keep_lines),  # and a paragraph: the same thing, under the user's name
    "wrapped": LineRule(join_wrapped, joins=True),
}


def find_wrapping(lines: Iterable[str]) -> Wrapping:
    """Find out how the lines of a block, as they stand in the file, were wrapped."""
    return _wrapping([*_read(lines)])


def _read(lines: Iterable[str]) -> Iterator[_Line]:
    blank = False
    for raw in lines:
        text = raw.strip()
        if not text:
            blank = True
            continue
        line = raw.rstrip()
        spaced = raw[len(line) :].rstrip("\r\n") == " "
        indent = sum(
            8 if character == "\t" else sizes_of(character)[0]
            for character in line[: len(line) - len(text)]
        )
        sizes = sizes_of(line.expandtabs() + " " * spaced)
        yield _Line(text, indent, sizes, spaced, blank)
        blank = False


def _wrapping(lines: Sequence[_Line]) -> Wrapping:
    if not lines:
        return Wrapping(measure=0, width=0)
    measure, width = right_edge(Counter(line.sizes for line in lines))
    guess = Wrapping(measure, width)
    pairs = [pair for pair in zip(lines, lines[1:]) if not pair[1].follows_blank]
    full = [pair for pair in pairs if guess.is_full(*pair)]
    indents = Counter(following.indent for _, following in full)
    usual = [indent for indent in indents if indents[indent] >= _SOME * len(full)]
    least = min(usual, default=0)
    guess = guess._replace(indent=0 if least == 1 else least)  # 1: a space of the text
    full = [pair for pair in full if guess.is_flush(pair[1])]
    # Before the rest of a word, or a word, that is no single character.
    at_words = [
        line.sizes[measure] == width
        for line, following in full
        if _is_narrow(following.text[0]) and len(_first_unit(following.text)) > 1
    ]
    exact = sum(line.sizes[measure] == width for line in lines)
    if exact >= _FEW and sum(at_words) > 2 * (len(at_words) - sum(at_words)):
        return guess._replace(cuts_words=True)
    guess = guess._replace(keeps_words=bool(at_words))
    by_spaces = guess._replace(at_spaces=True)
    flush = [pair for pair in pairs if guess.is_flush(pair[1]) and pair[0].text[-1] not in _MARKS]
    short = [pair for pair in flush if not guess.is_full(*pair)]
    told = [pair for pair in short if " " in pair[1].text]
    explained = sum(by_spaces.is_full(*pair) for pair in told)
    return by_spaces if explained >= max(_FEW, 0.7 * len(told)) else guess


def _begins(line: _Line, before: _Line, first: _Line, wrapping: Wrapping) -> bool:
    """True if a line begins a paragraph. `first` is the first line of the one before it."""
    if line.follows_blank:
        return True
    if wrapping.is_flush(line) and wrapping.is_cut(before, line):
        return False
    if _BULLET.match(line.text) or (before.text[-1] in _MARKS and _NUMBER.match(line.text)):
        return True
    if not wrapping.is_flush(line) and not _hangs(line, before, first):
        return True
    if before is not first and line.indent < before.indent - 1:  # an item's end
        return True
    return not wrapping.is_full(before, line) and line.text[0] not in _NO_START


def _hangs(line: _Line, before: _Line, first: _Line) -> bool:
    """True if a line is indented as far as the text of the list's item that it goes on with."""
    marker = _BULLET.match(first.text) or _NUMBER.match(first.text)
    if not marker:
        return False
    text = first.indent + sizes_of(marker[0])[0]
    return first.indent < line.indent <= text + 2 and (
        before is first or line.indent == before.indent
    )


def _between(before: _Line, line: _Line, wrapping: Wrapping) -> str:
    """Return what stood between two lines: a space or nothing.

    A space between Latin words and numbers, if the line does not end within a word, and wherever
    one was left at the line's end or start beside them. A hyphen at the end of a line stays, with
    nothing behind it: to tell `well-known` from a divided word takes a dictionary.
    """
    last, first = before.text[-1], line.text[0]
    if before.spaced or line.indent == wrapping.indent + 1:
        return " " if _is_narrow(last) or _is_narrow(first) else ""
    if wrapping.is_cut(before, line) or not (_is_narrow(last) and _is_narrow(first)):
        return ""
    if last == "-" and before.text[-2:-1].isalnum():
        return ""
    return "" if last in _NO_END or first in _NO_START else " "


def _first_unit(text: str) -> str:
    """Return what cannot be parted at the start of a line: a Latin word or a Chinese character,
    with the marks that stay on it.
    """
    stop = 0
    while stop < len(text) - 1 and text[stop] in _NO_END:
        stop += 1
    if _is_narrow(text[stop]):
        while stop < len(text) and _is_narrow(text[stop]):
            stop += 1
        return text[:stop]
    stop += 1
    while stop < len(text) and text[stop] in _NO_START:
        stop += 1
    while stop < len(text) and _is_narrow(text[stop - 1]) and _is_narrow(text[stop]):
        stop += 1
    return text[:stop]


def _is_narrow(character: str) -> bool:
    """True for Latin letters, digits and ASCII marks, and what else is no Chinese character."""
    if character.isascii():
        return not character.isspace()
    return character.isalnum() and unicodedata.east_asian_width(character) not in "WF"
