"""The type of all tokenizers: sentences in, wordpieces with character offsets out.

Pieces come from tokenizing the whole sentence exactly as the model's user will at fine-tuning.
Words come from a segmenter. The two meet in character offsets only: no dictionary and no `##`
marks, which join the wrong pieces where a word stands twice in a sentence or the tokenizer cuts
elsewhere than the segmenter.
"""

import re
from abc import ABC, abstractmethod
from functools import cached_property
from itertools import chain
from typing import Dict, FrozenSet, Iterable, List, NamedTuple, Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array
from data_gen.core.word_class import CHINESE_CHARACTERS
from data_gen.shared.vocabulary import SPECIALS

Offsets = Sequence[Tuple[int, int]]


class Tokens(NamedTuple):
    """The pieces of several sentences. Offsets count characters of the sentences joined by
    line feeds; they keep the rules of `Tokenizer.encode`.
    """

    ids: Array  # int32 [P]
    first: Array  # int64 [P]
    last: Array  # int64 [P]


CLAUSE_MARKS = "，；：、,;:"
_CHINESE = re.compile(f"[{CHINESE_CHARACTERS}]")


class Tokenizer(ABC):
    """Sentence -> ids of one vocabulary, with character offsets."""

    identity: str  # name, model and version: joins a build's fingerprint

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = list(pieces)
        self.ids: Dict[str, int] = {piece: i for i, piece in enumerate(pieces)}
        _, self.unk, self.cls, self.sep, self.mask = (self.ids[special] for special in SPECIALS)

    @abstractmethod
    def encode(self, sentences: Sequence[str]) -> List[Tuple[List[int], Offsets]]:
        """Cut each sentence into pieces: their ids and half-open offsets, no special tokens added.

        Offsets count characters of the sentence as given. They never descend; those of a piece
        that is only a part of one character are the character's; those of a piece without text of
        its own are empty.
        """

    def tokenize(self, sentences: Sequence[str]) -> Tokens:
        """Cut many sentences at once, into arrays."""
        encoded = self.encode(sentences)
        shifts = np.cumsum([0, *(len(sentence) + 1 for sentence in sentences)])[:-1]
        shifts = np.repeat(shifts, [len(ids) for ids, _ in encoded])
        ids = np.array([*chain.from_iterable(ids for ids, _ in encoded)], np.int32)
        offsets = np.array([*chain.from_iterable(pairs for _, pairs in encoded)], np.int64)
        first, last = offsets.reshape(-1, 2).T + shifts
        return Tokens(ids, first, last)

    @abstractmethod
    def join(self, pieces: Iterable[int]) -> str:
        """Join pieces to one string, for people to read."""

    @cached_property
    def spelt(self) -> Sequence[str]:
        """The text of each piece alone."""
        return [self.join((piece,)) for piece in range(len(self.pieces))]

    @cached_property
    def chinese_pieces(self) -> Array:
        """Tell which pieces hold a Chinese character, bool; [UNK] may stand for one."""
        return np.array([bool(_CHINESE.search(piece)) for piece in self.pieces])

    @property
    @abstractmethod
    def reachable_ids(self) -> Sequence[int]:
        """The ids that tokenizing some text can give, ascending: no special among them. Random
        replacements are drawn from these.
        """

    @property
    def continuing_ids(self) -> Sequence[int]:
        """The ids of the pieces that only go on with a run of letters and digits."""
        return ()

    @property
    @abstractmethod
    def clause_marks(self) -> FrozenSet[int]:
        """The ids of the pieces that end a clause."""
