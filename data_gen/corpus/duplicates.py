"""Find documents whose text has been seen before: for `corpus.drop_duplicates`."""

import hashlib
from typing import List, Set


class DuplicateFinder:
    """A finder of documents whose text, line by line without outer whitespace, was seen before.

    A text is remembered as 64 bits of its blake2b hash, 75 to 100 bytes of memory a document. Among
    n documents one is taken for another with a probability of n * n / 2**65: 3 in a million for
    10 million of them.
    """

    def __init__(self, seen: Set[int]) -> None:
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
        self._hash.update(text.encode() + b"\n")
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
