"""Tables whose first line names the columns: CSV, and TSV."""

import csv
from collections import deque
from itertools import chain, islice
from typing import Callable, Deque, Iterator, List, NamedTuple, Tuple

from data_gen.corpus.forms.decoded import mend, read_lines
from data_gen.corpus.forms.fields import missing
from data_gen.corpus.forms.form import Batch, FormatError, Place, Source, document_lines

_LONGEST = 1 << 26  # characters of a cell: more is a quote that was never closed
_BATCH = 1 << 16  # characters of rows
_MOST_LINES = 10_000  # of a cell between quotes in TSV


class _Lines:
    """The lines of a table, with the place of each: (offset, characters, lines to pass over, lines
    before these).
    """

    def __init__(self, source: Source, place: Place) -> None:
        offset, skip, passed, self.number = place or (0, 0, 0, 0)
        self._batches = read_lines(source, (offset, skip), mending=False)
        self._batch = Batch((offset, skip), [])
        self._next = 0
        self._returned: Deque[str] = deque()
        for _ in range(passed):
            next(self)

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self._returned:
            line = self._returned.popleft()
        else:
            while self._next >= len(self._batch.lines):
                self._batch, self._next = next(self._batches), 0
            line = self._batch.lines[self._next] + "\n"
            self._next += 1
        self.number += 1
        return line

    def give_back(self, lines: List[str]) -> None:
        """Let lines come once more."""
        self._returned.extendleft(reversed(lines))
        self.number -= len(lines)

    def place(self) -> Place:
        """Return the place of the next line, where none was given back."""
        return (*self._batch.place, self._next, self.number - self._next)

    def is_between(self) -> bool:
        """Return True if no line was given back."""
        return not self._returned


Rows = Iterator[List[str]]


class _Dialect(NamedTuple):
    """A kind of table."""

    delimiters: str  # the one that stands most often in the first line
    rows: Callable[[_Lines, str], Rows]
    advice: str  # where a row has too many columns


def read_csv(source: Source, place: Place) -> Iterator[Batch]:
    """Yield the documents of one column of a CSV file."""
    return _read(source, place, _CSV)


def read_tsv(source: Source, place: Place) -> Iterator[Batch]:
    """Yield the documents of one column of a TSV file."""
    return _read(source, place, _TSV)


def _read(source: Source, place: Place, dialect: _Dialect) -> Iterator[Batch]:
    names, delimiter = _header(source, dialect)
    column = names.index(source.field)
    lines = _Lines(source, place)
    rows = dialect.rows(lines, delimiter)
    if not place:
        next(rows)
    texts: List[str] = []
    start, size = lines.place(), 0
    while True:
        number = lines.number + 1
        cells = next(rows, None)
        if cells and not (len(cells) == 1 and not cells[0].strip()):
            if len(cells) != len(names):
                raise FormatError(
                    f"line {number}",
                    f"has {len(cells)} columns, where the first line names {len(names)}: "
                    f"{dialect.advice}",
                )
            texts.append(cells[column])
            size += sum(map(len, cells))
        if cells is None or (size >= _BATCH and lines.is_between()):
            mended, replaced, skipped = mend(texts, source)
            documents = [*chain.from_iterable(map(document_lines, mended))]
            yield Batch(start, documents, replaced, skipped)
            texts, start, size = [], lines.place(), 0
        if cells is None:
            return


def _header(source: Source, dialect: _Dialect) -> Tuple[List[str], str]:
    """Return the names of the columns, and the mark between them."""
    first = next(_Lines(source, ()), "")
    delimiter = max(dialect.delimiters, key=first.count)
    names = [name.strip() for name in next(dialect.rows(_Lines(source, ()), delimiter), [])]
    if source.field not in names:
        raise FormatError("line 1", missing(source.field, filter(None, names)))
    if names.count(source.field) > 1:
        raise FormatError("line 1", f'names two columns "{source.field}": name them apart')
    return names, delimiter


def _csv_rows(lines: _Lines, delimiter: str) -> Rows:
    csv.field_size_limit(_LONGEST)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FormatError(
                f"line {number}",
                f"is no row of a table ({error}): a cell that holds quotes, ends of lines or "
                'marks between columns stands between quotes, and quotes in it are doubled ("")',
            ) from error
        yield cells


def _tsv_rows(lines: _Lines, delimiter: str) -> Rows:
    """Yield rows. A quote at the start of a cell is of the text, unless the cell ends with one, on
    this line or a later one, and all between are doubled.
    """
    for line in lines:
        quoted = line[:1] == '"' or f'{delimiter}"' in line
        cells = _quoted_row(line, lines, delimiter) if quoted else None
        yield cells or line[:-1].split(delimiter)


def _quoted_row(line: str, lines: _Lines, delimiter: str) -> List[str]:
    """Return the row that a line begins, if its quotes frame cells; else nothing."""
    taken = []  # behind the first

    def whole() -> Iterator[str]:
        yield line
        for following in islice(lines, _MOST_LINES - 1):
            taken.append(following)
            yield following

    try:
        return next(csv.reader(whole(), delimiter=delimiter, strict=True))
    except csv.Error:
        lines.give_back(taken)
        return []


_CSV = _Dialect(",;\t", _csv_rows, "a text with a comma or quotes stands between quotes")
_TSV = _Dialect("\t", _tsv_rows, "a tab within a text must be a space")
