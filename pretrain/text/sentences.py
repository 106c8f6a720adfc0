"""Read the text that a command is given, sentence by sentence, with the generator's reader."""

import sys
from itertools import islice
from typing import Any, Iterable, Iterator, List, NamedTuple, Sequence

from data_gen.shared.errors import UserError
from data_gen.shared.extras import needs_extra
from data_gen.shared.settings import load_overrides

STANDARD_INPUT = "-"
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


def sentence_groups(lines: Iterable[str], size: int) -> Iterator[List[Sentence]]:
    """Yield the sentences of all lines, in order, `size` at a time."""
    sentences = split_lines(lines)
    return iter(lambda: list(islice(sentences, size)), [])


def sentences_of(inputs: Sequence[str], settings: Sequence[str] = ()) -> Iterator[List[str]]:
    """Yield the sentences of each document of all that `data_gen build` reads as text, `-` for
    standard input. A document of more than 1,000 is cut.

    settings: corpus.KEY=VALUE
    Raises UserError as `build` does.
    """
    for document in _reader().stream_documents(inputs, _corpus(settings)):
        for start in range(0, len(document.sentences), _LONG_DOCUMENT):
            yield [*document.sentences[start : start + _LONG_DOCUMENT]]


def read_lines(inputs: Sequence[str], settings: Sequence[str] = ()) -> Iterator[str]:
    """Yield the lines of all that `data_gen build` reads as text. Of a file that holds documents,
    such as JSON lines or a table, a line is a document. From a terminal lines come as they are
    typed.

    Raises UserError as `build` does.
    """
    config = _corpus(settings)
    if list(inputs) == [STANDARD_INPUT] and sys.stdin.isatty():
        yield from sys.stdin
        return
    from data_gen.corpus.normalize import normalizer

    normalise = normalizer(config.normalize)
    yield from map(normalise, _reader().stream_lines(inputs, config))


def _corpus(settings: Sequence[str]) -> Any:
    """Return the group `corpus` of the generator's settings."""
    for setting in settings:
        if not setting.startswith("corpus."):
            raise UserError(f"--set {setting} is no setting of the text: give corpus.KEY=VALUE")
    _reader()  # says what is missing
    from data_gen.corpus.config import TextConfig

    return load_overrides(TextConfig, settings).corpus


def _reader() -> Any:
    """Return the generator's reader. Raises UserError if its packages are missing."""
    with needs_extra("data", "text"):
        from data_gen.corpus import stream
    return stream
