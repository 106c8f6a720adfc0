"""The vocab.txt that the generator and the trainer share."""

import re
from typing import Dict, Iterator, List, Sequence, Tuple

from data_gen.shared.errors import UserError

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
UNUSED = re.compile(r"\[unused\d+\]")  # Google's room for one's own pieces
MAX_RUN = 200  # characters; Google's max_input_chars_per_word, a longer run is [UNK]


def read_vocabulary(path: str) -> List[str]:
    """Read a vocab.txt: one piece a line, the line number is its id.

    Raises UserError if the file cannot be read or `mistakes` finds one.
    """
    pieces = read_pieces(path)
    for mistake in mistakes(pieces):
        raise UserError(f"the vocabulary {path} {mistake}")
    return pieces


def read_pieces(path: str) -> List[str]:
    """Read the lines of a vocab.txt; blank lines at its end are no pieces, others are ids that no
    text gives. Raises UserError if it is no text.
    """
    try:
        with open(path, "rb") as handle:
            data = handle.read()
        lines = data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    except OSError as error:
        raise UserError(f"cannot read the vocabulary {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"the vocabulary {path} is not UTF-8 text in line {number}") from error
    return lines.split("\n") if lines else []


def mistakes(pieces: Sequence[str]) -> Iterator[str]:
    """Yield each reason why a vocabulary is unusable: a byte-order mark, missing special tokens, a
    repeated piece.
    """
    if pieces and pieces[0].startswith("\ufeff"):
        yield f"starts with a byte-order mark, which is no part of a piece: remove it, {_REPAIR}"
    missing = [special for special in SPECIALS if special not in pieces]
    if missing:
        yield (
            f"lacks {' '.join(missing)}: add a line for each, or use the vocab.txt of a BERT model"
        )
    twice = repeated(pieces)
    if twice:
        first, last = twice[0]
        more = f", and {len(twice) - 1:,} further repetitions" if len(twice) > 1 else ""
        yield (
            f"has {pieces[last]!r} on the lines {first + 1} and {last + 1}{more}, so that its "
            f"id is ambiguous: give the line {first + 1} a name that no text has, {_REPAIR}"
        )


_REPAIR = "as `python -m data_gen vocab repair FILE --output NEW` does; no id changes"


def repeated(pieces: Sequence[str]) -> List[Tuple[int, int]]:
    """Find the ids of pieces that stand once more further down, with the next of these ids. Of a
    repeated piece the readers of Google and Hugging Face give the last id.
    """
    found = []
    last: Dict[str, int] = {}
    for number, piece in enumerate(pieces):
        if piece in last:
            found.append((last[piece], number))
        if piece:  # no text gives an empty one
            last[piece] = number
    return found
