"""Lines of text: documents that end at blank lines, or a document a line."""

from typing import Iterator

from data_gen.corpus.forms.decoded import read_lines
from data_gen.corpus.forms.form import BLANK, END, Batch, Place, Source
from data_gen.corpus.forms.long_lines import LIMIT
from data_gen.corpus.sentences import last_sentence_end


def read_text(source: Source, place: Place) -> Iterator[Batch]:
    """Yield lines of text; a blank line ends a document."""
    return read_lines(source, place, last_sentence_end, LIMIT)


def read_document_lines(source: Source, place: Place) -> Iterator[Batch]:
    """Yield lines of which each is a document."""
    for batch in read_lines(source, place, last_sentence_end, LIMIT):
        if batch.open:  # pieces of one line
            yield batch
        else:
            lines = [one for line in batch.lines for one in (line or BLANK, END)]
            yield batch._replace(lines=lines)
