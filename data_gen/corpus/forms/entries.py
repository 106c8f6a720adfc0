"""The lines of a file of any form, as documents are made of them."""

from typing import Iterator, List

from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.forms.form import END, Batch, Place, Source
from data_gen.corpus.forms.formats import FORMATS
from data_gen.corpus.forms.long_lines import shorten
from data_gen.corpus.lines import LINES


def read_entries(source: Source, place: Place, config: CorpusConfig) -> Iterator[Batch]:
    """Yield the lines from a place on, none too long; END after a document, perhaps several times.

    They have no outer whitespace, and there are no blank ones; where lines are to be joined, they
    are as they stand in the file. Raises UserError, FormatError and BadBytesError.
    """
    form = FORMATS[source.form]
    if LINES[config.lines].joins:
        clean = _ends_at_blank_lines if form.blank_ends else _as_they_are
    else:
        clean = _lines_of_text if form.blank_ends else _lines_of_documents
    for batch in form.read(source, place):
        lines = shorten(batch.lines)
        yield batch._replace(lines=clean(lines))


def _lines_of_text(lines: List[str]) -> List[str]:
    return [*map(str.strip, lines)]


def _lines_of_documents(lines: List[str]) -> List[str]:
    """Clean lines of which a blank one ends no document."""
    return [line.strip() for line in lines if line == END or not line.isspace()]


def _ends_at_blank_lines(lines: List[str]) -> List[str]:
    return [END if line.isspace() else line for line in lines]


def _as_they_are(lines: List[str]) -> List[str]:
    return lines
