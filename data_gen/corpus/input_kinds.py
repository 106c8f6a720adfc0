"""The kinds of input: text files, and segmented corpora, which hold their words.

A kind is a small value that travels with every task: it says how blocks are read, and whose words
the documents have.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from data_gen.core.documents import Document
from data_gen.core.script_conversion import opencc_version
from data_gen.corpus.blocks import Block, InputFile
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.normalize import uses_opencc
from data_gen.corpus.read import read_blocks, read_segmented_blocks


@dataclass(frozen=True)
class TextInput:
    """Text files. Their documents are segmented by the engine of the settings."""

    corpus: CorpusConfig
    stored_words: ClassVar[Optional[str]] = None

    @property
    def opencc(self) -> Optional[str]:
        """Return the version of OpenCC that converts the text, if one does.

        Raises UserError if it is missing.
        """
        return opencc_version() if uses_opencc(self.corpus.normalize) else None

    def read(self, blocks: Sequence[Block]) -> Iterator[List[Document]]:
        """Yield the documents of each block, in order."""
        return read_blocks(blocks, self.corpus)


@dataclass(frozen=True)
class SegmentedInput:
    """A segmented corpus. Its documents have their words, so no engine is loaded."""

    stored_words: str  # the identity of the segmenter that made them
    opencc: Optional[str]  # the version of OpenCC that converted the text, if one did

    def read(self, blocks: Sequence[Block]) -> Iterator[List[Document]]:
        """Yield the documents of each block, in order."""
        return read_segmented_blocks(blocks)


InputKind = Union[TextInput, SegmentedInput]


class Chosen(NamedTuple):
    """The documents of an input that are taken."""

    identity: Dict[str, object]  # all that decides which ones
    documents: int
    left_out: int  # documents of the other set


class Corpus(NamedTuple):
    """The files of an input, in parts, their kind, and counts of how they were read."""

    kind: InputKind
    files: Tuple[InputFile[Any], ...]
    counts: Dict[str, int]  # names as in `counting`
    # Where not all documents are taken: which ones, and how many.
    chosen: Optional[Chosen] = None
