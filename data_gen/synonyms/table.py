"""A table of similar words as one file: words and their neighbours, a *layer* for each source.

The file is in safetensors' format, mapped into memory, so that all workers of a machine share one
copy and only what is looked up is read. W words of a layer, N neighbours of all of them.
"""

import os
from itertools import chain
from typing import Any, Callable, Dict, NamedTuple, Sequence

import numpy as np

from data_gen.core.columns import Array, Pieces, offsets_of
from data_gen.core.word_keys import word_keys
from data_gen.shared.dataset.similar_words import ENTRY, SourceArrays, map_table, table_file
from data_gen.shared.errors import UserError
from data_gen.shared.extras import import_extra
from data_gen.storage.folders import make_folder
from data_gen.storage.remote_files import local_copy
from data_gen.storage.writing import atomic_file
from data_gen.synonyms.likeness import SCRIPTS, script


class SourceTable(SourceArrays):
    """The words of one source, looked up by their pieces."""

    __slots__ = ()

    def number(self, word: Pieces) -> int:
        """Return the number of a word, -1 for a word that is not in the layer."""
        if not word:
            return -1
        keys = word_keys(np.array(word), np.array([0, len(word)]))
        return int(self.numbers(keys)[0])

    def numbers(self, keys: Array) -> Array:
        """Return the numbers of the words with these keys, int64; -1 for unknown words."""
        if not len(self.keys):
            return np.full(len(keys), -1)
        numbers = np.minimum(self.keys.searchsorted(keys), len(self.keys) - 1)
        return np.where(self.keys[numbers] == keys, numbers, -1)

    def word(self, number: int) -> Pieces:
        """Return the pieces of a word."""
        start, stop = self.starts[number : number + 2].tolist()
        return tuple(self.pieces[start:stop].tolist())


class Table(NamedTuple):
    """The layers of a table in order of preference, by the name of their source."""

    layers: Dict[str, SourceTable]
    provenance: Dict[str, Any]  # all that decides the table: see jobs/build_synonyms.py

    def save(self, path: str) -> None:
        """Write the table whole or not at all."""
        safetensors = import_extra("safetensors.numpy", "data", "a table of similar words")
        data = safetensors.save(*table_file(self.layers, self.provenance))
        make_folder(os.path.dirname(path) or ".")
        with atomic_file(path) as handle:
            handle.write(data)


def make_source_table(
    words: Sequence[Pieces], rows: Array, cosines: Array, text: Callable[[Pieces], str]
) -> SourceTable:
    """Make a layer of different words; `text` spells them.

    rows:    int [W, K], numbers of each word's neighbours, the most similar first; -1 is none
    cosines: float32 [W, K]
    """
    flat = np.fromiter(chain.from_iterable(words), np.int32)
    # Two words of one key, one chance in 10 million for 2 million words: only one is found.
    keys = word_keys(flat, offsets_of([len(word) for word in words]))
    order = np.argsort(keys)
    place = np.empty(len(words), np.int32)
    place[order] = np.arange(len(words))
    rows, cosines = rows[order], cosines[order]
    there = rows >= 0
    ordered = [words[number] for number in order.tolist()]
    pieces = np.fromiter(chain.from_iterable(ordered), np.int32)
    starts = offsets_of([len(word) for word in ordered])
    return SourceTable(
        keys=keys[order],
        pieces=pieces,
        starts=starts,
        neighbours=place[rows[there]],
        # Rounded: the last digits depend on the threads of the matrix product.
        similarities=np.round(cosines[there], 4).astype(np.float32),
        neighbour_starts=offsets_of(there.sum(axis=1)),
        scripts=_scripts(pieces, starts, text),
    )


def _scripts(pieces: Array, starts: Array, text: Callable[[Pieces], str]) -> Array:
    """Find the script of each word by those of its pieces, as `script` does by its characters: all
    marks, else all marks and numbers, else any letter.
    """
    different, numbers = np.unique(pieces, return_inverse=True)
    names = [script(text((piece,))) for piece in different.tolist()]
    latin, number, punctuation = (
        np.array([name == one for name in names], bool)[numbers]
        for one in ("latin", "number", "punctuation")
    )
    begin = starts[:-1]
    found = np.full(len(begin), SCRIPTS.index("other"), np.uint8)
    if not len(begin):
        return found
    found[np.logical_or.reduceat(latin, begin)] = SCRIPTS.index("latin")
    found[np.logical_and.reduceat(number | punctuation, begin)] = SCRIPTS.index("number")
    found[np.logical_and.reduceat(punctuation, begin)] = SCRIPTS.index("punctuation")
    return found


def load_table(path: str) -> Table:
    """Map a table into memory, or a copy of it if it is behind a URL.

    Raises UserError as `map_table` does.
    """
    sources, provenance = map_table(local_copy(path))
    return Table({name: SourceTable(*arrays) for name, arrays in sources.items()}, provenance)


def require_new_table(path: str) -> None:
    """Raise UserError if `path` cannot be written, or is a file but no table."""
    folder = os.path.dirname(path) or "."
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK) or not os.path.basename(path):
        raise UserError(f"cannot write {path or 'a table without a name'}: choose another --output")
    if not os.path.exists(path):
        return
    try:
        with open(path, "rb") as handle:
            start = handle.read(1 << 16)
    except OSError:
        start = b""
    if f'"{ENTRY}"'.encode() not in start:
        raise UserError(f"{path} is another file: choose another --output")
