"""A table of similar words as one file: words and their neighbours, a *layer* for each source.

The file is in safetensors' format, mapped into memory, so that all workers of a machine share one
copy and only what is looked up is read. W words of a layer, N neighbours of all of them.
"""

import json
import os
import struct
from itertools import chain
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array, Pieces, offsets_of
from data_gen.core.word_keys import word_keys
from data_gen.shared.array_file import map_arrays
from data_gen.shared.errors import UserError
from data_gen.storage.folders import make_folder
from data_gen.storage.remote_files import local_copy
from data_gen.storage.writing import atomic_file
from data_gen.synonyms.likeness import SCRIPTS, script

FORMAT = 4


class SourceTable(NamedTuple):
    """The words of one source. Word i is `pieces[starts[i]:starts[i + 1]]`; its neighbours are
    words.
    """

    keys: Array  # uint64 [W], ascending: `distinct.word_keys`
    pieces: Array  # int32
    starts: Array  # int64 [W + 1]
    neighbours: Array  # int32 [N]: word numbers, the most similar first
    similarities: Array  # float32 [N]: cosines
    neighbour_starts: Array  # int64 [W + 1]
    scripts: Array  # uint8 [W]: which of alike.SCRIPTS each word is of

    def number(self, word: Pieces) -> int:
        """The number of a word, -1 of one that is not in the layer."""
        if not word:
            return -1
        keys = word_keys(np.array(word), np.array([0, len(word)]))
        return int(self.numbers(keys)[0])

    def numbers(self, keys: Array) -> Array:
        """The numbers of the words of these keys, int64; -1 of those that are not in the layer."""
        if not len(self.keys):
            return np.full(len(keys), -1)
        numbers = np.minimum(self.keys.searchsorted(keys), len(self.keys) - 1)
        return np.where(self.keys[numbers] == keys, numbers, -1)

    def word(self, number: int) -> Pieces:
        """The pieces of a word."""
        start, stop = self.starts[number : number + 2].tolist()
        return tuple(self.pieces[start:stop].tolist())

    def near(self, word: Pieces) -> Optional[List[Tuple[Pieces, float]]]:
        """The neighbours of a word with their cosines; None for a word that is not in the layer."""
        number = self.number(word)
        if number < 0:
            return None
        start, stop = self.neighbour_starts[number : number + 2].tolist()
        numbers = self.neighbours[start:stop].tolist()
        return list(zip(map(self.word, numbers), self.similarities[start:stop].tolist()))


class Table(NamedTuple):
    """Layers in order of preference, by the name of their source."""

    layers: Dict[str, SourceTable]
    provenance: Dict[str, Any]  # all that decides the table: see jobs/build_synonyms.py

    def save(self, path: str) -> None:
        """Write the table whole or not at all."""
        from safetensors.numpy import save

        arrays = {
            f"{i}.{name}": np.ascontiguousarray(array)
            for i, layer in enumerate(self.layers.values())
            for name, array in layer._asdict().items()
        }
        # One entry: the package writes several in no fixed order.
        about = {"format": FORMAT, "layers": list(self.layers), "made_from": self.provenance}
        data = save(arrays, {"similar_words": json.dumps(about, ensure_ascii=False)})
        make_folder(os.path.dirname(path) or ".")
        with atomic_file(path) as handle:
            handle.write(data)


def make_source_table(
    words: Sequence[Pieces], rows: Array, cosines: Array, text: Callable[[Pieces], str]
) -> SourceTable:
    """A layer of different words; `text` spells them.

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
    return SourceTable(
        keys=keys[order],
        pieces=np.fromiter(chain.from_iterable(ordered), np.int32),
        starts=offsets_of([len(word) for word in ordered]),
        neighbours=place[rows[there]],
        # Rounded: the last digits depend on the threads of the matrix product.
        similarities=np.round(cosines[there], 4).astype(np.float32),
        neighbour_starts=offsets_of(there.sum(axis=1)),
        scripts=np.fromiter(
            (SCRIPTS.index(script(text(word))) for word in ordered), np.uint8, len(ordered)
        ),
    )


def load_table(path: str) -> Table:
    """Map a table into memory, or a copy of it where it is behind a URL.

    Raises UserError where the file is no table.
    """
    try:
        metadata, arrays = map_arrays(local_copy(path))
        about = json.loads(metadata["similar_words"])
        if about["format"] != FORMAT:
            raise UserError(
                f"{path} is of table format {about['format']}, not {FORMAT}: build it again"
            )
        layers = {
            source: SourceTable(*(arrays[f"{i}.{name}"] for name in SourceTable._fields))
            for i, source in enumerate(about["layers"])
        }
        return Table(layers, about["made_from"])
    except FileNotFoundError as error:
        raise UserError(
            f"there is no table {path}: make it with `python -m data_gen synonyms build`"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise UserError(
            f"{path} is no whole table of `python -m data_gen synonyms build`: make it again"
        ) from error


def require_new_table(path: str) -> None:
    """Raise UserError where `path` is a file but no table, which would be lost, or nothing can be
    written there.
    """
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
    if b'"similar_words"' not in start:
        raise UserError(f"{path} is another file: choose another --output")
