"""The files that a command reads: found by patterns, and scanned, by all workers where there is
much of them.
"""

import os
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from data_gen import storage, word_file
from data_gen.config import CorpusConfig
from data_gen.corpus import InputFile, scan
from data_gen.engine import Engine
from data_gen.progress import Show
from data_gen.settings import UserError

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


def find_inputs(patterns: Sequence[str], exclude: Optional[str] = None) -> List[Tuple[str, str]]:
    """Expand files, folders, globs and URLs of them to (path, name) pairs, sorted by name.

    Names are as `storage.relative_names` says, without a compression suffix. Hidden files and what
    lies in the folder `exclude` (the output) are passed over. Raises UserError for a pattern that
    matches nothing and for what is no file.
    """
    paths: Set[str] = set()
    for pattern in patterns:
        files = storage.list_files(pattern)
        found = {path for path in files if not storage.within(path, exclude)}
        word_file.require_no_words(found)
        if not found:
            raise UserError(
                f"no input matches {pattern}: give text files, folders of them or globs in quotes"
            )
        paths |= found
    named: Dict[str, str] = {}
    for path, relative in sorted(storage.relative_names(paths).items()):
        # A name in another encoding (GBK, in archives) stays one name.
        unpacked = os.fsencode(storage.without_packing(relative))
        name = unpacked.decode("utf-8", "backslashreplace")
        if name in named:
            raise UserError(
                f"{named[name]} and {path} are the same text twice by their names: give one of them"
            )
        named[name] = path
    return [(path, name) for name, path in sorted(named.items())]


def scan_inputs(
    patterns: Sequence[str],
    config: CorpusConfig,
    exclude: Optional[str],
    engine: Engine,
    show: Show,
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
    return any(map(storage.is_url, paths)) or storage.local_bytes(paths, _MUCH) == _MUCH
