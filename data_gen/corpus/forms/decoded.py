"""The lines of a text file, decoded piece by piece, so that memory does not grow with its lines.

A place is (offset of a piece in the unpacked file, characters of it to pass over): pieces end
between characters, not lines, and so every encoding and every end of line is treated alike.
"""

import codecs
import re
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Tuple

from data_gen.corpus.forms.form import BadBytesError, Batch, FormatError, Place, Source, split_lines
from data_gen.storage.errors import reading
from data_gen.storage.reading import open_text

CHUNK = 1 << 18  # bytes read at once

# Text of the full length that is allowed -> where to cut it.
Cut = Callable[[str], int]

# Damaged bytes in decoded text, where they are no error: Python's `surrogateescape`, one character
# a byte. No valid text has these.
DAMAGED = re.compile("[\udc80-\udcff]")
_DAMAGE = "\udc80"


class Chunk(NamedTuple):
    """A decoded piece of a file."""

    offset: int  # of its first byte, unpacked
    stop: int  # behind its last byte
    text: str
    line: int  # ends of lines before it, if the file was read from its start
    last: bool


def read_chunks(source: Source, offset: int = 0) -> Iterator[Chunk]:
    """Yield the text from an offset on; the last piece may be empty.

    Raises UserError if the file cannot be read, BadBytesError and FormatError for what is no text.
    """
    decoder = _decoder(source)
    line = 0
    line_start = offset
    ended_with_cr = False
    with open_text(source.path) as handle:
        if offset:
            with reading(source.path):
                handle.seek(offset)
        while True:
            with reading(source.path):
                data = handle.read(CHUNK)
            behind = offset + len(decoder.getstate()[0]) + len(data)
            try:
                text = decoder.decode(data, not data)
            except UnicodeDecodeError as error:
                raise _bad_byte(error, source, offset, line, line_start) from error
            mark = len("\ufeff".encode(source.codec)) if not offset and text[:1] == "\ufeff" else 0
            text = _without_nul(text[1:] if mark else text, source, line)
            stop = behind - len(decoder.getstate()[0])
            yield Chunk(offset + mark, stop, text, line, not data)
            if not data:
                return
            line += line_ends(text) - (ended_with_cr and text[:1] == "\n")
            ended_with_cr = text[-1:] == "\r"
            last_end = data.rfind(b"\n")
            line_start = behind - len(data) + last_end + 1 if last_end >= 0 else line_start
            offset = stop


def _decoder(source: Source) -> Any:
    make = codecs.getincrementaldecoder(source.codec)
    if source.bad_bytes == "error":
        return make()
    return make("replace" if source.codec.startswith("utf-16") else "surrogateescape")


def _bad_byte(
    error: UnicodeDecodeError, source: Source, offset: int, line: int, line_start: int
) -> BadBytesError:
    """Return the error with the place of the first byte that cannot be decoded."""
    whole = error.object[: error.start]
    line += line_ends(whole.decode(source.codec, "replace"))
    last_end = whole.rfind(b"\n")
    line_start = offset + last_end + 1 if last_end >= 0 else line_start
    return BadBytesError(line + 1, offset + error.start + 1 - line_start)


def _without_nul(text: str, source: Source, line: int) -> str:
    """Mark NUL as damaged, and with UTF-16 what could not be decoded.

    Raises FormatError where damage is an error.
    """
    if source.bad_bytes == "error":
        if "\0" in text:
            at = line + line_ends(text[: text.index("\0")]) + 1
            raise FormatError(
                f"line {at}",
                "holds a NUL byte, as archives and UTF-16 do: unpack or convert the file, or set "
                "corpus.bad_bytes",
            )
        return text
    if source.codec.startswith("utf-16"):
        text = text.replace("\ufffd", _DAMAGE)
    return text.replace("\0", _DAMAGE)


def mend(texts: List[str], source: Source) -> Tuple[List[str], int, int]:
    """Return texts, lines for example, without damaged bytes: replaced by U+FFFD, or without the
    texts that hold them, as corpus.bad_bytes says. Returns the numbers of bytes and of texts, too.
    """
    if source.bad_bytes == "error" or not DAMAGED.search("".join(texts)):
        return texts, 0, 0
    if source.bad_bytes == "skip_line":
        kept = [text for text in texts if not DAMAGED.search(text)]
        return kept, 0, len(texts) - len(kept)
    mended, counts = zip(*(DAMAGED.subn("\ufffd", text) for text in texts))
    return list(mended), sum(counts), 0


def line_ends(text: str) -> int:
    """Count the ends of lines."""
    lone = text.count("\r") - text.count("\r\n") if "\r" in text else 0
    return text.count("\n") + lone


def _after_last_end(text: str, last: bool) -> int:
    """Return where the last line begins; 0 if no line ends. A CR at the very end may be half of a
    CRLF.
    """
    end = text.rfind("\n")
    if "\r" in text:
        end = max(end, text.rfind("\r", 0, len(text) if last else len(text) - 1))
    return end + 1


class Carry:
    """Text that is not used up yet, with the places of its parts."""

    def __init__(self) -> None:
        self.size = 0  # characters
        self._parts: List[Tuple[Place, str]] = []

    def add(self, place: Place, text: str) -> None:
        """Add what follows, which starts at `place`."""
        if text:
            self._parts.append((place, text))
            self.size += len(text)

    def place(self, otherwise: Place) -> Place:
        """Return the place of its first character."""
        return self._parts[0][0] if self._parts else otherwise

    @property
    def ends_with_cr(self) -> bool:
        """True if the last character is CR, perhaps half of a CRLF."""
        return bool(self._parts) and self._parts[-1][1][-1] == "\r"

    def text(self) -> str:
        """Return all of it."""
        return "".join(text for _, text in self._parts)

    def drop(self, count: int) -> None:
        """Forget the first characters."""
        self.size -= count
        for i, ((offset, skip), text) in enumerate(self._parts):
            if len(text) > count:
                self._parts[: i + 1] = [((offset, skip + count), text[count:])]
                return
            count -= len(text)
        self._parts = []


def read_lines(
    source: Source,
    place: Place,
    cut: Optional[Cut] = None,
    limit: int = 0,
    mending: bool = True,
) -> Iterator[Batch]:
    """Yield the lines from a place on, without their ends.

    With `cut` a line of more than `limit` characters comes in several, each as long as `cut` says
    of the next `limit` ones: so memory is bounded. Without `mending` damaged bytes are left for
    `mend`.
    """

    def batch(place: Place, lines: List[str]) -> Batch:
        return Batch(place, *(mend(lines, source) if mending else (lines, 0, 0)))

    offset, skip = place or (0, 0)
    carry = Carry()
    for chunk in read_chunks(source, offset):
        # Read anew, a chunk may end before the place: bytes of a character were left from before.
        here = min(skip, len(chunk.text))
        text = chunk.text[here:] if here else chunk.text
        end = _after_last_end(text, chunk.last)
        ended = carry.ends_with_cr and text and text[0] != "\n"
        if end or ended:
            start = carry.place((chunk.offset, here))
            lines = split_lines(carry.text() + text[:end])
            lines.pop()  # behind the last end
            yield batch(start, lines)
            carry = Carry()
        carry.add((chunk.offset, here + end), text[end:])
        skip -= here
        if cut and carry.size > 2 * limit:
            start = carry.place(())
            yield batch(start, _cut_off(carry, cut, limit))._replace(open=True)
    if carry.size:
        lines = split_lines(carry.text())
        yield batch(carry.place(()), lines[:-1] if carry.ends_with_cr else lines)


def _cut_off(carry: Carry, cut: Cut, limit: int) -> List[str]:
    text = carry.text()
    pieces = []
    at = 0
    while len(text) - at > limit:
        size = cut(text[at : at + limit])
        pieces.append(text[at : at + size])
        at += size
    carry.drop(at)
    return [piece for piece in pieces if not piece.isspace()]
