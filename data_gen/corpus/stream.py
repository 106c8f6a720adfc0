"""Documents of input files in one pass, for commands that need no blocks: no scan comes before."""

from typing import Iterator, List, Sequence

from data_gen.core.documents import Document
from data_gen.corpus import blocks
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.detection.resolve import find_source, mistakes_named
from data_gen.corpus.documents import make_documents, texts_of
from data_gen.corpus.find_files import find_inputs
from data_gen.corpus.forms.entries import read_entries
from data_gen.corpus.forms.form import END, START, Source
from data_gen.corpus.forms.formats import FORMATS
from data_gen.corpus.lines import LINES
from data_gen.corpus.normalize import normalizer
from data_gen.shared.errors import UserError


def stream_documents(patterns: Sequence[str], config: CorpusConfig) -> Iterator[Document]:
    """Yield the documents of files, folders, globs, URLs and "-", with the ids that a build gives
    them. Files of a folder that hold no text are passed over.

    Raises UserError as a scan does, as soon as the reading gets there, and if there is no document.
    """
    normalise = normalizer(config.normalize)
    empty = True
    for file in find_inputs(patterns):
        source = find_source(file.path, file.name, config, file.named).source
        first = 0
        for lines in _blocks(source, config) if source else ():
            texts = [*texts_of(lines, config)]
            empty = empty and not texts
            yield from make_documents(texts, file.name, first, normalise)
            first += len(texts)
    if empty:
        raise _no_text(patterns)


def stream_lines(patterns: Sequence[str], config: CorpusConfig) -> Iterator[str]:
    """Yield the lines of text, blank ones as well; where lines are joined, or the file holds
    records, the lines of each document together. They are not normalised.
    """
    empty = True
    for file in find_inputs(patterns):
        source = find_source(file.path, file.name, config, file.named, by_line=True).source
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


def _blocks(source: Source, config: CorpusConfig) -> Iterator[List[str]]:
    """Yield the lines of a file in parts that end where those of a scan do."""
    part: List[str] = []
    size = 0
    with mistakes_named(source, config):
        for batch in read_entries(source, START, config):
            for line in batch.lines:
                part.append(line)
                size += len(line.encode()) + 1 if line else 0
                if size >= (1 if line == END else 2) * blocks.BLOCK_BYTES:
                    yield part
                    part, size = [], 0
    yield part
