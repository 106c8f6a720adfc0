"""What a tokenizer is, the vocabulary it shares with the trainer, and which pieces make up a word.

Pieces come from tokenizing the whole sentence exactly as the model's user will at fine-tuning.
Words come from a segmenter. The two meet in character offsets only: no dictionary and no `##`
marks, which join the wrong pieces where a word stands twice in a sentence or the tokenizer cuts
elsewhere than the segmenter.
"""

from abc import ABC, abstractmethod
from typing import Dict, FrozenSet, Iterable, List, Sequence, Tuple

from data_gen.settings import UserError
from data_gen.types import Span

Offsets = Sequence[Tuple[int, int]]

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CLAUSE_MARKS = "，；：、,;:"


class Tokenizer(ABC):
    """Sentence -> ids of one vocabulary, with character offsets."""

    identity: str  # name, model and version: joins a build's fingerprint

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = list(pieces)
        self.ids: Dict[str, int] = {piece: i for i, piece in enumerate(pieces)}
        _, self.unk, self.cls, self.sep, self.mask = (self.ids[special] for special in SPECIALS)

    @abstractmethod
    def encode(self, sentences: Sequence[str]) -> List[Tuple[List[int], Offsets]]:
        """Ids and half-open offsets of the pieces of each sentence, no special tokens added.

        Offsets count characters of the sentence as given. They never descend; those of a piece
        that is only a part of one character are the character's; those of a piece without text of
        its own are empty.
        """

    @abstractmethod
    def text(self, pieces: Iterable[int]) -> str:
        """The pieces as one string, for people to read."""

    @property
    @abstractmethod
    def producible(self) -> Sequence[int]:
        """The ids that tokenizing some text can give, ascending: no special among them. Random
        replacements are drawn from these.
        """

    @property
    @abstractmethod
    def clause_marks(self) -> FrozenSet[int]:
        """Ids of the pieces that end a clause."""


def read_vocabulary(path: str) -> List[str]:
    """Read a vocab.txt: one piece a line, the line number is its id.

    Raises UserError where the file cannot be read, lacks a special token or names a piece twice.
    """
    try:
        with open(path, encoding="utf-8") as handle:
            pieces = [line.rstrip("\r\n") for line in handle]
    except OSError as error:
        raise UserError(f"cannot read the vocabulary {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"the vocabulary {path} is not UTF-8 text") from error
    missing = [special for special in SPECIALS if special not in pieces]
    if missing:
        raise UserError(
            f"the vocabulary {path} lacks {' '.join(missing)}: add a line for each, or use the "
            "vocab.txt of a BERT model"
        )
    if len(set(pieces)) != len(pieces):
        twice = next(piece for i, piece in enumerate(pieces) if piece in pieces[:i])
        raise UserError(f"the vocabulary {path} has {twice!r} on two lines: ids would be ambiguous")
    return pieces


def word_spans(offsets: Offsets, boundaries: Iterable[int]) -> Tuple[Span, ...]:
    """Group pieces into words: two neighbours are of one word unless a boundary lies between them.

    offsets:    half-open character offsets of the pieces, as `Tokenizer.encode` gives them
    boundaries: character positions at which a word starts or ends, ascending
    Returns     spans of piece positions that cover all pieces. A piece that straddles a boundary
                joins the two words. A piece without text goes with the piece that follows.
    """
    spans = []
    start = stop = 0  # of the word; `stop` is after its last piece with text
    left = -1  # where the text of that piece ends
    marks = iter(boundaries)
    mark = next(marks, None)
    for i, (first, last) in enumerate(offsets):
        if first == last:
            continue
        while mark is not None and mark < left:
            mark = next(marks, None)
        if stop and mark is not None and mark <= first:
            spans.append(Span(start, stop))
            start = stop
        left, stop = last, i + 1
    if offsets:
        spans.append(Span(start, len(offsets)))
    return tuple(spans)


def piece_spans(count: int) -> Tuple[Span, ...]:
    """One span a piece: words where the segmenter's cannot be aligned, and the unit of piece
    masking.
    """
    return tuple(Span(0, count).singles())
