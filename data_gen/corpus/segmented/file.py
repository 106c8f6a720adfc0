"""Files of a segmented corpus: one gzip member for each block of the input, so that `zcat` shows
all blocks and each can be read alone.
"""

import gzip
import os
import zlib
from typing import IO, Iterable, List, Sequence

from data_gen.core.documents import Document, attach_boundaries
from data_gen.corpus.segmented.text import decode, encode
from data_gen.shared.errors import UserError
from data_gen.storage.errors import reading
from data_gen.storage.reading import is_file, open_as_is

SUFFIX = ".words.gz"
MANIFEST = "words.json"  # beside the files, written last
FORMAT_KEY = "word_format"  # stands first in it, so that no other words.json is taken for one
AGAIN = "copy the whole folder again, or run `python -m data_gen segment` into a new one"

_LEVEL = 6  # gzip's own default
_GZIP = 31  # zlib's wbits for it


def pack(documents: Sequence[Document]) -> bytes:
    """Return documents that have their words as the bytes of a block."""
    return gzip.compress(encode(documents), _LEVEL, mtime=0)


def read(
    handle: IO[bytes], path: str, offset: int, size: int, ids: Sequence[str]
) -> List[Document]:
    """Read the documents of a block, whose ids are `ids`.

    Raises UserError if the bytes are no block, or the block of other documents.
    """
    with reading(path):
        handle.seek(offset)
        packed = handle.read(size)
    try:
        texts, marks = decode(zlib.decompress(packed, _GZIP))
        if len(texts) != len(ids):
            raise ValueError(f"it holds {len(texts):,} documents for {len(ids):,}")
    except (zlib.error, ValueError) as error:
        raise UserError(f"{path} is damaged ({error}): {AGAIN}") from error
    return attach_boundaries([Document(*named) for named in zip(ids, texts)], marks)


def is_manifest(path: str) -> bool:
    """True if `path` is the words.json of a segmented corpus."""
    if not is_file(path):
        return False
    with open_as_is(path) as handle, reading(path):
        return FORMAT_KEY.encode() in handle.read(32)


def require_no_words(paths: Iterable[str]) -> None:
    """Raise UserError if a file of a segmented corpus was given as plain text."""
    for path in paths:
        folder, name = os.path.split(path)
        # Not at the end of the names of those that a crash left half-written.
        if SUFFIX not in name and not (name == MANIFEST and is_manifest(path)):
            continue
        if not is_file(os.path.join(folder, MANIFEST)):
            raise UserError(
                f"{folder} holds words but no {MANIFEST}, so they are not all there: run "
                "`python -m data_gen segment` to its end, or copy the whole folder"
            )
        raise UserError(
            f"{path} is part of a segmented corpus, not text: `build`, `bench` and `synonyms` take "
            f"{folder} as their only input; everything else takes the text itself"
        )
