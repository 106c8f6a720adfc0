"""The input of a command: its kind and settings, resolved once, then its files, scanned by all
workers where there is much text.
"""

import dataclasses
import json
from collections import Counter
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.config import DataConfig
from data_gen.core.progress import Amount, Progress, note
from data_gen.corpus.blocks import TextFile
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.detection.resolve import EncodingError, Undecoded
from data_gen.corpus.duplicates import (
    DUPLICATE,
    KEPT,
    OTHER_SET,
    DocumentChoice,
    Part,
    SeenTexts,
)
from data_gen.corpus.find_files import FoundFile, find_inputs
from data_gen.corpus.input_kinds import Chosen, Corpus, InputKind, TextInput
from data_gen.corpus.normalize import normalizer
from data_gen.corpus.scan import SkippedFile, scan_if_text
from data_gen.corpus.segmented.folder import SegmentedCorpus, damaged, find, read, require_whole
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
    """Neighbouring files."""

    number: int
    files: Tuple[FoundFile, ...]
    config: CorpusConfig


class Scanned(NamedTuple):
    """The result of a `ScanTask`."""

    number: int
    files: List[TextFile]
    skipped: List[SkippedFile]
    undecoded: List[Undecoded]

    @property
    def bytes(self) -> int:
        """The bytes of text."""
        return sum(file.size for file in self.files)


class TextFiles(NamedTuple):
    """The text files of an input, by name, and the files that were found among them."""

    files: List[TextFile]
    skipped: List[SkippedFile]

    def counts(self) -> Dict[str, int]:
        """Count how they were read, by the names of `counting`."""
        found = Counter(f"files/{file.form}" for file in self.files)
        found.update(f"skipped_files/{file.kind}" for file in self.skipped)
        for file in self.files:
            found.update(file.counts._asdict())
        return {name: count for name, count in sorted(found.items()) if count}


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
        return Corpus(inputs.kind, inputs.segmented.files, inputs.segmented.text)
    settings = inputs.config.corpus
    normalizer(settings.normalize)  # finds mistakes before any work
    if inputs.part is None:
        found = scan_text_files(inputs.patterns, settings, exclude, engine, show)
        return Corpus(inputs.kind, tuple(found.files), found.counts())
    choice = DocumentChoice(inputs.part, settings.drop_duplicates)
    found = scan_text_files(inputs.patterns, settings, exclude, engine, show, seen=choice)
    left_out = {f"skipped/{why}": choice.counts[why] for why in (DUPLICATE, OTHER_SET)}
    chosen = Chosen(inputs.part.identity(), choice.counts[KEPT], choice.counts[OTHER_SET])
    return Corpus(inputs.kind, tuple(found.files), {**found.counts(), **left_out}, chosen)


def scan_text_files(
    patterns: Sequence[str],
    config: CorpusConfig,
    exclude: Optional[str],
    engine: Engine,
    show: Progress,
    parallel_bytes: int = PARALLEL_BYTES,
    most_tasks: int = SCAN_TASKS,
    seen: Optional[SeenTexts] = None,
) -> TextFiles:
    """Find and scan the input files, in the order of their names: of equal documents, where they
    are dropped, the first is kept. Say which files were skipped.

    seen: the texts that are not wanted; default: none, or those seen before, as `config` says
    Raises UserError as `find_inputs` and `scan` do, and if there is no text at all. All files that
    are of another encoding are named at once.
    """
    named = find_inputs(patterns, exclude)
    if seen is None and config.drop_duplicates:
        seen = set()
    if seen is not None or not _is_much([file.path for file in named], parallel_bytes):
        tasks = [ScanTask(i, (file,), config) for i, file in enumerate(named)]
        results: Iterator[Scanned] = (run_scan_task(task, seen) for task in tasks)
    else:
        size = -(-len(named) // most_tasks)
        starts = range(0, len(named), size)
        tasks = [ScanTask(i, tuple(named[i : i + size]), config) for i in starts]
        results = engine.run(run_scan_task, tasks)
    scanned = sorted(show("scan", len(tasks), results, _text_bytes), key=lambda one: one.number)
    undecoded = [file for one in scanned for file in one.undecoded]
    if undecoded:
        raise EncodingError(undecoded)
    found = TextFiles(
        [file for one in scanned for file in one.files],
        [file for one in scanned for file in one.skipped],
    )
    if not any(file.parts for file in found.files):
        nothing = _skipped(found.skipped)
        why = f"nothing but {nothing}" if nothing else "empty or blank"
        raise UserError(f"there is no text in {', '.join(patterns)}: {why}")
    _say(found, show)
    return found


def _say(found: TextFiles, show: Progress) -> None:
    """Tell what was skipped, and what looks wrong."""
    if found.skipped:
        note(show, f"skipped: {_skipped(found.skipped)}")
    wrapped = [file for file in found.files if file.width]
    if wrapped:
        note(show, _warning(wrapped))


def _warning(wrapped: Sequence[TextFile]) -> str:
    """Say which files look hard-wrapped, and what to do."""
    more = f" and {len(wrapped) - 1:,} more" if len(wrapped) > 1 else ""
    verb = "look" if more else "looks"
    return (
        f"warning: {wrapped[0].name}{more} {verb} hard-wrapped at {wrapped[0].width} columns, and "
        "each line is taken for a sentence: set corpus.lines=wrapped to join them, or "
        "corpus.lines=paragraph if they are whole"
    )


def _skipped(files: Sequence[SkippedFile]) -> str:
    """Describe skipped files, by kind, with the name of the first of each."""
    kinds: Dict[str, List[str]] = {}
    for file in files:
        kinds.setdefault(file.kind, []).append(file.name)
    parts = []
    for kind, names in sorted(kinds.items()):
        more = ", ..." if len(names) > 1 else ""
        parts.append(f"{len(names):,} x {kind} ({names[0]}{more})")
    return "; ".join(parts)


def run_scan_task(task: ScanTask, seen: Optional[SeenTexts] = None) -> Scanned:
    """Scan the files of a task."""
    scanned = Scanned(task.number, [], [], [])
    for path, name, named in task.files:
        try:
            file = scan_if_text(path, name, task.config, named, seen)
        except EncodingError as error:
            scanned.undecoded.extend(error.files)
            continue
        if isinstance(file, SkippedFile):
            scanned.skipped.append(file)
        else:
            scanned.files.append(file)
    return scanned


def _text_bytes(scanned: Scanned) -> Amount:
    return Amount(bytes=scanned.bytes)


def _is_much(paths: Sequence[str], parallel_bytes: int) -> bool:
    """True if there is more to scan than the workers' start is worth. Files behind URLs are slow to
    read.
    """
    if len(paths) < 2:
        return False
    return any(map(is_url, paths)) or local_bytes(paths, parallel_bytes) == parallel_bytes
