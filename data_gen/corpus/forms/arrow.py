"""Files of Apache Arrow: Feather, and those of a folder that `datasets` saved.

A place is (record batch, rows of it to pass over).
"""

from contextlib import ExitStack
from typing import Any, Iterator

from data_gen.corpus.forms.columns import lines_of, pyarrow, require_text, rows_at_once, texts_of
from data_gen.corpus.forms.form import Batch, Place, Source
from data_gen.storage.errors import reading
from data_gen.storage.locations import is_url
from data_gen.storage.reading import open_as_is

_FILE_MAGIC = b"ARROW1"


def read_arrow(source: Source, place: Place) -> Iterator[Batch]:
    """Yield the documents of one column, record batch by record batch.

    Raises UserError if the file is damaged, FormatError if it has no such column.
    """
    first, passed = place or (0, 0)
    with ExitStack() as opened:
        for number, batch in _batches(source, first, opened):
            step = rows_at_once(batch.num_rows, batch.nbytes)
            for start in range(passed, batch.num_rows, step):
                with reading(source.path):
                    texts = texts_of(batch.slice(start, step), source.field)
                yield Batch((number, start), lines_of(texts))
            passed = 0


def _batches(source: Source, first: int, opened: ExitStack) -> Iterator[Any]:
    """Yield the record batches from a number on, with their numbers."""
    arrow = pyarrow(source.path)
    handle = opened.enter_context(open_as_is(source.path))
    with reading(source.path):
        is_file = handle.read(len(_FILE_MAGIC)) == _FILE_MAGIC
        handle.seek(0)
        # mapped, so that rows are read where they are needed
        whole = (
            handle if is_url(source.path) else opened.enter_context(arrow.memory_map(source.path))
        )
        ipc = arrow.ipc.open_file(whole) if is_file else arrow.ipc.open_stream(whole)
    require_text(ipc.schema, source.field)
    if is_file:
        for number in range(first, ipc.num_record_batches):
            with reading(source.path):
                batch = ipc.get_batch(number)
            yield number, batch
        return
    number = 0
    while True:
        with reading(source.path):
            batch = next(ipc, None)
        if batch is None:
            return
        if number >= first:
            yield number, batch
        number += 1
