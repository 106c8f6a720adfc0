"""Train LTP's perceptron on segmented text and score it on held-out sentences."""

import os
import random
import shutil
import tempfile
from typing import Any, NamedTuple, Sequence

from data_gen.corpus.samples.peoples_daily import Paragraph, paragraphs, split_heldout
from data_gen.segmentation.boundaries import word_boundaries
from data_gen.segmentation.ltp import claim_ltp_folder, note_sums
from data_gen.segmentation.segmenters import SegmenterConfig, load_segmenter
from data_gen.shared.errors import writing
from data_gen.shared.extras import import_extra
from data_gen.storage.writing import atomic_file, write_json


class Scores(NamedTuple):
    """Precision and recall of a segmenter on the held-out gold words."""

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
    ltp = import_extra("ltp_extension.perceptron", "data", "`segmenter train`")
    claim_ltp_folder(folder)
    train, heldout = split_heldout(paragraphs())
    train = list(train)
    random.Random(seed).shuffle(train)
    with tempfile.TemporaryDirectory() as scratch:
        trainer: Any = ltp.CWSTrainer()
        trainer.epoch = epochs
        trainer.shuffle = False  # LTP's own shuffle is not seeded
        trainer.verbose = False
        trainer.eval_threads = 1
        trainer.algorithm = ltp.Algorithm("Pa")
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
    note_sums(folder)
    return score_segmenter(folder, heldout)


def _gold_file(folder: str, name: str, part: Sequence[Paragraph]) -> str:
    path = os.path.join(folder, name)
    with writing(path), open(path, "w", encoding="utf-8") as handle:
        handle.writelines(" ".join(words) + "\n" for words in part)
    return path


def score_segmenter(folder: str, gold: Sequence[Paragraph]) -> Scores:
    """Score the words of a model against gold words."""
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
