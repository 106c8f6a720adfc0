"""A segmented corpus, the output of `segment`, as the input of a build: the documents of the text,
in the same blocks, with their words.

Its words.json holds the settings and the identity of the segmenter, so the segmenter itself is not
needed; for each file the bytes of its blocks, one after another; for each file of the text its
parts, each with the number of its block, counted over all files.
"""

import io
import os
from typing import Any, Dict, Iterator, NamedTuple, Optional, Sequence, Tuple

from data_gen.corpus.blocks import InputFile, SegmentedRange
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.input_kinds import SegmentedInput
from data_gen.corpus.segmented.file import AGAIN, FORMAT_KEY, MANIFEST, is_manifest
from data_gen.shared.dataset.dataset_info import check_statistics
from data_gen.shared.errors import UserError
from data_gen.shared.json_text import Fields, read_fields
from data_gen.storage.errors import reading
from data_gen.storage.reading import open_as_is

# Bumped with every change of the files, and of how text is cut into blocks, documents and sentences
# (blocks.py, scan.py, forms, sentences.py).
FORMAT = 3
_MOST = 1 << 50  # bytes, and counts of anything in them


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
    fields = read_fields(path, data, AGAIN)
    form = fields.any(FORMAT_KEY)
    if form != FORMAT:
        raise UserError(
            f"{folder} is of word format {str(form)[:20]}, this code reads {FORMAT}: segment the "
            "text again"
        )
    try:
        return _described(folder, fields)
    except (ValueError, KeyError, TypeError) as error:  # of the settings within
        raise damaged(folder, error) from error


def damaged(folder: str, error: Exception) -> UserError:
    """Return the error for a words.json whose content cannot be used."""
    path = os.path.join(folder, MANIFEST)
    return UserError(f"{path} is damaged ({type(error).__name__}: {error}): {AGAIN}")


def _described(folder: str, fields: Fields) -> SegmentedCorpus:
    blocks = list(_blocks(folder, fields.groups("word_files")))
    settings = fields.group("config")
    fields.sha256("fingerprint")
    check_statistics(fields.group("statistics"))
    return SegmentedCorpus(
        folder=folder,
        corpus=CorpusConfig(**settings.group("corpus").values),
        segmenter=dict(settings.group("segmenter").values),
        kind=SegmentedInput(fields.text("segmenter"), fields.any("opencc")),
        files=tuple(_input_file(file, blocks) for file in fields.groups("input")),
        text=dict(fields.group("text").values),
        manifest=fields.values,
    )


def _input_file(file: Fields, blocks: Sequence[Tuple[str, int, int]]) -> InputFile[SegmentedRange]:
    name = file.text("name")
    parts = []
    for part in file.groups("parts"):
        path, offset, size = blocks[part.whole("block", 0, len(blocks) - 1)]
        parts.append(
            SegmentedRange(
                path=path,
                name=name,
                size=part.whole("text_bytes", 0, _MOST),
                first=part.whole("first", 0, _MOST),
                dropped=tuple(part.wholes("dropped", 0, _MOST)),
                documents=part.whole("documents", 0, _MOST),
                block_offset=offset,
                block_bytes=size,
            )
        )
    return InputFile(name, file.sha256("sha256"), tuple(parts))


def _blocks(folder: str, files: Sequence[Fields]) -> Iterator[Tuple[str, int, int]]:
    """Yield (path, offset, bytes) of every block."""
    for file in files:
        offset = 0
        name = file.file_name("name")
        for size in file.wholes("blocks", 0, _MOST):
            yield os.path.join(folder, name), offset, size
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
