"""The files that a command reads: found by patterns, and scanned, by all workers where there is
much of them.
"""

import dataclasses
import json
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from data_gen.config import DataConfig
from data_gen.core.progress import Progress, say
from data_gen.corpus.blocks import InputFile
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.find_files import find_inputs
from data_gen.corpus.normalize import normalizer
from data_gen.corpus.scan import scan
from data_gen.corpus.segmented_folder import SegmentedCorpus, find, read, require_whole
from data_gen.engine.processes import Engine
from data_gen.segmentation.segmenters import StoredWords, segmenter_settings
from data_gen.shared.errors import UserError
from data_gen.storage.locations import is_url, local_bytes

# Bytes of several files from which on all workers scan: a third of a second of work for one.
_MUCH = 64 << 20
_TASKS = 256


class ScanTask(NamedTuple):
    """Neighbouring files, each with its path and name."""

    number: int
    files: Tuple[Tuple[str, str], ...]
    config: CorpusConfig


class Scanned(NamedTuple):
    """What a task found."""

    number: int
    files: List[InputFile]
    bytes: int  # of text


def scan_text_files(
    patterns: Sequence[str],
    config: CorpusConfig,
    exclude: Optional[str],
    engine: Engine,
    show: Progress,
) -> List[InputFile]:
    """Find and scan the input files, in the order of their names: of equal documents, where they
    are dropped, the first is kept.

    Raises UserError as `find_inputs` and `corpus.scan` do, and where there is no text at all.
    """
    named = find_inputs(patterns, exclude)
    if config.drop_duplicates or not _is_much([path for path, _ in named]):
        texts: Set[int] = set()
        seen = texts if config.drop_duplicates else None
        scans = (scan(path, name, config, seen) for path, name in named)
        files = list(show("scan", len(named), scans))
    else:
        size = -(-len(named) // _TASKS)
        starts = range(0, len(named), size)
        tasks = [ScanTask(i, tuple(named[i : i + size]), config) for i in starts]
        scanned = sorted(show("scan", len(tasks), engine.run(run_scan_task, tasks)))
        files = [file for one in scanned for file in one.files]
    if not any(file.parts for file in files):
        raise UserError(f"there is no text in {', '.join(patterns)}: empty or blank")
    return files


def run_scan_task(task: ScanTask) -> Scanned:
    """Scan the files of a task."""
    files = [scan(path, name, task.config) for path, name in task.files]
    return Scanned(task.number, files, sum(file.size for file in files))


def _is_much(paths: Sequence[str]) -> bool:
    """Whether there is more to scan than the workers' start is worth. What lies behind a URL is
    slow to read.
    """
    if len(paths) < 2:
        return False
    return any(map(is_url, paths)) or local_bytes(paths, _MUCH) == _MUCH


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
    say(f"{folder}: words of {words.segmenter.identity}{instead}")
    return dataclasses.replace(config, corpus=words.corpus, segmenter=words.segmenter)


def _differences(config: DataConfig, words: SegmentedCorpus) -> Dict[str, str]:
    """The settings that the words were made with, where `config` has others that would make
    others.
    """
    groups = {
        "corpus": (dataclasses.asdict(words.corpus), dataclasses.asdict(config.corpus)),
        "segmenter": (segmenter_settings(words.segmenter), segmenter_settings(config.segmenter)),
    }
    return {
        f"{group}.{name}": value if isinstance(value, str) else json.dumps(value)
        for group, (stored, requested) in groups.items()
        for name, value in stored.items()
        if value != requested[name] and name not in ("device", "batch_size")
    }


def scan_inputs(
    inputs: Sequence[str],
    config: DataConfig,
    exclude: Optional[str],
    engine: Engine,
    show: Progress,
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
    normalizer(config.corpus.normalize)
    return scan_text_files(inputs, config.corpus, exclude, engine, show)
