"""The output of WikiExtractor: `<doc id=...>`, title, blank line, text, `</doc>`; or --json."""

from typing import Iterator, List

from data_gen.corpus.forms.decoded import read_lines
from data_gen.corpus.forms.form import BLANK, END, Batch, FormatError, Place, Source
from data_gen.corpus.forms.json_lines import read_json_lines
from data_gen.corpus.forms.long_lines import LIMIT
from data_gen.corpus.sentences import last_sentence_end

_STARTS = "<doc id="
_ENDS = "</doc>"


def read_wikiextractor(source: Source, place: Place) -> Iterator[Batch]:
    """Yield the documents between the marks. Raises FormatError for text outside of them."""
    before = 0
    opened = bool(place)  # in the middle of a file that was checked before
    for batch in read_lines(source, place, last_sentence_end, LIMIT):
        lines: List[str] = []
        for number, line in enumerate(batch.lines, start=before + 1):
            stripped = line.strip()
            if stripped.startswith(_STARTS):
                lines.append(END)
                opened = True
            elif stripped == _ENDS:
                lines.append(END)
                opened = False
            elif stripped and not opened:
                raise FormatError(
                    f"line {number}",
                    f"is not between {_STARTS}...> and {_ENDS}: is corpus.format right?",
                )
            else:
                lines.append(unescaped(line) if stripped else BLANK)
        before += len(batch.lines) + batch.skipped
        yield batch._replace(lines=lines)


def read_wikiextractor_json(source: Source, place: Place) -> Iterator[Batch]:
    """Yield the documents of JSON lines whose text is escaped all the same."""
    for batch in read_json_lines(source, place):
        yield batch._replace(lines=[*map(unescaped, batch.lines)])


def unescaped(text: str) -> str:
    """Return what WikiExtractor escaped, and no more: other entities stand for themselves."""
    return (
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        if "&" in text
        else text
    )
