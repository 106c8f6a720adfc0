"""The words that the table of similar words was made of, kept for the map tasks of the same build:
a slow segmenter runs once. A file for each block of text, within the build's folder of work.
"""

import os
from typing import Any, Collection

import numpy as np

from data_gen.core.documents import WordBoundaries
from data_gen.storage.arrays import load_arrays, save_arrays
from data_gen.storage.folders import list_names, make_folder

_FOLDER = "words"


class KeptWords:
    """The folder of a build's words."""

    def __init__(self, work: str) -> None:
        """Take the folder of work of the build."""
        self._folder = os.path.join(work, _FOLDER)

    def make(self) -> None:
        """Make the folder."""
        make_folder(self._folder)

    def path(self, block: int) -> str:
        """Return the path for the words of a block, by its number in the input."""
        return os.path.join(self._folder, f"{block:06d}.npz")

    def there(self) -> Collection[str]:
        """Return the paths of all files that are there."""
        return {os.path.join(self._folder, name) for name in list_names(self._folder)}


def save_words(path: str, marks: WordBoundaries) -> None:
    """Write the word boundaries of a block, a bit for each character."""
    bits = np.packbits(marks.boundaries)
    save_arrays(
        path,
        {"bits": bits, "characters": len(marks.boundaries), "misaligned": marks.misaligned},
    )


def load_words(path: str) -> WordBoundaries:
    """Read the output of `save_words`. Raises UserError where the file is damaged."""

    def marks(arrays: Any) -> WordBoundaries:
        bits = np.unpackbits(arrays["bits"], count=int(arrays["characters"]))
        return WordBoundaries(bits.view(bool), arrays["misaligned"])

    return load_arrays(path, marks)
