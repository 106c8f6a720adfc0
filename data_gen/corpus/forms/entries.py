"""The lines of a file of any form, as documents are made of them: cleaned, none too long."""

from typing import Iterator, List

from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.forms.form import END, Batch, Place, Source
from data_gen.corpus.forms.formats import FORMATS
from data_gen.corpus.forms.long_lines import shorten


def read_entries(source: Source, place: Place, config: CorpusConfig) -> Iterator[Batch]:
    """Yield the lines from a place on, without outer whitespace; END after a document, perhaps
    several times.

    Raises UserError, FormatError and BadBytesError.
    """
    form = FORMATS[source.form]
    clean = _lines_of_text if form.blank_ends else _lines_of_documents
    for batch in form.read(source, place):
        lines = shorten(batch.lines)
        yield batch._replace(lines=clean(lines))


def _lines_of_text(lines: List[str]) -> List[str]:
    return [*map(str.strip, lines)]


def _lines_of_documents(lines: List[str]) -> List[str]:
    """Clean lines of which a blank one ends no document."""
    return [line.strip() for line in lines if line == END or not line.isspace()]
