"""A folder of words, made by `segment`, as the input of a build: the documents of the text, in the
same blocks, and their words.

Its words.json says what made them, so that nothing of it is needed; of each file of words the bytes
of its blocks, one after another; of each file of the text its parts, each with the number of its
block, counted over all files.
"""

import dataclasses
import io
import json
import os
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen import storage, text_files
from data_gen.config import CorpusConfig, DataConfig
from data_gen.corpus import InputFile, Part
from data_gen.engine import Engine
from data_gen.normalise import normaliser
from data_gen.progress import Show, tell
from data_gen.segment import StoredWords, segmenter_settings
from data_gen.settings import UserError
from data_gen.word_file import AGAIN, FORMAT_KEY, MANIFEST, is_manifest

# Bumped with every change of the files, and of how corpus.py cuts text into blocks, documents and
# sentences.
FORMAT = 1


class WordFolder(NamedTuple):
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


def read(folder: str) -> WordFolder:
    """Read words.json. Raises UserError where it is damaged or of another format."""
    path = os.path.join(folder, MANIFEST)
    with storage.open_as_is(path) as handle, storage.reading(path):
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


def _described(folder: str, manifest: Dict[str, Any]) -> WordFolder:
    blocks = list(_blocks(folder, manifest["word_files"]))
    made_with = manifest["config"]
    segmenter = StoredWords(
        **made_with["segmenter"], identity=manifest["segmenter"], opencc=manifest["opencc"]
    )
    files = []
    for file in manifest["input"]:
        parts = [
            Part(
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
    return WordFolder(
        folder, CorpusConfig(**made_with["corpus"]), segmenter, tuple(files), manifest
    )


def _blocks(folder: str, files: Sequence[Dict[str, Any]]) -> Iterator[Tuple[str, int, int]]:
    """(file, offset, bytes) of every block."""
    for file in files:
        offset = 0
        for size in file["blocks"]:
            yield os.path.join(folder, file["name"]), offset, size
            offset += size


def settle(config: DataConfig, inputs: Sequence[str], overrides: Sequence[str] = ()) -> DataConfig:
    """The settings for work on `inputs`: where they are a folder of words, what concerns text and
    segmenter is the folder's.

    Raises UserError where one of `overrides`, as `--set` takes them, says otherwise.
    """
    folder = find(inputs)
    if folder is None or isinstance(config.segmenter, StoredWords):
        return config
    words = read(folder)
    other = _differences(config, words)
    for text in overrides:
        key = text.split("=")[0]
        for name, value in other.items():
            if name == key or name.startswith(f"{key}."):
                raise UserError(
                    f"--set {text} contradicts {folder}, whose words were made with {name}="
                    f"{value}: leave it out, or give the text itself"
                )
    instead = "".join(f", {name}={value}" for name, value in other.items())
    tell(f"{folder}: words of {words.segmenter.identity}{instead}")
    return dataclasses.replace(config, corpus=words.corpus, segmenter=words.segmenter)


def _differences(config: DataConfig, words: WordFolder) -> Dict[str, str]:
    """The settings that the words were made with, where `config` has others that would make
    others.
    """
    groups = {
        "corpus": (dataclasses.asdict(words.corpus), dataclasses.asdict(config.corpus)),
        "segmenter": (segmenter_settings(words.segmenter), segmenter_settings(config.segmenter)),
    }
    return {
        f"{group}.{name}": value if isinstance(value, str) else json.dumps(value)
        for group, (stored, told) in groups.items()
        for name, value in stored.items()
        if value != told[name] and name not in ("device", "batch_size")
    }


def scan_inputs(
    inputs: Sequence[str], config: DataConfig, exclude: Optional[str], engine: Engine, show: Show
) -> List[InputFile]:
    """The input files for settled settings. Those of a folder of words are there without a scan.

    Raises UserError as `text_files.scan_inputs` does, and where a file of words is missing or
    another.
    """
    folder = find(inputs)
    if folder is not None:
        words = read(folder)
        require_whole(words)
        return list(words.files)
    normaliser(config.corpus.width, config.corpus.quotes, config.corpus.opencc)
    return text_files.scan_inputs(inputs, config.corpus, exclude, engine, show)


def require_whole(words: WordFolder) -> None:
    """Raise UserError where a file of words is missing or of another size."""
    for file in words.manifest["word_files"]:
        path = os.path.join(words.folder, file["name"])
        with storage.open_as_is(path) as handle, storage.reading(path):
            size = handle.seek(0, io.SEEK_END)
        said = sum(file["blocks"])
        if size != said:
            raise UserError(f"{path} has {size:,} bytes where {MANIFEST} says {said:,}: {AGAIN}")
