"""Formats of input files: the text of a line, and the starts and ends of documents.

`FORMATS` is the table of formats; an entry holds a function of one line. `DocumentCursor` is the
one state machine over them, for finding the places to cut a file at and for reading its parts.
"""

import json
import os
from typing import Callable, Dict, List, NamedTuple, Sequence, Tuple


class Line(NamedTuple):
    """The content of one line of a file."""

    text: str = ""  # one or several lines of text, of which each ends a sentence
    starts: bool = False  # a document starts here, and one that is open ends
    ends: bool = False  # the document ends with this line


def _text(line: str, field: str) -> Line:
    """Read a line of text; a blank line ends a document."""
    return Line(line, ends=not line)


def _line(line: str, field: str) -> Line:
    """Read a line that is a document."""
    return Line(line, ends=True)


def _jsonl(line: str, field: str) -> Line:
    """Read a line that is a JSON object with the document in one of its fields."""
    if not line:
        return Line()
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"is not JSON ({error}): every line must be one object, such as "
            '{"text": "..."}; is corpus.format right?'
        ) from error
    if not isinstance(record, dict) or field not in record:
        has = ", ".join(list(record)[:8]) if isinstance(record, dict) else "no fields at all"
        raise ValueError(f'has no field "{field}" (it has {has}): name it with corpus.field')
    text = record[field]
    if not isinstance(text, str):
        raise ValueError(
            f'has {json.dumps(text)[:20]} in the field "{field}", which must be a string: '
            "name another one with corpus.field or leave the line out"
        )
    if not _encodable(text):
        raise ValueError(
            f'has half a character (an unpaired \\ud800-\\udfff) in the field "{field}": '
            "write the file anew with whole ones"
        )
    return Line("\n".join(filter(None, map(clean, text.split("\n")))), ends=True)


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _wikiextractor(line: str, field: str) -> Line:
    """Read a line of `<doc id=... url=... title=...>`, title, blank line, text, `</doc>`."""
    if line.startswith("<doc id="):
        return Line(starts=True)
    if line == "</doc>":
        return Line(ends=True)
    return Line(_unescaped(line))


def _wikiextractor_json(line: str, field: str) -> Line:
    """Read a line of WikiExtractor's --json: JSON lines whose text is escaped all the same."""
    record = _jsonl(line, field)
    return record._replace(text=_unescaped(record.text))


def _unescaped(text: str) -> str:
    # What WikiExtractor escapes and no more: other entities stand for themselves.
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


class Format(NamedTuple):
    """An entry of the table of formats."""

    # A line without outer whitespace and corpus.field -> its content. Raises ValueError, whose
    # text goes on after "FILE, line N".
    parse: Callable[[str, str], Line]
    framed: str = ""  # the marks that text must stand between, if there are any
    suffixes: Tuple[str, ...] = ()  # of the files that have this format under `auto`
    # `parse` gives each line as it is, and a blank line ends a document: so it need not be called,
    # and reading is several times as fast.
    is_plain: bool = False


FORMATS: Dict[str, Format] = {
    "text": Format(_text, is_plain=True),
    "line": Format(_line),
    "jsonl": Format(_jsonl, suffixes=(".jsonl", ".ndjson")),
    "wikiextractor": Format(_wikiextractor, framed="<doc id=...> and </doc>"),
    "wikiextractor_json": Format(_wikiextractor_json),
}
AUTO = "auto"
_DEFAULT = "text"  # of `auto`, for all suffixes that no entry names


def format_of(setting: str, name: str) -> Format:
    """Return the format of a file by corpus.format; `auto` goes by the suffix of its name."""
    if setting != AUTO:
        return FORMATS[setting]
    suffix = os.path.splitext(name)[1].lower()
    named = (form for form in FORMATS.values() if suffix in form.suffixes)
    return next(named, FORMATS[_DEFAULT])


def clean(line: str) -> str:
    """Return the line without a byte order mark and outer whitespace."""
    return line.lstrip("\ufeff").strip()


class FormatError(ValueError):
    """A line that is not of its format. Its number, from 0, counts the lines given; its text goes
    on after "FILE, line N".
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


# The number of a document in its file; its number where those that `DocumentCursor.cut` makes
# count too, both from 0; and the text of one of its lines. A plain tuple: there are millions.
DocumentLine = Tuple[int, int, str]


class DocumentCursor:
    """A state machine that follows the documents of a file.

    `count` documents have begun, `whole` of them without those that `cut` makes; `open` is true
    within a document.
    """

    def __init__(self, form: Format, field: str) -> None:
        self.count = self.whole = 0
        self.open = False
        self._form, self._field = form, field
        self._fresh = True  # the next text gets an ordinal of its own

    @classmethod
    def within(cls, form: Format, field: str, first: int) -> "DocumentCursor":
        """Make a cursor for a part of a file, whose first document, of ordinal `first`, may be the
        rest of a document that was cut.
        """
        cursor = cls(form, field)
        cursor.count, cursor.open = first, True
        return cursor

    def read_lines(self, text: str) -> List[DocumentLine]:
        """Pass over whole lines. Returns the lines with text.

        Raises FormatError if a line is not of the format.
        """
        lines = text.split("\n")
        if not lines[-1]:
            lines.pop()
        # A byte order mark is rare, and looking for it in every line is not cheap.
        lines = [*map(clean if "\ufeff" in text else str.strip, lines)]
        return self._take_plain(lines) if self._form.is_plain else self._take(lines)

    def _take(self, lines: Sequence[str]) -> List[DocumentLine]:
        taken = []
        for number, line in enumerate(lines):
            try:
                text, starts, ends = self._form.parse(line, self._field)
            except ValueError as error:
                raise FormatError(number, str(error)) from error
            if starts or (text and not self.open):
                if not starts and self._form.framed:
                    frame = self._form.framed
                    raise FormatError(number, f"is not between {frame}: is corpus.format right?")
                self.open = self._fresh = True
                self.whole += 1
            if text:
                self.count += self._fresh
                self._fresh = False
                taken.append((self.whole - 1, self.count - 1, text))
            if ends:
                self.open = False
        return taken

    def _take_plain(self, lines: Sequence[str]) -> List[DocumentLine]:
        """Do as `_take` does with a plain format, several times as fast."""
        taken = []
        whole, count, opened, fresh = self.whole, self.count, self.open, self._fresh
        for line in lines:
            if not line:
                opened = False
                continue
            if not opened:
                opened = fresh = True
                whole += 1
            if fresh:
                count += 1
                fresh = False
            taken.append((whole - 1, count - 1, line))
        self.whole, self.count, self.open, self._fresh = whole, count, opened, fresh
        return taken

    def cut(self) -> None:
        """Give the text that follows another ordinal, even if it is of the same document."""
        self._fresh = True
