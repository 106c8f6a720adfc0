"""Parquet files. A place is (row group, rows of it to pass over)."""

from contextlib import closing
from typing import Any, Iterator

from data_gen.corpus.forms.columns import lines_of, pyarrow, require_text, rows_at_once, texts_of
from data_gen.corpus.forms.form import Batch, Place, Source
from data_gen.storage.errors import reading
from data_gen.storage.reading import open_as_is

_BUFFER = 1 << 20  # bytes of a column read at once, instead of all that a row group has of it


def read_parquet(source: Source, place: Place) -> Iterator[Batch]:
    """Yield the documents of one column, row group by row group.

    Raises UserError if the file is damaged, FormatError if it has no such column.
    """
    pyarrow(source.path)
    from pyarrow.parquet import ParquetFile

    group, passed = place or (0, 0)
    with open_as_is(source.path) as handle:
        with reading(source.path):
            file = ParquetFile(handle, buffer_size=_BUFFER, pre_buffer=False)
        with closing(file):
            require_text(file.schema_arrow, source.field)
            for number in range(group, file.num_row_groups):
                yield from _read_group(file, number, passed, source)
                passed = 0


def _read_group(file: Any, number: int, passed: int, source: Source) -> Iterator[Batch]:
    group = file.metadata.row_group(number)
    if not group.num_rows:
        return
    batches = file.iter_batches(
        batch_size=rows_at_once(group.num_rows, group.total_byte_size),
        row_groups=[number],
        columns=[source.field],
        use_threads=False,
    )
    row = 0
    while True:
        with reading(source.path):
            batch = next(batches, None)
            if batch is None:
                return
            stop = row + batch.num_rows
            texts = (
                texts_of(batch.slice(max(0, passed - row)), source.field) if stop > passed else []
            )
        if stop > passed:
            yield Batch((number, max(row, passed)), lines_of(texts))
        row = stop
