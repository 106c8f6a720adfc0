"""JSON values: an array of objects, or objects one after another, over any number of lines.

They are parsed from a buffer that grows, so memory is bounded by the largest object.
"""

import json
import re
from typing import Any, Iterator, List, Optional, Tuple

from data_gen.corpus.forms.decoded import CHUNK, DAMAGED, Carry, line_ends, mend, read_chunks
from data_gen.corpus.forms.fields import text_of
from data_gen.corpus.forms.form import Batch, FormatError, Place, Source, document_lines

_MARKS = re.compile(r"[\s,\[\]\ufeff]*")  # between objects
_NEAR_END = 16  # characters: an error so near the end of the buffer may mean that more follows


def read_json_array(source: Source, place: Place) -> Iterator[Batch]:
    """Yield the documents of an array of objects, or of objects without one.

    Raises FormatError where the file is neither.
    """
    values = _Values(source, place)
    lines: List[str] = []
    replaced = skipped = 0
    start = values.place()
    while values.next():
        if source.bad_bytes == "skip_line" and values.is_damaged():
            skipped += 1
        else:
            try:
                lines += document_lines(text_of(values.value, source.field))
            except ValueError as error:
                raise values.error(str(error)) from error
        if values.used() >= CHUNK:
            replaced += values.take_replaced()
            yield Batch(start, lines, replaced, skipped)
            lines, replaced, skipped = [], 0, 0
            values.forget()
            start = values.place()
    yield Batch(start, lines, replaced + values.take_replaced(), skipped)


class _Values:
    """The values of a file, one after another, and a check of the marks between them."""

    def __init__(self, source: Source, place: Place) -> None:
        self.value: Any = None
        offset, self._skip = place or (0, 0)
        self._chunks = read_chunks(source, offset)
        self._source = source
        self._carry = Carry()
        self._text = ""  # of the carry
        self._at = 0  # what is used of it
        self._before = 0  # where the value begins
        self._line = self._replaced = 0
        self._stop: Place = (offset, self._skip)  # behind the buffer
        self._last = False
        self._within = bool(place)  # the marks before it are not known
        self._count = 0
        self._array = self._closed = False
        self._decoder = json.JSONDecoder()

    def place(self) -> Place:
        """Return where the rest begins, after `forget`."""
        return self._carry.place(self._stop)

    def used(self) -> int:
        """Return the characters that are used and not forgotten."""
        return self._at

    def take_replaced(self) -> int:
        """Return the number of damaged bytes that were replaced since the last call."""
        taken, self._replaced = self._replaced, 0
        return taken

    def is_damaged(self) -> bool:
        """Return True if the value holds damaged bytes."""
        return bool(DAMAGED.search(self._text, self._before, self._at))

    def error(self, reason: str, at: int = -1) -> FormatError:
        """Return the error of a value, with its line."""
        place = self._before if at < 0 else at
        line = self._line + line_ends(self._text[:place]) + 1
        return FormatError(f"line {line}", reason)

    def forget(self) -> None:
        """Drop what is used."""
        self._line += line_ends(self._text[: self._at])
        self._carry.drop(self._at)
        self._text = self._text[self._at :]
        self._at = 0

    def next(self) -> bool:
        """Parse the next value. Returns False at the end."""
        while True:
            marks = _MARKS.match(self._text, self._at)
            start = marks.end() if marks else self._at
            if start < len(self._text):
                found = self._parsed(start)
                if found:
                    self._pass_marks(self._text[self._at : start])
                    self.value, end = found
                    self._before, self._at = start, end
                    self._count += 1
                    return True
            elif self._last:
                self._pass_marks(self._text[self._at : start], at_end=True)
                return False
            self._grow()

    def _parsed(self, start: int) -> Optional[Tuple[Any, int]]:
        """Parse the value that starts here; None if more of the file is needed."""
        try:
            return self._decoder.raw_decode(self._text, start)
        except json.JSONDecodeError as error:
            near_end = error.pos >= len(self._text) - _NEAR_END
            if not self._last and (near_end or error.msg.startswith("Unterminated string")):
                return None
            reason = f"is not JSON ({error.msg}): is the file whole, and corpus.format right?"
            raise self.error(reason, error.pos) from error
        except RecursionError as error:
            raise self.error("is not JSON (nested too deeply)", start) from error

    def _grow(self) -> None:
        """Read as much again, so that a large value is not parsed from its start too often."""
        wanted = max(1, 2 * (len(self._text) - self._at))
        size = len(self._text) - self._at
        while size < wanted and not self._last:
            chunk = next(self._chunks)
            here = min(self._skip, len(chunk.text))
            text = chunk.text[here:]
            if self._source.bad_bytes == "replace":
                (text,), replaced, _ = mend([text], self._source)
                self._replaced += replaced
            self._carry.add((chunk.offset, here), text)
            self._skip, self._stop = self._skip - here, (chunk.stop, 0)
            size += len(text)
            self._last = chunk.last
        self._text = self._carry.text()

    def _pass_marks(self, text: str, at_end: bool = False) -> None:
        """Take the marks before a value, or at the end. Raises FormatError if they are wrong."""
        for mark in () if self._within else text.replace("\ufeff", "").split():
            for character in mark:
                if not self._takes(character):
                    raise self.error(
                        f"is not JSON (a {character} too many): every element of the array must "
                        'be one object, such as {"text": "..."}',
                        self._at,
                    )
        if at_end and self._array and not self._closed:
            raise self.error("ends within its array, so the file is cut short", len(self._text))

    def _takes(self, mark: str) -> bool:
        if mark == "[" and not self._count and not self._array:
            self._array = True
            return True
        if mark == "]" and self._array and not self._closed:
            self._closed = True
            return True
        return mark == "," and self._array and not self._closed and self._count > 0
