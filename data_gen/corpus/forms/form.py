"""The type of an entry of the table of formats, and what travels between a form and its reader."""

from typing import Callable, Iterator, List, NamedTuple, Tuple

from data_gen.corpus.detection.encodings import UTF8

# Where reading may start again: numbers that only the form itself understands; () is the start.
Place = Tuple[int, ...]
START: Place = ()

END = ""  # a line that ends a document
BLANK = " "  # a blank line within a document


class Batch(NamedTuple):
    """Some lines of a file, about 256 KiB of it."""

    place: Place  # reading that starts there gives these lines and all that follow
    lines: List[str]  # as they stand in the file; END after a document
    replaced: int = 0  # damaged bytes
    skipped: int = 0  # lines with damaged bytes
    open: bool = False  # the last line goes on in the next batch


class Source(NamedTuple):
    """A file, and all that decides how it is read."""

    path: str
    form: str = "text"  # a name in formats.FORMATS
    codec: str = UTF8  # of Python
    field: str = "text"  # that holds the document
    bad_bytes: str = "error"  # a name in encodings.BAD_BYTES


class Form(NamedTuple):
    """An entry of the table of formats."""

    # Yields all of a file from a place on. Raises FormatError.
    read: Callable[[Source, Place], Iterator[Batch]]
    suffixes: Tuple[str, ...] = ()  # of the files that have this form, whatever they begin with
    blank_ends: bool = False  # a blank line ends a document
    from_start: bool = False  # reading at a place means to unpack all that lies before
    magic: Tuple[bytes, ...] = ()  # first bytes, of a form that is no text


class FormatError(ValueError):
    """A part of a file that is not of its format: "line 3" or the like, and what it is."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where} {reason}")


class BadBytesError(ValueError):
    """A byte, counted from 1 in its line, that is not of the encoding."""

    def __init__(self, line: int, byte: int) -> None:
        super().__init__(f"line {line} (byte {byte})")
        self.line, self.byte = line, byte


def split_lines(text: str) -> List[str]:
    """Split at LF, CRLF and CR; take byte order marks off the lines' starts."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if "\ufeff" in text:
        lines = [line.lstrip("\ufeff") for line in lines]
    return lines


def document_lines(text: str) -> List[str]:
    """Return the lines of a whole document, and END."""
    if not text or text.isspace():
        return [END]
    lines = [line or BLANK for line in split_lines(text)]
    lines.append(END)
    return lines
