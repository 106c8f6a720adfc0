"""The two stages of a build: blocks of text become run files, and these become shards.

Every task is pure and idempotent and writes a small manifest last; a task whose manifest is there
is not done again.
"""

import os
from itertools import groupby
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.config import DataConfig
from data_gen.core.columns import offsets_of
from data_gen.core.counting import Counts, timed
from data_gen.core.progress import Amount, Progress
from data_gen.corpus.blocks import Block, task_blocks
from data_gen.corpus.input_kinds import Corpus, InputKind
from data_gen.engine.processes import Engine
from data_gen.engine.tasks import TaskResult, run_once, run_tasks
from data_gen.jobs.kept_words import KeptWords, load_words
from data_gen.pipeline.block import Pipeline
from data_gen.pipeline.load import environment, load_pipeline
from data_gen.pipeline.tokenized_text import DocumentTokenizer
from data_gen.records.pack_examples import ExamplePacker
from data_gen.records.shuffle import KeyedFrame, RunSlice, combine_slices, write_run, write_shard
from data_gen.records.tfrecord import frame
from data_gen.shared.dataset.features import COMPRESSIONS
from data_gen.shared.errors import UserError
from data_gen.shared.memory import no_search_for_garbage

STAGES = MAP, MERGE = "map", "merge"  # titles of the progress

# Records of one merge task, about: each task has a manifest, which costs as much as a small shard.
MERGE_BYTES = 1 << 22


class MapTask(NamedTuple):
    """Blocks of text -> one run file, `{stem}.run`."""

    stem: str
    config: DataConfig
    kind: InputKind
    blocks: Tuple[Block, ...]
    environment: Tuple[str, ...]  # `environment` of the machine where the build was started
    words: Tuple[Optional[str], ...]  # of each block: where its words are kept, None: nowhere


class ShardSlices(NamedTuple):
    """A shard to be written, and its records in all runs."""

    path: str
    slices: Tuple[RunSlice, ...]

    @property
    def bytes(self) -> int:
        """Return the bytes of the slices."""
        return sum(part.stop - part.start for part in self.slices)


class MergeTask(NamedTuple):
    """The slices of neighbouring shards -> the shards."""

    stem: str
    shards: Tuple[ShardSlices, ...]


def run_stages(
    config: DataConfig,
    corpus: Corpus,
    tokenize_documents: DocumentTokenizer,
    output: str,
    work: str,
    engine: Engine,
    show: Progress,
    task_bytes: Optional[int],
    kept: KeptWords,
) -> Tuple[List[Dict[str, Any]], Counts]:
    """Map and merge, in the folder `work`. Returns the manifests of the shards and the counts.
    Blocks whose words are kept are not segmented again.

    Raises UserError if the input gives no instance.
    """
    ours = environment(config, tokenize_documents)
    map_tasks = list(_map_tasks(config, ours, corpus, work, task_bytes, kept))
    maps = run_tasks(MAP, work, map_tasks, run_map_task, engine, show)
    duplicates = sum(file.duplicates for file in corpus.files)
    counts = Counts({"skipped/duplicate": duplicates, **corpus.counts})
    for manifest in maps:
        counts.update(manifest["counts"])
    if not counts["instances"]:
        raise UserError(
            "the input gave no instance: no document has two pieces of which one can be masked"
        )
    merge_tasks = list(_merge_tasks(map_tasks, maps, output, work, config))
    merged = run_tasks(MERGE, work, merge_tasks, run_merge_task, engine, show)
    return [shard for manifest in merged for shard in manifest["shards"]], counts


def run_map_task(task: MapTask) -> TaskResult:
    """Write the run file of a task, then its manifest."""
    manifest = run_once(task.stem, lambda: _map(task))
    counts = manifest["counts"]
    size = sum(part.size for block in task.blocks for part in block)
    amount = Amount(counts.get("documents", 0), size, counts.get("instances", 0))
    return TaskResult(os.path.basename(task.stem), manifest, amount)


def _map(task: MapTask) -> Dict[str, Any]:
    pipeline = load_pipeline(task.config, task.kind.stored_words)
    ours = environment(task.config, pipeline.tokenize_documents)
    for one, other in zip(ours, task.environment):
        if one != other:
            raise UserError(
                f"this machine has {one}, that of the command {other}: install the same packages "
                "and models on all"
            )
    with no_search_for_garbage():  # for millions of objects it would take a tenth of the time
        records, counts = _records(task, pipeline)
    with timed(counts, "sort and write"):
        offsets = write_run(f"{task.stem}.run", records, task.config.num_shards)
    return {"offsets": offsets, "counts": counts}


def _records(task: MapTask, pipeline: Pipeline) -> Tuple[List[KeyedFrame], Counts]:
    pack = ExamplePacker(task.config.max_seq_length, task.config.predictions)
    records: List[KeyedFrame] = []
    counts = Counts()
    for documents, path in zip(task.kind.read(task.blocks), task.words):
        (keys, examples), of_block = pipeline.examples(
            documents, load_words(path) if path else None
        )
        with timed(of_block, "pack"):
            records += zip(keys.tolist(), map(frame, pack(examples)))
        counts.update(of_block)
    return records, counts


def run_merge_task(task: MergeTask) -> TaskResult:
    """Write some shards, then their manifest."""
    manifest = run_once(task.stem, lambda: _merge(task))
    shards = manifest["shards"]
    amount = Amount(
        bytes=sum(shard["bytes"] for shard in shards),
        instances=sum(shard["examples"] for shard in shards),
    )
    return TaskResult(os.path.basename(task.stem), manifest, amount)


def _merge(task: MergeTask) -> Dict[str, Any]:
    shards = []
    for number, (path, slices) in enumerate(task.shards):
        combined = combine_slices(slices, f"{task.stem}.{number}")
        shards.append(write_shard(path, combined)._asdict())
    return {"shards": shards}


def _map_tasks(
    config: DataConfig,
    ours: Tuple[str, ...],
    corpus: Corpus,
    work: str,
    task_bytes: Optional[int],
    kept: KeptWords,
) -> Iterator[MapTask]:
    first = 0
    there = kept.there()
    for blocks in task_blocks(corpus.files, task_bytes):
        # Named by the blocks in it: a build may be resumed with tasks of another size.
        last = first + len(blocks)
        stem = os.path.join(work, f"map-{first:06d}-{last:06d}")
        paths = map(kept.path, range(first, last))
        words = tuple(path if path in there else None for path in paths)
        yield MapTask(stem, config, corpus.kind, blocks, ours, words)
        first = last


def _merge_tasks(
    maps: Sequence[MapTask],
    manifests: Sequence[Dict[str, Any]],
    output: str,
    work: str,
    config: DataConfig,
) -> Iterator[MergeTask]:
    shards = [*_shards(maps, manifests, output, config)]
    passed = offsets_of([shard.bytes for shard in shards]).tolist()
    for _, numbers in groupby(range(len(shards)), lambda i: passed[i] // MERGE_BYTES):
        some = [*numbers]
        stem = os.path.join(work, f"merge-{some[0]:06d}-{some[-1] + 1:06d}")
        yield MergeTask(stem, tuple(shards[i] for i in some))


def _shards(
    maps: Sequence[MapTask], manifests: Sequence[Dict[str, Any]], output: str, config: DataConfig
) -> Iterator[ShardSlices]:
    num_shards, suffix = config.num_shards, COMPRESSIONS[config.compression]
    for i in range(num_shards):
        ranges = [
            (task, *manifest["offsets"][i : i + 2]) for task, manifest in zip(maps, manifests)
        ]
        slices = tuple(
            RunSlice(f"{task.stem}.run", start, stop)
            for task, start, stop in ranges
            if start < stop
        )
        name = f"part-{i:05d}-of-{num_shards:05d}.tfrecord{suffix}"
        yield ShardSlices(os.path.join(output, name), slices)
