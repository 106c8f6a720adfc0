"""Lines of a part of a file -> its documents, with their sentences."""

from itertools import groupby
from typing import AbstractSet, Callable, Iterable, Iterator, List, Sequence

from data_gen.core.documents import Document
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.lines import LINES, find_wrapping
from data_gen.corpus.sentences import split_sentences


def texts_of(lines: Sequence[str], config: CorpusConfig) -> Iterator[List[str]]:
    """Yield the lines of text of each document, joined where `corpus.lines` says so.

    lines: of a part, as `read_entries` gives them
    """
    rule = LINES[config.lines]
    wrapping = find_wrapping(lines) if rule.joins else None
    for is_text, some in groupby(lines, key=bool):
        texts = [*some] if is_text else []
        if texts and rule.joins:
            texts = rule.join(texts, wrapping)
        if texts:
            yield texts


def joined_lines(lines: Sequence[str], config: CorpusConfig) -> int:
    """Count the lines of a part that are joined to the ones before them."""
    filled = sum(not line.isspace() for line in lines if line)
    return filled - sum(map(len, texts_of(lines, config)))


def make_documents(
    texts_of_documents: Iterable[List[str]],
    name: str,
    first: int,
    normalise: Callable[[str], str],
    dropped: AbstractSet[int] = frozenset(),
) -> Iterator[Document]:
    """Yield the documents of a part, of ordinals from `first` on, without those that are dropped.

    texts_of_documents: of `texts_of`; the first may be the rest of a document that was cut
    """
    for ordinal, texts in enumerate(texts_of_documents, start=first):
        if ordinal not in dropped:
            sentences = split_sentences("\n".join(texts))
            sentences = normalise("\n".join(sentences)).split("\n")
            yield Document(f"{name}:{ordinal}", tuple(sentences))
