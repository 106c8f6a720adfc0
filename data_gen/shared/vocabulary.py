"""The vocab.txt that the generator and the trainer share."""

import re
from typing import Iterator, List, Sequence

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
    """Read the lines of a vocab.txt. Raises UserError if it is no text."""
    try:
        with open(path, encoding="utf-8") as handle:
            return [line.rstrip("\r\n") for line in handle]
    except OSError as error:
        raise UserError(f"cannot read the vocabulary {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"the vocabulary {path} is not UTF-8 text") from error


def mistakes(pieces: Sequence[str]) -> Iterator[str]:
    """Yield each reason why a vocabulary is unusable: a byte-order mark, missing special tokens, a
    duplicate piece.
    """
    if pieces and pieces[0].startswith("\ufeff"):
        yield "starts with a byte-order mark, which is not of the first piece: remove it"
    missing = [special for special in SPECIALS if special not in pieces]
    if missing:
        yield (
            f"lacks {' '.join(missing)}: add a line for each, or use the vocab.txt of a BERT model"
        )
    if len(set(pieces)) != len(pieces):
        twice = next(piece for i, piece in enumerate(pieces) if piece in pieces[:i])
        yield f"has {twice!r} on two lines: ids would be ambiguous"
