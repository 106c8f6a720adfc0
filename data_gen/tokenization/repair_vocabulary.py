"""A published vocabulary made usable: every id keeps its piece, or gets a name that no text has."""

import os
from itertools import count
from typing import List

from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import mistakes, read_pieces, repeated
from data_gen.storage.writing import atomic_file


def repair_vocabulary(path: str, output: str) -> List[str]:
    """Write the vocab.txt at `path` to the new file `output` with `[unused*]` in the place of blank
    lines and of repeated pieces, but for the last of each, whose id other readers give.

    Returns a sentence for each line that is another. Raises UserError where special pieces are
    missing, which no rule can give ids, and where `output` is there.
    """
    if os.path.exists(output):
        raise UserError(f"{output} is there: choose another --output")
    pieces = read_pieces(path)
    changes = []
    if pieces and pieces[0].startswith("\ufeff"):
        pieces[0] = pieces[0].lstrip("\ufeff")
        changes.append("line 1: without the byte-order mark")
    known = set(pieces)
    fresh = (name for name in map("[unused{}]".format, count(1)) if name not in known)
    earlier = dict(repeated(pieces))
    for number, piece in enumerate(pieces):
        if not piece or number in earlier:
            pieces[number] = next(fresh)
            why = f"{piece!r} stands on line {earlier[number] + 1}" if piece else "it was blank"
            changes.append(f"line {number + 1}: {pieces[number]}, {why}")
    for mistake in mistakes(pieces):
        raise UserError(f"the vocabulary {path} {mistake}")
    with atomic_file(output) as handle:
        handle.write("".join(f"{piece}\n" for piece in pieces).encode())
    return changes
