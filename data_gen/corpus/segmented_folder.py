"""A folder of words, made by `segment`, as the input of a build: the documents of the text, in the
same blocks, and their words.

Its words.json says what made them, so that nothing of it is needed; of each file of words the bytes
of its blocks, one after another; of each file of the text its parts, each with the number of its
block, counted over all files.
"""

import io
import json
import os
from typing import Any, Dict, Iterator, NamedTuple, Optional, Sequence, Tuple

from data_gen.corpus.blocks import DocumentRange, InputFile
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.segmented_file import AGAIN, FORMAT_KEY, MANIFEST, is_manifest
from data_gen.segmentation.segmenters import StoredWords
from data_gen.shared.errors import UserError
from data_gen.storage.errors import reading
from data_gen.storage.reading import open_as_is

# Bumped with every change of the files, and of how corpus.py cuts text into blocks, documents and
# sentences.
FORMAT = 2


class SegmentedCorpus(NamedTuple):
    """What words.json says."""

    folder: str
    corpus: CorpusConfig  # what was done to the text
    segmenter: StoredWords
    files: Tuple[InputFile, ...]  # of the text; their parts are those of the files of words
    manifest: Dict[str, Any]


def find(inputs: Sequence[str]) -> Optional[str]:
    """The folder of words that is given as input, if one is.

    Raises UserError where there is more input than that.
    """
    for folder in inputs:
        if not is_manifest(os.path.join(folder, MANIFEST)):
            continue
        if len(inputs) > 1:
            raise UserError(
                f"{folder} holds words, which are no input beside others: segment all of the text "
                "into one folder and give that"
            )
        return folder
    return None


def read(folder: str) -> SegmentedCorpus:
    """Read words.json. Raises UserError where it is damaged or of another format."""
    path = os.path.join(folder, MANIFEST)
    with open_as_is(path) as handle, reading(path):
        data = handle.read()
    try:
        manifest = json.loads(data)
        if manifest[FORMAT_KEY] != FORMAT:
            raise UserError(
                f"{folder} is of word format {manifest[FORMAT_KEY]}, this code reads {FORMAT}: "
                "segment the text again"
            )
        return _described(folder, manifest)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UserError(f"{path} is damaged ({type(error).__name__}: {error}): {AGAIN}") from error


def _described(folder: str, manifest: Dict[str, Any]) -> SegmentedCorpus:
    blocks = list(_blocks(folder, manifest["word_files"]))
    environment = manifest["config"]
    segmenter = StoredWords(
        **environment["segmenter"], identity=manifest["segmenter"], opencc=manifest["opencc"]
    )
    files = []
    for file in manifest["input"]:
        parts = [
            DocumentRange(
                path,
                file["name"],
                offset,
                part["text_bytes"],
                part["first"],
                tuple(part["dropped"]),
                packed,
                part["documents"],
            )
            for part in file["parts"]
            for path, offset, packed in [blocks[part["block"]]]
        ]
        files.append(InputFile(file["name"], file["sha256"], tuple(parts)))
    return SegmentedCorpus(
        folder, CorpusConfig(**environment["corpus"]), segmenter, tuple(files), manifest
    )


def _blocks(folder: str, files: Sequence[Dict[str, Any]]) -> Iterator[Tuple[str, int, int]]:
    """(file, offset, bytes) of every block."""
    for file in files:
        offset = 0
        for size in file["blocks"]:
            yield os.path.join(folder, file["name"]), offset, size
            offset += size


def require_whole(words: SegmentedCorpus) -> None:
    """Raise UserError where a file of words is missing or of another size."""
    for file in words.manifest["word_files"]:
        path = os.path.join(words.folder, file["name"])
        with open_as_is(path) as handle, reading(path):
            size = handle.seek(0, io.SEEK_END)
        said = sum(file["blocks"])
        if size != said:
            raise UserError(f"{path} has {size:,} bytes where {MANIFEST} says {said:,}: {AGAIN}")
