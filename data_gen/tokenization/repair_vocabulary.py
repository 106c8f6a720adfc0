"""A published vocabulary made usable: every id keeps its piece, or gets a name that no text has."""

from itertools import count
from typing import List, Sequence, Tuple

from data_gen.shared.vocabulary import repeated


def repair_pieces(pieces: Sequence[str]) -> Tuple[List[str], List[str]]:
    """Put `[unused*]` in the place of blank lines and of repeated pieces, but for the last of each,
    whose id other readers give; take a byte-order mark off.

    Returns the pieces and a sentence for each line that is another. Missing special pieces stay
    missing: no rule can give them ids.
    """
    repaired = list(pieces)
    changes = []
    if repaired and repaired[0].startswith("\ufeff"):
        repaired[0] = repaired[0].lstrip("\ufeff")
        changes.append("line 1: without the byte-order mark")
    known = set(repaired)
    fresh = (name for name in map("[unused{}]".format, count(1)) if name not in known)
    earlier = dict(repeated(repaired))
    for number, piece in enumerate(repaired):
        if not piece or number in earlier:
            repaired[number] = next(fresh)
            why = f"{piece!r} stands on line {earlier[number] + 1}" if piece else "it was blank"
            changes.append(f"line {number + 1}: {repaired[number]}, {why}")
    return repaired, changes
