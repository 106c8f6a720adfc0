"""A build: scan the input, map blocks of text to run files, merge those into shards, write
dataset.json last.

Every task is pure and idempotent and leaves a small manifest; a task whose manifest is there under
the same fingerprint (settings + input + vocabulary + models + code format) is not done again. So a
crash costs the tasks that it interrupted.
"""

import dataclasses
import hashlib
import json
import os
import shutil
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from data_gen import corpus, storage
from data_gen.config import DataConfig
from data_gen.corpus import Block, InputFile
from data_gen.corruption import Similar
from data_gen.engine import LocalEngine
from data_gen.features import FORMAT, MANIFEST, DatasetInfo, file_sha256, read_info
from data_gen.normalise import normaliser, opencc_version
from data_gen.pipeline import Pipeline
from data_gen.progress import Show
from data_gen.records import (
    ExamplePacker,
    Segment,
    combine_segments,
    write_json,
    write_run,
    write_shard,
)
from data_gen.sentences import load_sentence_maker
from data_gen.settings import UserError
from data_gen.stats import Counts, report, timed
from data_gen.synonyms import NoSimilarWords, SimilarWords, load_table

# Bumped with every change of the code that changes the bytes of a build, so that an unfinished one
# is not continued.
CODE_FORMAT = 3
WORK = ".data_gen"  # within the output folder, until dataset.json is written
_TASKS = 256  # of an input that gives as many of less than _LARGEST_TASK
_LARGEST_TASK = 16 << 20  # bytes of text; a worker holds the records of one task


class MapTask(NamedTuple):
    """Blocks of text -> one run file, `{stem}.run`."""

    stem: str
    config: DataConfig
    blocks: Tuple[Block, ...]


class MergeTask(NamedTuple):
    """The segments of one shard in all runs -> the shard."""

    stem: str
    shard: str  # path
    segments: Tuple[Segment, ...]


def build(
    config: DataConfig, inputs: Sequence[str], output: str, engine: LocalEngine, show: Show
) -> DatasetInfo:
    """Build the data set `output` from text files, unless it is there already.

    Raises UserError for input that is missing, unreadable, empty or not UTF-8, and where `output`
    holds another build.
    """
    if not output:
        raise UserError("--output is empty: name a folder")
    pipeline = load_pipeline(config)  # also finds mistakes before any work is handed out
    normaliser(config.corpus.width, config.corpus.quotes, config.corpus.opencc)  # likewise
    files = corpus.scan_inputs(inputs, config.corpus, output, show)
    identity = _identity(config, files, pipeline)
    fingerprint = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    if os.path.exists(os.path.join(output, MANIFEST)):
        info = read_info(output)
        if info.fingerprint != fingerprint:
            raise UserError(
                f"{output} holds another build (other settings, input or models): choose "
                "another --output"
            )
        shutil.rmtree(os.path.join(output, WORK), ignore_errors=True)  # of a crash at the very end
        return info
    work = _claim(output, fingerprint)

    map_tasks = [
        MapTask(os.path.join(work, f"map-{i:05d}"), config, blocks)
        for i, blocks in enumerate(_task_blocks(files))
    ]
    maps = _manifests("map", map_tasks, run_map_task, engine, show)
    counts = Counts({"skipped/duplicate": sum(file.duplicates for file in files)})
    for manifest in maps:
        counts.update(manifest["counts"])
    if not counts["instances"]:
        raise UserError(
            "the input gave no instance: no document has two pieces of which one can be masked"
        )
    merge_tasks = list(_merge_tasks(map_tasks, maps, output, config.num_shards))
    shards = _manifests("merge", merge_tasks, run_merge_task, engine, show)
    write_json(
        os.path.join(output, MANIFEST),
        {
            "format": FORMAT,
            "fingerprint": fingerprint,
            **identity,
            "config": dataclasses.asdict(config),
            "shards": shards,
            "statistics": report(counts, config.max_seq_length),
        },
    )
    shutil.rmtree(work)  # all of it is ours
    return read_info(output)


def load_similar(config: DataConfig) -> SimilarWords:
    """Load the table of similar words. Raises UserError where none is named, or another's."""
    if not config.synonyms.table:
        raise UserError(
            "which table of similar words? Make one with `python -m data_gen synonyms build`, give "
            "it with --set synonyms.table=FILE"
        )
    return SimilarWords(
        load_table(config.synonyms.table, file_sha256(config.vocab_file)),
        config.synonyms.other_lengths,
        config.synonyms.min_similarity,
    )


def load_pipeline(config: DataConfig) -> Pipeline:
    """Load the vocabulary, the segmenter and the similar words of `config`, once a process."""
    if not _LOADED or _LOADED[0][0] != config:
        make_sentences = load_sentence_maker(config)
        similar: Similar = NoSimilarWords()
        if config.masking.corruption == "similar":
            similar = load_similar(config)
        _LOADED[:] = [(config, Pipeline(config, make_sentences, similar))]
    return _LOADED[0][1]


# The pipeline of this process: models cannot be sent to another.
_LOADED: List[Tuple[DataConfig, Pipeline]] = []


def run_map_task(task: MapTask) -> None:
    """Write the run file of a task, then its manifest."""
    pipeline = load_pipeline(task.config)
    pipeline.take_counts()
    pack = ExamplePacker(task.config.max_seq_length, task.config.max_predictions_per_seq)
    records = []
    for documents in corpus.read_blocks(task.blocks, task.config.corpus):
        examples = pipeline.examples(documents)
        with timed(pipeline.counts, "pack"):
            records += [(key, pack(example)) for key, example in examples]
    with timed(pipeline.counts, "sort and write"):
        offsets = write_run(f"{task.stem}.run", records, task.config.num_shards)
    write_json(f"{task.stem}.json", {"offsets": offsets, "counts": pipeline.take_counts()})


def run_merge_task(task: MergeTask) -> None:
    """Write a shard, then its manifest."""
    segments = combine_segments(task.segments, task.stem)
    write_json(f"{task.stem}.json", write_shard(task.shard, segments)._asdict())


def _merge_tasks(
    maps: Sequence[MapTask], manifests: Sequence[Dict[str, Any]], output: str, num_shards: int
) -> Iterator[MergeTask]:
    for i in range(num_shards):
        name = f"part-{i:05d}-of-{num_shards:05d}"
        ranges = [
            (task, *manifest["offsets"][i : i + 2]) for task, manifest in zip(maps, manifests)
        ]
        segments = tuple(
            Segment(f"{task.stem}.run", start, stop) for task, start, stop in ranges if start < stop
        )
        yield MergeTask(
            os.path.join(output, WORK, name), os.path.join(output, f"{name}.tfrecord"), segments
        )


def _manifests(
    title: str, tasks: Sequence[Any], run: Callable[[Any], None], engine: LocalEngine, show: Show
) -> List[Dict[str, Any]]:
    """Run the tasks whose manifest is missing; return all manifests, in the order of the tasks."""
    missing = [task for task in tasks if not os.path.exists(f"{task.stem}.json")]
    for _ in show(title, len(missing), engine.run(run, missing)):
        pass
    manifests = []
    for task in tasks:
        with open(f"{task.stem}.json", encoding="utf-8") as handle:
            manifests.append(json.load(handle))
    return manifests


def _identity(config: DataConfig, files: Sequence[InputFile], pipeline: Pipeline) -> Dict[str, Any]:
    """Everything that decides the shards' bytes; contents instead of paths."""
    settings = dataclasses.asdict(config)
    # the tokenizer's and the segmenter's own identities hold all that decides pieces and words
    del settings["vocab_file"], settings["tokenizer"], settings["segmenter"]
    table = settings["synonyms"].pop("table")
    similar = config.masking.corruption == "similar"
    if not similar:
        del settings["synonyms"]
    return {
        "config": settings,
        "code_format": CODE_FORMAT,
        "vocab_sha256": file_sha256(config.vocab_file),
        "tokenizer": pipeline.tokenizer.identity,
        "segmenter": pipeline.make_sentences.segmenter.identity,
        "opencc": opencc_version() if config.corpus.opencc else None,
        "synonyms_sha256": file_sha256(table) if table and similar else None,
        "input": [{"name": file.name, "sha256": file.sha256, "bytes": file.size} for file in files],
    }


def _claim(output: str, fingerprint: str) -> str:
    """Make the work folder, or take up the one that an interrupted build of the same fingerprint
    left.
    """
    work = os.path.join(output, WORK)
    path = os.path.join(work, "fingerprint.json")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as handle:
            if json.load(handle)["fingerprint"] != fingerprint:
                raise UserError(
                    f"{output} holds an unfinished build with other settings, input or models: "
                    "choose another --output, or delete that folder"
                )
        return work
    if os.path.isdir(work) and os.listdir(work):
        raise UserError(f"{work} is not of a build: choose another --output")
    if os.path.isdir(output) and any(".tfrecord" in name for name in os.listdir(output)):
        raise UserError(f"{output} holds TFRecords but no {MANIFEST}: choose another --output")
    os.makedirs(work, exist_ok=True)
    write_json(path, {"fingerprint": fingerprint})
    return work


def _task_blocks(files: Sequence[InputFile]) -> Iterator[Tuple[Block, ...]]:
    """Group neighbouring blocks into tasks of about a 256th of the input.

    A compressed file is cut as seldom as memory allows, because each task unpacks it from its
    start.
    """
    usual = min(_LARGEST_TASK, sum(file.size for file in files) // _TASKS)
    group: List[Block] = []
    size = 0
    for block in corpus.blocks(files):
        group.append(block)
        size += sum(part.size for part in block)
        if size >= (_LARGEST_TASK if storage.is_packed(block[-1].path) else usual):
            yield tuple(group)
            group, size = [], 0
    if group:
        yield tuple(group)
