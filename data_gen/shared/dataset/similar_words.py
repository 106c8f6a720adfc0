"""The file format of a table of similar words: a safetensors file with the arrays of each source.

Written by data_gen/synonyms/table.py. W words of a source, N neighbours of all of them.
"""

import hashlib
import json
import struct
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from data_gen.shared.dataset.array_file import map_arrays
from data_gen.shared.errors import UserError

FORMAT = 5  # bumped whenever a reader of older tables would misread newer ones
ENTRY = "similar_words"  # the entry of the file's metadata, JSON
_COSINE = 1.001  # the greatest, rounding included


class SourceArrays(NamedTuple):
    """The words of one source. Word i is `pieces[starts[i]:starts[i + 1]]`; its neighbours are the
    words `neighbours[neighbour_starts[i]:neighbour_starts[i + 1]]`.
    """

    keys: Any  # uint64 [W], ascending: `word_keys`
    pieces: Any  # int32
    starts: Any  # int64 [W + 1]
    neighbours: Any  # int32 [N]: word numbers, the most similar first
    similarities: Any  # float32 [N]: cosines
    neighbour_starts: Any  # int64 [W + 1]
    scripts: Any  # uint8 [W]: the script of each word, a number of `likeness.SCRIPTS`

    def mistake(self) -> Optional[str]:
        """Say which of these arrays do not belong together; None where all do."""
        words, neighbours = len(self.keys), len(self.neighbours)
        for name, offsets, rows in (
            ("starts", self.starts, len(self.pieces)),
            ("neighbour_starts", self.neighbour_starts, neighbours),
        ):
            if len(offsets) != words + 1 or offsets[0] != 0 or offsets[-1] != rows:
                return name
            if (np.diff(offsets) < 0).any():
                return name
        if len(self.scripts) != words or len(self.similarities) != neighbours:
            return "lengths"
        if not (self.keys[1:] > self.keys[:-1]).all():
            return "keys"
        if neighbours and not 0 <= self.neighbours.min() <= self.neighbours.max() < words:
            return "neighbours"
        if not (np.abs(self.similarities) <= _COSINE).all():  # NaN neither
            return "similarities"
        return "pieces" if len(self.pieces) and self.pieces.min() < 0 else None


def array_name(source: int, field: str) -> str:
    """Return the name that an array of the source with this number has in the file."""
    return f"{source}.{field}"


def table_file(
    sources: Mapping[str, SourceArrays], made_from: Dict[str, Any]
) -> Tuple[Dict[str, Any], Dict[str, str]]:
    """Return the arrays and the metadata of the file of a table."""
    arrays = {
        array_name(i, name): np.ascontiguousarray(array)
        for i, source in enumerate(sources.values())
        for name, array in zip(SourceArrays._fields, source)
    }
    # One entry: the package safetensors writes several in no fixed order.
    about = {"format": FORMAT, "layers": list(sources), "made_from": made_from}
    about["sha256"] = _sha256(about, arrays)
    return arrays, {ENTRY: json.dumps(about, ensure_ascii=False)}


def _sha256(about: Dict[str, Any], arrays: Mapping[str, Any]) -> str:
    """Hash all that a table holds but this checksum."""
    about = {name: value for name, value in about.items() if name != "sha256"}
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(name.encode())
        digest.update(array)
    return digest.hexdigest()


def map_table(path: str) -> Tuple[Dict[str, SourceArrays], Dict[str, Any]]:
    """Map a table of this machine into memory. Returns the arrays of each source by its name, in
    the order of preference, and the provenance of the table.

    Raises UserError if there is no table, or it is damaged or of another format. All of it is read
    once, for its checksum: 1.3 s a gigabyte.
    """
    try:
        metadata, arrays = map_arrays(path)
        about = json.loads(metadata[ENTRY])
        if about["format"] != FORMAT:
            raise UserError(
                f"{path} is of table format {about['format']}, not {FORMAT}: build it again"
            )
        sources = {
            source: SourceArrays(*(arrays[array_name(i, name)] for name in SourceArrays._fields))
            for i, source in enumerate(about["layers"])
        }
        if about["sha256"] != _sha256(about, arrays):
            raise ValueError("its bytes have another checksum")
        for name, source in sources.items():
            mistake = source.mistake()
            if mistake:
                raise ValueError(f"its {mistake} of {name} are out of range")
        return sources, about["made_from"]
    except FileNotFoundError as error:
        raise UserError(
            f"there is no table {path}: make it with `python -m data_gen synonyms build`"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, IndexError, struct.error) as error:
        raise UserError(
            f"{path} is no whole table of `python -m data_gen synonyms build` (cut short, damaged "
            "or another file): make it again"
        ) from error
