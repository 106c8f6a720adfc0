"""The two stages of a build: blocks of text become run files, and those become shards.

Every task is pure and idempotent and leaves a small manifest when it is done; a task whose manifest
is there is not done again.
"""

import gc
import os
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, cast

from data_gen import corpus, tables
from data_gen.config import DataConfig
from data_gen.corpus import Block, InputFile
from data_gen.engine import Engine
from data_gen.features import COMPRESSIONS, file_sha256
from data_gen.kept import keep_last
from data_gen.lexicon import Similar
from data_gen.outputs import list_names, read_json, write_json
from data_gen.pipeline import Pipeline
from data_gen.progress import Show
from data_gen.records import (
    ExamplePacker,
    KeyedRecord,
    Segment,
    combine_segments,
    write_run,
    write_shard,
)
from data_gen.sentences import SentenceMaker, load_sentence_maker
from data_gen.settings import UserError
from data_gen.stats import Counts, timed
from data_gen.storage import is_file
from data_gen.synonyms import NoSimilarWords
from data_gen.work import resumable


class Done(NamedTuple):
    """What a task tells: its manifest, and how much that was."""

    name: str  # the end of the task's stem
    manifest: Dict[str, Any]
    documents: int
    bytes: int  # of text, or of the shard
    instances: int


class MapTask(NamedTuple):
    """Blocks of text -> one run file, `{stem}.run`."""

    stem: str
    config: DataConfig
    blocks: Tuple[Block, ...]
    made_with: Tuple[str, ...]  # what `made_with` says where the build was started


class MergeTask(NamedTuple):
    """The segments of one shard in all runs -> the shard."""

    stem: str
    shard: str  # path
    segments: Tuple[Segment, ...]


def run_stages(
    config: DataConfig,
    make_sentences: SentenceMaker,
    files: Sequence[InputFile],
    output: str,
    work: str,
    engine: Engine,
    show: Show,
    task_bytes: Optional[int],
) -> Tuple[List[Dict[str, Any]], Counts]:
    """Map and merge, in the folder `work`. Returns the shards' manifests and what was counted."""
    with_these = made_with(config, make_sentences)
    map_tasks = list(_map_tasks(config, with_these, files, work, task_bytes))
    maps = run_tasks("map", work, map_tasks, run_map_task, engine, show)
    counts = Counts({"skipped/duplicate": sum(file.duplicates for file in files)})
    for manifest in maps:
        counts.update(manifest["counts"])
    if not counts["instances"]:
        raise UserError(
            "the input gave no instance: no document has two pieces of which one can be masked"
        )
    merge_tasks = list(_merge_tasks(map_tasks, maps, output, work, config))
    return run_tasks("merge", work, merge_tasks, run_merge_task, engine, show), counts


@keep_last
def load_pipeline(config: DataConfig) -> Pipeline:
    """Load the vocabulary, the segmenter and the similar words of `config`, once a process."""
    make_sentences = load_sentence_maker(config)
    similar: Similar = NoSimilarWords()
    if config.masking.corruption == "similar":
        similar = tables.load_similar(config, make_sentences.tokenizer)
    return Pipeline(config, make_sentences, similar)


def prepare_words(config: DataConfig) -> None:
    """Load what makes words and pieces, ahead of the first task."""
    load_sentence_maker(config).segmenter.load()


def prepare_map(config: DataConfig) -> None:
    """Load what map tasks need, ahead of the first."""
    prepare_words(config)
    load_pipeline(config)


def run_map_task(task: MapTask) -> Done:
    """Write the run file of a task, then its manifest."""
    manifest = once(task.stem, lambda: _map(task))
    counts = manifest["counts"]
    size = sum(part.size for block in task.blocks for part in block)
    done = counts.get("documents", 0), size, counts.get("instances", 0)
    return Done(os.path.basename(task.stem), manifest, *done)


def once(stem: str, work: Callable[[], Dict[str, Any]]) -> Dict[str, Any]:
    """The manifest of a task, which is done unless it was: by an attempt that could not tell
    before its node was lost, or by its copy.
    """
    path = f"{stem}.json"
    if is_file(path):
        return cast(Dict[str, Any], read_json(path))
    manifest = work()
    write_json(path, manifest)
    return manifest


def made_with(config: DataConfig, make_sentences: SentenceMaker) -> Tuple[str, ...]:
    """What decides pieces and words on this machine: the vocabulary, packages and models."""
    tokenizer, segmenter = make_sentences.tokenizer, make_sentences.segmenter
    return file_sha256(config.vocab_file), tokenizer.identity, segmenter.identity


def _map(task: MapTask) -> Dict[str, Any]:
    pipeline = load_pipeline(task.config)
    ours = made_with(task.config, pipeline.make_sentences)
    for one, other in zip(ours, task.made_with):
        if one != other:
            raise UserError(
                f"this machine has {one}, that of the command {other}: install the same packages "
                "and models on all"
            )
    pipeline.take_counts()
    with _no_garbage_collection():
        records = list(_records(task, pipeline))
    with timed(pipeline.counts, "sort and write"):
        offsets = write_run(f"{task.stem}.run", records, task.config.num_shards)
    return {"offsets": offsets, "counts": pipeline.take_counts()}


def _records(task: MapTask, pipeline: Pipeline) -> Iterator[KeyedRecord]:
    pack = ExamplePacker(task.config.max_seq_length, task.config.max_predictions_per_seq)
    for documents in corpus.read_blocks(task.blocks, task.config.corpus):
        keys, examples = pipeline.examples(documents)
        with timed(pipeline.counts, "pack"):
            records = pack(examples)
        yield from zip(keys.tolist(), records)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Do not look for cycles among the millions of objects of a task, which has none: a tenth of
    its time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def run_merge_task(task: MergeTask) -> Done:
    """Write a shard, then its manifest."""
    shard = once(task.stem, lambda: _merge(task))
    return Done(os.path.basename(task.stem), shard, 0, shard["bytes"], shard["examples"])


def _merge(task: MergeTask) -> Dict[str, Any]:
    segments = combine_segments(task.segments, task.stem)
    return write_shard(task.shard, segments)._asdict()


def _map_tasks(
    config: DataConfig,
    with_these: Tuple[str, ...],
    files: Sequence[InputFile],
    work: str,
    task_bytes: Optional[int],
) -> Iterator[MapTask]:
    first = 0
    for blocks in corpus.task_blocks(files, task_bytes):
        # Named by what is in them: a build may go on with tasks of another size.
        last = first + len(blocks)
        yield MapTask(os.path.join(work, f"map-{first:06d}-{last:06d}"), config, blocks, with_these)
        first = last


def _merge_tasks(
    maps: Sequence[MapTask],
    manifests: Sequence[Dict[str, Any]],
    output: str,
    work: str,
    config: DataConfig,
) -> Iterator[MergeTask]:
    num_shards, suffix = config.num_shards, COMPRESSIONS[config.compression]
    for i in range(num_shards):
        name = f"part-{i:05d}-of-{num_shards:05d}"
        ranges = [
            (task, *manifest["offsets"][i : i + 2]) for task, manifest in zip(maps, manifests)
        ]
        segments = tuple(
            Segment(f"{task.stem}.run", start, stop) for task, start, stop in ranges if start < stop
        )
        shard = os.path.join(output, f"{name}.tfrecord{suffix}")
        yield MergeTask(os.path.join(work, name), shard, segments)


def run_tasks(
    title: str,
    work: str,
    tasks: Sequence[Any],
    run: Callable[[Any], Done],
    engine: Engine,
    show: Show,
) -> List[Dict[str, Any]]:
    """Run the tasks whose manifest is missing; return all manifests, in the order of the tasks."""
    there = set(list_names(work))
    names = [os.path.basename(task.stem) for task in tasks]
    missing = [task for task, name in zip(tasks, names) if f"{name}.json" not in there]
    with resumable():
        new = {
            done.name: done.manifest for done in show(title, len(missing), engine.run(run, missing))
        }
    return [
        new[name] if name in new else read_json(os.path.join(work, f"{name}.json"))
        for name in names
    ]
