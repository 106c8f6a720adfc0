"""A build: scan the input, map blocks of text to run files, merge those into shards, write
dataset.json last.

Every task is pure and idempotent and leaves a small manifest; a task whose manifest is there under
the same fingerprint (settings + input + vocabulary + models + code format) is not done again. So a
crash costs the tasks that it interrupted.
"""

import dataclasses
import gc
import hashlib
import json
import os
import shutil
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen import alike, corpus, tables
from data_gen.config import DataConfig
from data_gen.corpus import Block, InputFile
from data_gen.engine import LocalEngine
from data_gen.features import FORMAT, MANIFEST, DatasetInfo, file_sha256, read_info
from data_gen.kept import keep_last
from data_gen.lexicon import Similar
from data_gen.normalise import normaliser, opencc_version
from data_gen.pipeline import Pipeline
from data_gen.progress import Show, tell
from data_gen.records import (
    ExamplePacker,
    KeyedRecord,
    Segment,
    combine_segments,
    write_json,
    write_run,
    write_shard,
)
from data_gen.sentences import SentenceMaker, load_sentence_maker
from data_gen.settings import UserError
from data_gen.stats import Counts, report, timed
from data_gen.synonyms import NoSimilarWords

# Bumped with every change of the code that changes the bytes of a build, so that an unfinished one
# is not continued.
CODE_FORMAT = 5
TABLE = "synonyms.safetensors"  # within the output folder, where the build makes it itself
WORK = ".data_gen"  # within the output folder, until dataset.json is written


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
    own_table = config.masking.corruption == "similar" and not config.synonyms.table
    # These also find mistakes before any work is handed out.
    make_sentences = (
        load_sentence_maker(config) if own_table else load_pipeline(config).make_sentences
    )
    normaliser(config.corpus.width, config.corpus.quotes, config.corpus.opencc)
    files = corpus.scan_inputs(inputs, config.corpus, output, show)
    sources = tables.Sources(text=tuple(files)) if own_table else None
    identity = _identity(config, files, make_sentences, sources)
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
    told = config
    if sources:
        config = _with_own_table(config, sources, os.path.join(output, TABLE), engine, show)

    map_tasks = [
        MapTask(os.path.join(work, f"map-{i:05d}"), config, blocks)
        for i, blocks in enumerate(corpus.task_blocks(files))
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
            "config": dataclasses.asdict(told),
            "shards": shards,
            "statistics": report(counts, config.max_seq_length),
        },
    )
    shutil.rmtree(work)  # all of it is ours
    return read_info(output)


def _with_own_table(
    config: DataConfig, sources: tables.Sources, path: str, engine: LocalEngine, show: Show
) -> DataConfig:
    """The settings with a table made from the toolkit's vectors and the text of the build."""
    made_from = tables.identity(config, sources)
    if os.path.exists(path) and not tables.same_table(path, made_from):
        raise UserError(
            f"{path} is there and was made from something else: give it with "
            "--set synonyms.table=FILE, or choose another --output"
        )
    tell(f"{path}: similar words from the toolkit's vectors and from this text (synonyms.table)")
    tables.make_table(config, sources, path, engine, show)
    return dataclasses.replace(config, synonyms=dataclasses.replace(config.synonyms, table=path))


@keep_last
def load_pipeline(config: DataConfig) -> Pipeline:
    """Load the vocabulary, the segmenter and the similar words of `config`, once a process."""
    make_sentences = load_sentence_maker(config)
    similar: Similar = NoSimilarWords()
    if config.masking.corruption == "similar":
        similar = tables.load_similar(config, make_sentences.tokenizer)
    return Pipeline(config, make_sentences, similar)


def run_map_task(task: MapTask) -> None:
    """Write the run file of a task, then its manifest."""
    pipeline = load_pipeline(task.config)
    pipeline.take_counts()
    with _no_garbage_collection():
        records = list(_records(task, pipeline))
    with timed(pipeline.counts, "sort and write"):
        offsets = write_run(f"{task.stem}.run", records, task.config.num_shards)
    write_json(f"{task.stem}.json", {"offsets": offsets, "counts": pipeline.take_counts()})


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


def _identity(
    config: DataConfig,
    files: Sequence[InputFile],
    make_sentences: SentenceMaker,
    sources: Optional[tables.Sources],
) -> Dict[str, Any]:
    """Everything that decides the shards' bytes; contents instead of paths. `sources` are those of
    a table that the build makes itself.
    """
    settings = dataclasses.asdict(config)
    # the tokenizer's and the segmenter's own identities hold all that decides pieces and words
    del settings["vocab_file"], settings["tokenizer"], settings["segmenter"]
    table = settings["synonyms"].pop("table")
    del settings["synonyms"]["word2vec"]  # in the table's own identity
    similar = config.masking.corruption == "similar"
    if not similar:
        del settings["synonyms"]
    converts = config.corpus.opencc or (similar and config.synonyms.traditional)
    return {
        "config": settings,
        "code_format": CODE_FORMAT,
        "vocab_sha256": file_sha256(config.vocab_file),
        "tokenizer": make_sentences.tokenizer.identity,
        "segmenter": make_sentences.segmenter.identity,
        "opencc": opencc_version() if converts else None,
        "alike": alike.identity(config.synonyms.alike) if similar else None,
        "synonyms_sha256": file_sha256(table) if table and similar else None,
        "synonyms_made_from": tables.identity(config, sources) if sources else None,
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
