"""Read the text that a command is given, sentence by sentence."""

from typing import Iterable, Iterator, List, NamedTuple, Sequence

from data_gen.shared.errors import UserError

_LONG_DOCUMENT = 1000  # sentences


class Sentence(NamedTuple):
    """A sentence and its place in the input."""

    line: int  # of the input, from 1
    start: int  # characters of the line before it
    text: str  # without spaces around it


def split_lines(lines: Iterable[str]) -> Iterator[Sentence]:
    """Yield the sentences of all lines, in order; blank lines have none."""
    from data_gen.corpus.sentences import split_sentences

    for number, line in enumerate(lines, start=1):
        start = 0
        for text in split_sentences(line):
            start = line.index(text, start)
            yield Sentence(number, start, text)
            start += len(text)


def sentences_of(inputs: Sequence[str]) -> Iterator[List[str]]:
    """Yield the sentences of each document of UTF-8 text files, `-` for standard input. A blank
    line ends a document, and so do 1,000 sentences: memory does not grow with the text.

    Raises UserError if a file cannot be read.
    """
    from data_gen.corpus.sentences import split_sentences

    for path in inputs:
        document: List[str] = []
        for line in read_lines(path):
            found = split_sentences(line)
            document += found
            if document and (not found or len(document) >= _LONG_DOCUMENT):
                yield document
                document = []
        if document:
            yield document


def read_lines(path: str) -> Iterator[str]:
    """Yield the lines of a UTF-8 file, or with `-` of the standard input, one at a time.

    Raises UserError if the file cannot be read or is not UTF-8.
    """
    name = "the standard input" if path == "-" else path
    try:
        with open(0 if path == "-" else path, "rb", closefd=path != "-") as handle:
            for number, line in enumerate(handle, start=1):
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"line {number} of {name} is not UTF-8: unpack it, or convert it, e.g. with iconv -f "
            "gb18030 -t utf-8"
        ) from error
    except OSError as error:
        raise UserError(f"cannot read {name}: {error.strerror}") from error
