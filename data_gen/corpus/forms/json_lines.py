"""JSON lines: an object a line, with the document in one of its fields."""

import json
from typing import Iterator, List

from data_gen.corpus.forms.decoded import read_lines
from data_gen.corpus.forms.fields import text_of
from data_gen.corpus.forms.form import Batch, FormatError, Place, Source, document_lines


def read_json_lines(source: Source, place: Place) -> Iterator[Batch]:
    """Yield the documents of a file of objects. Blank lines are passed over.

    Raises FormatError for a line that is no such object.
    """
    number = 0
    for batch in read_lines(source, place):
        lines: List[str] = []
        for i, line in enumerate(batch.lines, start=number + 1):
            if line and not line.isspace():
                try:
                    lines += document_lines(text_of(_parsed(line), source.field))
                except ValueError as error:
                    raise FormatError(f"line {i}", str(error)) from error
        number += len(batch.lines) + batch.skipped
        yield batch._replace(lines=lines)


def _parsed(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"is not JSON ({error}): every line must be one object, such as "
            '{"text": "..."}; is corpus.format right?'
        ) from error
