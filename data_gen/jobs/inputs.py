"""The input of a command: its kind and settings, resolved once, then its files, scanned by all
workers where there is much text.
"""

import dataclasses
import json
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.config import DataConfig
from data_gen.core.progress import Amount, Progress
from data_gen.corpus.blocks import TextFile
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.duplicates import KEPT, OTHER_SET, DocumentChoice, Part, SeenTexts
from data_gen.corpus.find_files import find_inputs
from data_gen.corpus.input_kinds import Chosen, Corpus, InputKind, TextInput
from data_gen.corpus.normalize import normalizer
from data_gen.corpus.scan import scan
from data_gen.corpus.segmented_folder import SegmentedCorpus, damaged, find, read, require_whole
from data_gen.engine.processes import Engine
from data_gen.segmentation.segmenters import SegmenterConfig
from data_gen.shared.errors import UserError
from data_gen.storage.locations import is_url, local_bytes

# Bytes of several files from which on all workers scan: a third of a second of work for one.
PARALLEL_BYTES = 64 << 20
SCAN_TASKS = 256


class Inputs(NamedTuple):
    """The input of a command, and the settings that apply to it; no text is read yet."""

    patterns: Tuple[str, ...]
    config: DataConfig  # for a segmented corpus, with its own `corpus` and `segmenter`
    kind: InputKind
    segmented: Optional[SegmentedCorpus] = None
    replaced: Tuple[str, ...] = ()  # key=value that the segmented corpus has instead of config's
    part: Optional[Part] = None  # the documents of text files that are taken; None: all


class ScanTask(NamedTuple):
    """Neighbouring files, each with its path and name."""

    number: int
    files: Tuple[Tuple[str, str], ...]
    config: CorpusConfig


class Scanned(NamedTuple):
    """The result of a `ScanTask`."""

    number: int
    files: List[TextFile]
    bytes: int  # of text


def resolve_inputs(
    config: DataConfig, patterns: Sequence[str], overrides: Sequence[str] = ()
) -> Inputs:
    """Tell text files from a segmented corpus, whose own settings replace those of `config`.

    Raises UserError if one of `overrides`, as `--set` takes them, contradicts the segmented corpus.
    """
    folder = find(patterns)
    if folder is None:
        return Inputs(tuple(patterns), config, TextInput(config.corpus))
    corpus = read(folder)
    try:
        segmenter = SegmenterConfig(**corpus.segmenter)
    except (ValueError, TypeError) as error:
        raise damaged(folder, error) from error
    stored = dataclasses.replace(config, corpus=corpus.corpus, segmenter=segmenter)
    other = _differences(config, stored)
    for text in overrides:
        key = text.split("=")[0]
        for name, value in other.items():
            if name == key or name.startswith(f"{key}."):
                raise UserError(
                    f"--set {text} contradicts {folder}, whose words were made with {name}="
                    f"{value}: leave it out, or give the text itself"
                )
    replaced = tuple(f"{name}={value}" for name, value in other.items())
    return Inputs(tuple(patterns), stored, corpus.kind, corpus, replaced)


def _differences(requested: DataConfig, stored: DataConfig) -> Dict[str, str]:
    """Return the settings of `stored` that make other words than those of `requested`."""
    found = {}
    for group in ("corpus", "segmenter"):
        other = dataclasses.asdict(getattr(requested, group))
        for name, value in dataclasses.asdict(getattr(stored, group)).items():
            if value != other[name] and name not in ("device", "batch_size"):
                text = value if isinstance(value, str) else json.dumps(value)
                found[f"{group}.{name}"] = text
    return found


def scan_inputs(inputs: Inputs, exclude: Optional[str], engine: Engine, show: Progress) -> Corpus:
    """Find the files of an input and their parts. Those of a segmented corpus need no scan.

    Raises UserError as `scan_text_files` does, and if a file of a segmented corpus is missing or
    another.
    """
    if inputs.segmented is not None:
        require_whole(inputs.segmented)
        return Corpus(inputs.kind, inputs.segmented.files, {})
    settings = inputs.config.corpus
    normalizer(settings.normalize)  # finds mistakes before any work
    if inputs.part is None:
        files = scan_text_files(inputs.patterns, settings, exclude, engine, show)
        return Corpus(inputs.kind, tuple(files), {})
    choice = DocumentChoice(inputs.part, settings.drop_duplicates)
    files = scan_text_files(inputs.patterns, settings, exclude, engine, show, seen=choice)
    counts = {f"skipped/{why}": choice.counts[why] for why in ("duplicate", OTHER_SET)}
    chosen = Chosen(inputs.part.identity(), choice.counts[KEPT], choice.counts[OTHER_SET])
    return Corpus(inputs.kind, tuple(files), counts, chosen)


def scan_text_files(
    patterns: Sequence[str],
    config: CorpusConfig,
    exclude: Optional[str],
    engine: Engine,
    show: Progress,
    parallel_bytes: int = PARALLEL_BYTES,
    most_tasks: int = SCAN_TASKS,
    seen: Optional[SeenTexts] = None,
) -> List[TextFile]:
    """Find and scan the input files, in the order of their names: of equal documents, where they
    are dropped, the first is kept.

    seen: the texts that are not wanted; default: none, or those seen before, as `config` says
    Raises UserError as `find_inputs` and `scan` do, and if there is no text at all.
    """
    named = find_inputs(patterns, exclude)
    if seen is None and config.drop_duplicates:
        seen = set()
    if seen is not None or not _is_much([path for path, _ in named], parallel_bytes):
        scans = (scan(path, name, config, seen) for path, name in named)
        files = list(show("scan", len(named), scans, lambda file: Amount(bytes=file.size)))
    else:
        size = -(-len(named) // most_tasks)
        starts = range(0, len(named), size)
        tasks = [ScanTask(i, tuple(named[i : i + size]), config) for i in starts]
        results = engine.run(run_scan_task, tasks)
        scanned = sorted(show("scan", len(tasks), results, _text_bytes), key=lambda one: one.number)
        files = [file for one in scanned for file in one.files]
    if not any(file.parts for file in files):
        raise UserError(f"there is no text in {', '.join(patterns)}: empty or blank")
    return files


def run_scan_task(task: ScanTask) -> Scanned:
    """Scan the files of a task."""
    files = [scan(path, name, task.config) for path, name in task.files]
    return Scanned(task.number, files, sum(file.size for file in files))


def _text_bytes(scanned: Scanned) -> Amount:
    return Amount(bytes=scanned.bytes)


def _is_much(paths: Sequence[str], parallel_bytes: int) -> bool:
    """True if there is more to scan than the workers' start is worth. Files behind URLs are slow to
    read.
    """
    if len(paths) < 2:
        return False
    return any(map(is_url, paths)) or local_bytes(paths, parallel_bytes) == parallel_bytes
