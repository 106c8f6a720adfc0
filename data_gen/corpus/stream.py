"""Text read once, from its start to its end: for commands that need no blocks."""

import dataclasses
from typing import Iterable, Iterator, List, NamedTuple, Sequence

from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.find_files import find_inputs
from data_gen.corpus.forms.form import END
from data_gen.corpus.forms.formats import FORMATS
from data_gen.corpus.normalize import normalizer
from data_gen.corpus.scan import SkippedFile, find_source, read_all
from data_gen.corpus.sentences import split_sentences
from data_gen.shared.errors import UserError

_LONG_DOCUMENT = 1000  # lines


@dataclasses.dataclass(frozen=True)
class TextSettings:
    """Settings of a command that reads text: the group of `data_gen` that says how."""

    corpus: CorpusConfig = dataclasses.field(default_factory=CorpusConfig)


class Passage(NamedTuple):
    """A line of a text file, or a document of another file (some lines of it, if it is long)."""

    text: str  # without outer whitespace; empty if it is a blank line
    ends: bool  # the document ends with it


def read_passages(patterns: Sequence[str], config: CorpusConfig) -> Iterator[Passage]:
    """Yield the text of files, folders, globs and URLs of them, "-" for standard input, in the
    order of their names. Memory does not grow with it. Duplicates are not dropped.

    Raises UserError as `build` does for what it cannot read, and if there is no text at all.
    """
    found = False
    for path, name, named in find_inputs(patterns):
        source = find_source(path, name, config, named)
        if isinstance(source, SkippedFile):
            continue
        lines = (line for batch in read_all(source, config) for line in batch.lines)
        passages = _lines if FORMATS[source.form].blank_ends else _documents
        for passage in passages(lines):
            found = found or bool(passage.text)
            yield passage
    if not found:
        raise UserError(f"there is no text in {', '.join(patterns)}: give files that hold some")


def _lines(lines: Iterable[str]) -> Iterator[Passage]:
    last = None
    for line in lines:
        if last is not None:
            yield Passage(last, last == END)
        last = line
    if last is not None:
        yield Passage(last, ends=True)


def _documents(lines: Iterable[str]) -> Iterator[Passage]:
    some: List[str] = []
    for line in lines:
        if line != END:
            some.append(line)
        if some and (line == END or len(some) == _LONG_DOCUMENT):
            yield Passage("\n".join(some), line == END)
            some = []
    if some:
        yield Passage("\n".join(some), ends=True)


def read_documents(patterns: Sequence[str], config: CorpusConfig) -> Iterator[List[str]]:
    """Yield the sentences of each document, as `build` makes them; after 1,000 lines a document is
    cut. Raises UserError as `read_passages` does.
    """
    normalise = normalizer(config.normalize)
    lines: List[str] = []
    for text, ends in read_passages(patterns, config):
        if text:
            lines.append(text)
        if lines and (ends or len(lines) >= _LONG_DOCUMENT):
            sentences = split_sentences("\n".join(lines))
            yield normalise("\n".join(sentences)).split("\n")
            lines = []
