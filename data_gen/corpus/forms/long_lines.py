"""Lines of more characters than memory should hold at once, cut where sentences end."""

from typing import Iterator, List

from data_gen.corpus.sentences import last_sentence_end

LIMIT = 1 << 16  # characters; part of what decides the shards' bytes


def shorten(lines: List[str]) -> List[str]:
    """Return lines of at most LIMIT characters each."""
    if max(map(len, lines), default=0) <= LIMIT:
        return lines
    return [piece for line in lines for piece in _pieces(line)]


def _pieces(line: str) -> Iterator[str]:
    at = 0
    while len(line) - at > LIMIT:
        size = last_sentence_end(line[at : at + LIMIT])
        if not line[at : at + size].isspace():  # it would be a blank line
            yield line[at : at + size]
        at += size
    if not at or not line[at:].isspace():
        yield line[at:]
