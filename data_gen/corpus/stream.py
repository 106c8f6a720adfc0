"""Documents of input files in one pass, for commands that need no blocks: no scan comes before."""

from typing import Iterator, List, NamedTuple, Optional, Sequence

from data_gen.core.documents import Document
from data_gen.corpus import blocks
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.detection.detect import companion
from data_gen.corpus.detection.refused import REFUSED
from data_gen.corpus.detection.resolve import EncodingError, resolve, undecoded
from data_gen.corpus.documents import make_documents, texts_of
from data_gen.corpus.find_files import FoundFile, find_inputs
from data_gen.corpus.forms.entries import read_entries
from data_gen.corpus.forms.form import END, START, BadBytesError, FormatError, Source
from data_gen.corpus.forms.formats import FORMATS
from data_gen.corpus.lines import LINES
from data_gen.corpus.normalize import normalizer
from data_gen.corpus.scan import wrong_form
from data_gen.shared.errors import UserError
from data_gen.storage.standard_input import shown


class Text(NamedTuple):
    """The lines of a document, not split into sentences and not normalised."""

    id: str  # as in `Document`
    lines: List[str]


def stream_documents(patterns: Sequence[str], config: CorpusConfig) -> Iterator[Document]:
    """Yield the documents of files, folders, globs, URLs and "-", with the ids that a build gives
    them. Files of a folder that hold no text are passed over.

    Raises UserError as a scan does, as soon as the reading gets there, and if there is no document.
    """
    normalise = normalizer(config.normalize)
    for name, first, lines in _parts(patterns, config):
        yield from make_documents(lines, name, first, config, normalise)


def stream_texts(patterns: Sequence[str], config: CorpusConfig) -> Iterator[Text]:
    """Yield the same documents as lines of text."""
    for name, first, lines in _parts(patterns, config):
        for ordinal, texts in enumerate(texts_of(lines, config), start=first):
            yield Text(f"{name}:{ordinal}", texts)


def stream_lines(patterns: Sequence[str], config: CorpusConfig) -> Iterator[str]:
    """Yield the lines of text, blank ones as well; where lines are joined, or the file holds
    records, the lines of each document together. They are not normalised.
    """
    empty = True
    for file in find_inputs(patterns):
        source = _source(file, config)
        if source is None:
            continue
        by_line = FORMATS[source.form].blank_ends and not LINES[config.lines].joins
        for part in _blocks(source, config):
            texts = part if by_line else map("\n".join, texts_of(part, config))
            for text in texts:
                empty = empty and not text
                yield text
    if empty:
        raise _no_text(patterns)


def _no_text(patterns: Sequence[str]) -> UserError:
    return UserError(f"there is no text in {', '.join(patterns)}: empty or blank")


class _Part(NamedTuple):
    name: str
    first: int  # ordinal of the first document
    lines: List[str]


def _parts(patterns: Sequence[str], config: CorpusConfig) -> Iterator[_Part]:
    empty = True
    for file in find_inputs(patterns):
        source = _source(file, config)
        first = 0
        for lines in _blocks(source, config) if source else ():
            count = sum(1 for _ in texts_of(lines, config))
            if count:
                empty = False
                yield _Part(file.name, first, lines)
            first += count
    if empty:
        raise _no_text(patterns)


def _source(file: FoundFile, config: CorpusConfig) -> Optional[Source]:
    if not file.named and companion(file.name):
        return None
    source, refused = resolve(file.path, file.name, config)
    if source is None and file.named and refused != "empty":
        raise UserError(f"{shown(file.path)} {REFUSED[refused]}")
    return source


def _blocks(source: Source, config: CorpusConfig) -> Iterator[List[str]]:
    """Yield the lines of a file in parts that end where those of a scan do."""
    part: List[str] = []
    size = 0
    try:
        for batch in read_entries(source, START, config):
            for line in batch.lines:
                part.append(line)
                size += len(line.encode()) + 1 if line else 0
                if size >= (1 if line == END else 2) * blocks.BLOCK_BYTES:
                    yield part
                    part, size = [], 0
    except BadBytesError as error:
        place = undecoded(source.path, error.line, error.byte, source.codec)
        raise EncodingError([place]) from error
    except FormatError as error:
        raise wrong_form(source, error, config) from error
    yield part
