"""Segmentation without a build: `segment` writes a segmented corpus once, for builds of any recipe
anywhere. Its tasks are as pure and idempotent as those of a build, and resumed in the same way.
"""

import dataclasses
import hashlib
import json
import os
from itertools import chain, islice
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from data_gen.config import DataConfig
from data_gen.core.counting import Counts, timed
from data_gen.core.documents import Document, attach_boundaries, is_space
from data_gen.core.progress import Amount, Progress
from data_gen.corpus.blocks import Block, TextFile, task_blocks
from data_gen.corpus.input_kinds import Corpus
from data_gen.corpus.read import read_blocks
from data_gen.corpus.segmented import file as segmented_file
from data_gen.corpus.segmented.file import FORMAT_KEY, MANIFEST, SUFFIX, pack
from data_gen.corpus.segmented.folder import FORMAT, SegmentedCorpus, find, read, require_whole
from data_gen.engine.processes import Engine
from data_gen.engine.tasks import TaskResult, run_once, run_tasks
from data_gen.jobs.inputs import resolve_inputs, scan_inputs
from data_gen.jobs.statistics import text_counts
from data_gen.pipeline.load import load_segmenter_once
from data_gen.segmentation.boundaries import segment_sentences
from data_gen.shared.errors import UserError
from data_gen.storage.output_folder import clean, open_work_folder, output_kind
from data_gen.storage.writing import atomic_file, write_json

COUNTED = ("documents", "sentences", "words", "characters", "misaligned_sentences")


class SegmentTask(NamedTuple):
    """Blocks of text -> one file of a segmented corpus."""

    stem: str  # of the task's manifest
    path: str
    config: DataConfig
    blocks: Tuple[Block, ...]


def segment(
    config: DataConfig, inputs: Sequence[str], output: str, engine: Engine, show: Progress
) -> SegmentedCorpus:
    """Write the segmented corpus of text files into `output`, unless it is there already.

    Raises UserError for input that is missing, unreadable, empty, not UTF-8 or segmented already,
    and if `output` holds another segmented corpus.
    """
    if not output:
        raise UserError("--output is empty: name a folder")
    resolved = resolve_inputs(config, inputs)
    if resolved.segmented:
        raise UserError(f"{resolved.segmented.folder} is a segmented corpus already: give the text")
    load_segmenter_once(config.segmenter)  # finds mistakes before any work is handed out
    corpus = scan_inputs(resolved, output, engine, show)
    identity = _identity(config, corpus)
    fingerprint = _digest(identity)
    if not find([output]):
        groups = list(task_blocks(corpus.files))
        # Files are named by their number, and of a text that is packed otherwise they are others.
        unfinished = _digest({**identity, "blocks": list(map(len, groups))})
        with open_work_folder(output, unfinished, WORDS) as work:
            tasks = list(_tasks(config, groups, output, work))
            manifests = run_tasks("segment", work, tasks, run_segment_task, engine, show)
            described = _described(config, corpus, tasks, manifests)
            head = {FORMAT_KEY: FORMAT, "fingerprint": fingerprint}
            write_json(os.path.join(output, MANIFEST), {**head, **described})
    words = read(output)
    if words.manifest["fingerprint"] != fingerprint:
        raise UserError(
            f"{output} holds another segmented corpus (other settings, input or segmenter): choose "
            "another --output"
        )
    clean(output, WORDS)  # after a crash at the very end
    require_whole(words)
    return words


def _identity(config: DataConfig, corpus: Corpus) -> Dict[str, Any]:
    """Name all that decides the words."""
    return {
        FORMAT_KEY: FORMAT,
        "segmenter": load_segmenter_once(config.segmenter).identity,
        "opencc": corpus.kind.opencc,
        "corpus": dataclasses.asdict(config.corpus),
        "input": [{"name": file.name, "sha256": file.sha256} for file in corpus.files],
    }


def _digest(identity: Dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _tasks(
    config: DataConfig, groups: Sequence[Tuple[Block, ...]], output: str, work: str
) -> Iterator[SegmentTask]:
    for i, blocks in enumerate(groups):
        name = f"part-{i:05d}-of-{len(groups):05d}"
        path = os.path.join(output, name + SUFFIX)
        yield SegmentTask(os.path.join(work, name), path, config, blocks)


def run_segment_task(task: SegmentTask) -> TaskResult:
    """Write a file of the segmented corpus, then its manifest: the bytes of each block, the
    documents of each part, and the counts.
    """
    manifest = run_once(task.stem, lambda: _write(task))
    size = sum(part.size for block in task.blocks for part in block)
    amount = Amount(documents=sum(manifest["documents"]), bytes=size)
    return TaskResult(os.path.basename(task.stem), manifest, amount)


def _write(task: SegmentTask) -> Dict[str, Any]:
    counts = Counts()
    sizes = []
    documents: List[int] = []
    # Part by part, so that each can be counted. A block is segmented at once, as in a build.
    every = [(part,) for block in task.blocks for part in block]
    read = read_blocks(every, task.config.corpus)
    with atomic_file(task.path) as handle:
        for block in task.blocks:
            with timed(counts, "read"):
                parts = list(islice(read, len(block)))
            documents += map(len, parts)
            with timed(counts, "segment"):
                segmented = _segmented(task, list(chain(*parts)), counts)
            with timed(counts, "write"):
                sizes.append(handle.write(pack(segmented)))
    return {"blocks": sizes, "documents": documents, "counts": counts}


def _segmented(task: SegmentTask, documents: Sequence[Document], counts: Counts) -> List[Document]:
    sentences = [sentence for document in documents for sentence in document.sentences]
    marks = segment_sentences(load_segmenter_once(task.config.segmenter), sentences)
    codes = np.frombuffer("\n".join(sentences).encode("utf-32-le"), np.uint32)
    counts["documents"] += len(documents)
    counts["sentences"] += len(sentences)
    counts["words"] += int((marks.boundaries[:-1] & ~is_space(codes)).sum())
    counts["characters"] += sum(map(len, sentences))
    counts["misaligned_sentences"] += len(marks.misaligned)
    return attach_boundaries(documents, marks)


def _described(
    config: DataConfig,
    corpus: Corpus,
    tasks: Sequence[SegmentTask],
    manifests: Sequence[Dict[str, Any]],
) -> Dict[str, Any]:
    """Return the content of words.json but for format and fingerprint: see `segmented.folder`."""
    return {
        "segmenter": load_segmenter_once(config.segmenter).identity,
        "opencc": corpus.kind.opencc,
        "config": {
            "corpus": dataclasses.asdict(config.corpus),
            "segmenter": dataclasses.asdict(config.segmenter),
        },
        "text": corpus.counts,
        "statistics": _statistics(corpus, manifests),
        "word_files": [
            {"name": os.path.basename(task.path), "blocks": manifest["blocks"]}
            for task, manifest in zip(tasks, manifests)
        ],
        "input": list(_described_files(corpus.files, tasks, manifests)),
    }


def _described_files(
    files: Sequence[TextFile],
    tasks: Sequence[SegmentTask],
    manifests: Sequence[Dict[str, Any]],
) -> Iterator[Dict[str, Any]]:
    """Yield each file of the text with its parts and the number of the block of each."""
    blocks = (i for i, block in enumerate(chain(*(t.blocks for t in tasks))) for _ in block)
    documents = chain(*(manifest["documents"] for manifest in manifests))
    for file in files:
        parts = [
            {
                "block": next(blocks),
                "text_bytes": part.size,
                "first": part.first,
                "documents": next(documents),
                "dropped": part.dropped,
            }
            for part in file.parts
        ]
        yield {"name": file.name, "sha256": file.sha256, "bytes": file.size, "parts": parts}


def _statistics(corpus: Corpus, manifests: Sequence[Dict[str, Any]]) -> Dict[str, Any]:
    counts = Counts()
    for manifest in manifests:
        counts.update(manifest["counts"])
    return {
        **text_counts(corpus.counts),
        **{name: counts[name] for name in COUNTED},
        "skipped_documents": {"duplicate": sum(file.duplicates for file in corpus.files)},
        "cpu_seconds": {
            stage: round(counts[f"cpu_ns/{stage}"] / 1e9, 2)
            for stage in ("read", "segment", "write")
        },
    }


WORDS = output_kind("segmentation", "words", segmented_file.SUFFIX, segmented_file.MANIFEST)
