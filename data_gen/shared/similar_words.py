"""The file format of a table of similar words: a safetensors file with the arrays of each source.

Written by data_gen/synonyms/table.py. W words of a source, N neighbours of all of them.
"""

import json
import struct
from typing import Any, Dict, NamedTuple, Tuple

from data_gen.shared.array_file import map_arrays
from data_gen.shared.errors import UserError

FORMAT = 4  # bumped whenever a reader of older tables would misread newer ones
ENTRY = "similar_words"  # the entry of the file's metadata, JSON


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


def array_name(source: int, field: str) -> str:
    """Return the name that an array of the source with this number has in the file."""
    return f"{source}.{field}"


def map_table(path: str) -> Tuple[Dict[str, SourceArrays], Dict[str, Any]]:
    """Map a table of this machine into memory. Returns the arrays of each source by its name, in
    the order of preference, and the provenance of the table.

    Raises UserError if there is no table, or it is damaged or of another format.
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
        return sources, about["made_from"]
    except FileNotFoundError as error:
        raise UserError(
            f"there is no table {path}: make it with `python -m data_gen synonyms build`"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise UserError(
            f"{path} is no whole table of `python -m data_gen synonyms build`: make it again"
        ) from error
