"""A segmented corpus, the output of `segment`, as the input of a build: the documents of the text,
in the same blocks, with their words.

Its words.json holds the settings and the identity of the segmenter, so the segmenter itself is not
needed; for each file the bytes of its blocks, one after another; for each file of the text its
parts, each with the number of its block, counted over all files.
"""

import io
import json
import os
from typing import Any, Dict, Iterator, NamedTuple, Optional, Sequence, Tuple

from data_gen.corpus.blocks import InputFile, SegmentedRange
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.input_kinds import SegmentedInput
from data_gen.corpus.segmented.file import AGAIN, FORMAT_KEY, MANIFEST, is_manifest
from data_gen.shared.errors import UserError
from data_gen.storage.errors import reading
from data_gen.storage.reading import open_as_is

# Bumped with every change of the files, and of how text is cut into blocks, documents and sentences
# (blocks.py, scan.py, forms, sentences.py).
FORMAT = 3


class SegmentedCorpus(NamedTuple):
    """The content of words.json."""

    folder: str
    corpus: CorpusConfig  # what was done to the text
    segmenter: Dict[str, Any]  # the settings of the segmenter
    kind: SegmentedInput
    files: Tuple[InputFile[SegmentedRange], ...]  # of the text
    text: Dict[str, int]  # counts of how it was read
    manifest: Dict[str, Any]


def find(inputs: Sequence[str]) -> Optional[str]:
    """Return the segmented corpus that is given as input, if one is.

    Raises UserError if there is other input beside it.
    """
    for folder in inputs:
        if not is_manifest(os.path.join(folder, MANIFEST)):
            continue
        if len(inputs) > 1:
            raise UserError(
                f"{folder} is a segmented corpus, which must be the only input: segment all of the "
                "text into one folder and give that"
            )
        return folder
    return None


def read(folder: str) -> SegmentedCorpus:
    """Read words.json. Raises UserError if it is damaged or of another format."""
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
        raise damaged(folder, error) from error


def damaged(folder: str, error: Exception) -> UserError:
    """Return the error for a words.json whose content cannot be used."""
    path = os.path.join(folder, MANIFEST)
    return UserError(f"{path} is damaged ({type(error).__name__}: {error}): {AGAIN}")


def _described(folder: str, manifest: Dict[str, Any]) -> SegmentedCorpus:
    blocks = list(_blocks(folder, manifest["word_files"]))
    settings = manifest["config"]
    return SegmentedCorpus(
        folder=folder,
        corpus=CorpusConfig(**settings["corpus"]),
        segmenter=dict(settings["segmenter"]),
        kind=SegmentedInput(manifest["segmenter"], manifest["opencc"]),
        files=tuple(_input_file(file, blocks) for file in manifest["input"]),
        text=dict(manifest["text"]),
        manifest=manifest,
    )


def _input_file(
    file: Dict[str, Any], blocks: Sequence[Tuple[str, int, int]]
) -> InputFile[SegmentedRange]:
    parts = []
    for part in file["parts"]:
        path, offset, size = blocks[part["block"]]
        parts.append(
            SegmentedRange(
                path=path,
                name=file["name"],
                size=part["text_bytes"],
                first=part["first"],
                dropped=tuple(part["dropped"]),
                documents=part["documents"],
                block_offset=offset,
                block_bytes=size,
            )
        )
    return InputFile(file["name"], file["sha256"], tuple(parts))


def _blocks(folder: str, files: Sequence[Dict[str, Any]]) -> Iterator[Tuple[str, int, int]]:
    """Yield (path, offset, bytes) of every block."""
    for file in files:
        offset = 0
        for size in file["blocks"]:
            yield os.path.join(folder, file["name"]), offset, size
            offset += size


def require_whole(words: SegmentedCorpus) -> None:
    """Raise UserError if a file is missing or of another size."""
    for file in words.manifest["word_files"]:
        path = os.path.join(words.folder, file["name"])
        with open_as_is(path) as handle, reading(path):
            size = handle.seek(0, io.SEEK_END)
        said = sum(file["blocks"])
        if size != said:
            raise UserError(f"{path} has {size:,} bytes where {MANIFEST} says {said:,}: {AGAIN}")
