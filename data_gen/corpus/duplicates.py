"""Find documents by their text: those seen before, for `corpus.drop_duplicates`, and those of the
other one of two sets, for `build --heldout`.
"""

import hashlib
from collections import Counter
from typing import Dict, FrozenSet, List, NamedTuple, Protocol, Set, Union

from data_gen.core.random_draws import seed_for


class SeenTexts(Protocol):
    """The texts that are not wanted, by their keys: a set, or a `DocumentChoice`."""

    def __contains__(self, key: object, /) -> bool:
        """True if documents with this text are left out."""

    def add(self, key: int, /) -> None:
        """Take note of a document with this text."""


class DuplicateFinder:
    """A finder of documents whose text, apart from whitespace, was seen before.

    A text is remembered as 64 bits of its blake2b hash, 75 to 100 bytes of memory a document. Among
    n documents one is taken for another with a probability of n * n / 2**65: 3 in a million for
    10 million of them.
    """

    def __init__(self, seen: SeenTexts) -> None:
        self._seen = seen
        self._repeated: List[int] = []
        self._document = -1
        self._own: List[int] = []  # ordinals of the document that is read: several, if it is cut

    def add(self, document: int, ordinal: int, text: str) -> None:
        """Add the next text of a file, of this document and this ordinal."""
        if document != self._document:
            self._finish()
            self._document, self._own = document, []
            self._hash = hashlib.blake2b(digest_size=8)
        self._hash.update("".join(text.split()).encode())
        if ordinal not in self._own[-1:]:
            self._own.append(ordinal)

    def ordinals(self) -> List[int]:
        """Return the ordinals of the duplicates, ascending, after all texts of the file."""
        self._finish()
        return self._repeated

    def _finish(self) -> None:
        if not self._own:
            return
        key = int.from_bytes(self._hash.digest(), "big")
        if key in self._seen:
            self._repeated += self._own
        self._seen.add(key)
        self._own = []


class ByShare(NamedTuple):
    """One of the two sets that a share of all texts makes: equal texts are in the same one."""

    seed: int
    share: float  # of the texts that are held out
    held_out: bool  # True for these, False for the others

    def leaves_out(self, key: int) -> bool:
        """Return True if a text is of the other set."""
        return (seed_for(self.seed, "heldout", key) < self.share * 2.0**64) != self.held_out

    def identity(self) -> Dict[str, object]:
        """Name all that decides the set, for a build's dataset.json."""
        return {"share": self.share, "held_out": self.held_out}


class NotIn(NamedTuple):
    """All texts but these."""

    texts: FrozenSet[int]

    def leaves_out(self, key: int) -> bool:
        """Return True if a text is one of them."""
        return key in self.texts

    def identity(self) -> Dict[str, object]:
        """Name all that decides the set, for a build's dataset.json."""
        keys = ",".join(map(str, sorted(self.texts)))
        return {"not_in_sha256": hashlib.sha256(keys.encode()).hexdigest()}


Part = Union[ByShare, NotIn]
KEPT, OTHER_SET, DUPLICATE = "kept", "of the other set", "duplicate"


class DocumentChoice:
    """The documents of one set, counted; without those whose text was seen before, if they are not
    wanted.
    """

    def __init__(self, part: Part, drop_duplicates: bool) -> None:
        self.counts: Dict[str, int] = Counter()  # documents by their fate
        self._part = part
        self._drop_duplicates = drop_duplicates
        self._seen: Set[int] = set()

    def __contains__(self, key: object) -> bool:
        return self._fate(key) != KEPT

    def add(self, key: int) -> None:
        """Count a document."""
        self.counts[self._fate(key)] += 1
        if self._drop_duplicates:
            self._seen.add(key)

    def _fate(self, key: object) -> str:
        assert isinstance(key, int)
        if self._part.leaves_out(key):
            return OTHER_SET
        return DUPLICATE if key in self._seen else KEPT


class CountedTexts(Set[int]):
    """The texts of documents, and how many documents there were."""

    documents = 0

    def add(self, key: int) -> None:
        """Add the text of a document."""
        self.documents += 1
        super().add(key)
