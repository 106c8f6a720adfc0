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
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen import alike, corpus, tables
from data_gen.config import DataConfig
from data_gen.corpus import Block, InputFile
from data_gen.engine import Engine
from data_gen.features import COMPRESSIONS, FORMAT, MANIFEST, DatasetInfo, file_sha256, read_info
from data_gen.kept import keep_last
from data_gen.lexicon import Similar
from data_gen.normalise import normaliser, opencc_version
from data_gen.outputs import list_names, read_json, write_json
from data_gen.pipeline import Pipeline
from data_gen.progress import Show, tell
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
from data_gen.stats import Counts, report, timed
from data_gen.synonyms import NoSimilarWords
from data_gen.work import TABLE, WORK, claim, clean, resumable

# Bumped with every change of the code that changes the bytes of a build, so that an unfinished one
# is not continued.
CODE_FORMAT = 5


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
    config: DataConfig, inputs: Sequence[str], output: str, engine: Engine, show: Show
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
        clean(output)  # after a crash at the very end
        return info
    with claim(output, fingerprint) as work:
        told = config
        if sources:
            config = _with_own_table(config, sources, os.path.join(output, TABLE), engine, show)
        shards, counts = _run_stages(config, files, output, work, engine, show)
        manifest = {
            "format": FORMAT,
            "fingerprint": fingerprint,
            **identity,
            "config": dataclasses.asdict(told),
            "shards": shards,
            "statistics": report(counts, config.max_seq_length),
        }
        with resumable():
            write_json(os.path.join(output, MANIFEST), manifest)
    return read_info(output)


def _run_stages(
    config: DataConfig,
    files: Sequence[InputFile],
    output: str,
    work: str,
    engine: Engine,
    show: Show,
) -> Tuple[List[Dict[str, Any]], Counts]:
    """Map and merge. Returns the shards' manifests and what was counted."""
    map_tasks = [
        MapTask(os.path.join(work, f"map-{i:05d}"), config, blocks)
        for i, blocks in enumerate(corpus.task_blocks(files))
    ]
    maps = _manifests("map", work, map_tasks, run_map_task, engine, show)
    counts = Counts({"skipped/duplicate": sum(file.duplicates for file in files)})
    for manifest in maps:
        counts.update(manifest["counts"])
    if not counts["instances"]:
        raise UserError(
            "the input gave no instance: no document has two pieces of which one can be masked"
        )
    merge_tasks = list(_merge_tasks(map_tasks, maps, output, config))
    return _manifests("merge", work, merge_tasks, run_merge_task, engine, show), counts


def _with_own_table(
    config: DataConfig, sources: tables.Sources, path: str, engine: Engine, show: Show
) -> DataConfig:
    """The settings with a table made from the toolkit's vectors and the text of the build."""
    made_from = tables.identity(config, sources)
    if os.path.exists(path) and not tables.same_table(path, made_from):
        raise UserError(
            f"{path} is there and was made from something else: give it with "
            "--set synonyms.table=FILE, or choose another --output"
        )
    tell(f"{path}: similar words from the toolkit's vectors and from this text (synonyms.table)")
    with resumable():
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
    maps: Sequence[MapTask], manifests: Sequence[Dict[str, Any]], output: str, config: DataConfig
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
        yield MergeTask(os.path.join(output, WORK, name), shard, segments)


def _manifests(
    title: str,
    work: str,
    tasks: Sequence[Any],
    run: Callable[[Any], None],
    engine: Engine,
    show: Show,
) -> List[Dict[str, Any]]:
    """Run the tasks whose manifest is missing; return all manifests, in the order of the tasks."""
    there = set(list_names(work))
    missing = [task for task in tasks if f"{os.path.basename(task.stem)}.json" not in there]
    with resumable():
        for _ in show(title, len(missing), engine.run(run, missing)):
            pass
    return [read_json(f"{task.stem}.json") for task in tasks]


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
