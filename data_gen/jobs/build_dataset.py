"""A build: plan it, make its table of similar words, map blocks of text to run files, merge these
into shards, write dataset.json last.

Work that was finished under the same fingerprint (settings + input + vocabulary + models + code
format) is not done again, so a crash costs no more than the tasks that it interrupted.
"""

import dataclasses
import hashlib
import json
import os
from functools import partial
from typing import Any, Dict, FrozenSet, Mapping, NamedTuple, Optional

from data_gen.config import DataConfig
from data_gen.core.progress import Progress
from data_gen.core.script_conversion import opencc_version
from data_gen.corpus.blocks import BLOCK_BYTES
from data_gen.corpus.input_kinds import Corpus
from data_gen.engine.processes import Engine
from data_gen.engine.tasks import resumable
from data_gen.jobs.build_synonyms import TablePlan, make_table, plan_table, same_table
from data_gen.jobs.inputs import Inputs, scan_inputs
from data_gen.jobs.kept_words import KeptWords
from data_gen.jobs.map_and_merge import run_stages
from data_gen.jobs.statistics import report
from data_gen.pipeline.load import (
    load_document_tokenizer,
    load_pipeline,
    needs_similar_words,
    prepare_map,
    prepare_words,
)
from data_gen.pipeline.tokenized_text import DocumentTokenizer
from data_gen.shared.dataset.dataset_info import MANIFEST, DatasetInfo
from data_gen.shared.dataset.features import FORMAT
from data_gen.shared.errors import UserError
from data_gen.shared.files import file_sha256
from data_gen.shared.settings import differences, portable_settings
from data_gen.storage.dataset_folder import read_dataset
from data_gen.storage.folders import list_names
from data_gen.storage.locations import local_bytes, plain_path
from data_gen.storage.output_folder import clean, open_work_folder, output_kind
from data_gen.storage.remote_files import local_copy
from data_gen.storage.writing import write_json
from data_gen.synonyms import likeness

# Bumped with every change of the code that changes the bytes of a build or of its work files, so
# that an unfinished one is not continued.
CODE_FORMAT = 11

_MOST_EXPECTED = 1024  # tasks, that is processes to start early


class BuildPlan(NamedTuple):
    """A build with all that decides it, resolved before any work is handed out."""

    output: str
    names: FrozenSet[str]  # of the files in the output folder
    requested: DataConfig  # for a segmented corpus, with its own `corpus` and `segmenter`
    effective: DataConfig  # with the table that the build makes, if it makes one
    corpus: Corpus
    tokenize_documents: DocumentTokenizer
    table: Optional[TablePlan]  # to make; None where the settings name one or need none
    identity: Dict[str, Any]
    fingerprint: str
    finished: Optional[DatasetInfo]  # this very build, if the output folder holds it already
    beside: Mapping[str, Any] = {}  # more for dataset.json, which decides nothing


def build(
    inputs: Inputs,
    output: str,
    engine: Engine,
    show: Progress,
    task_bytes: Optional[int] = None,
) -> DatasetInfo:
    """Build the data set `output`, unless it is there already: `plan_build`, then `run_build`."""
    return run_build(plan_build(inputs, output, engine, show), engine, show, task_bytes)


def plan_build(inputs: Inputs, output: str, engine: Engine, show: Progress) -> BuildPlan:
    """Resolve all that decides a build, each thing once.

    Raises UserError for input that is missing, unreadable, empty or not UTF-8, for unusable models
    and tables, and if `output` holds another build.
    """
    if not output:
        raise UserError("--output is empty: name a folder")
    output = plain_path(output)
    names = frozenset(list_names(output))
    config = inputs.config
    own_table = needs_own_table(config)
    if MANIFEST not in names:
        _expect(inputs, own_table, engine)
    tokenize_documents = _load(inputs, own_table)
    corpus = scan_inputs(inputs, output, engine, show)
    table = plan_table(config, corpus, for_corpus_alone=True) if own_table else None
    identity = _identity(config, corpus, tokenize_documents, table)
    fingerprint = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    finished = read_dataset(output) if MANIFEST in names else None
    if finished and finished.fingerprint != fingerprint:
        raise UserError(
            f"{output} holds another build ({differences(identity, finished.manifest)}): choose "
            "another --output"
        )
    return BuildPlan(
        output=output,
        names=names,
        requested=config,
        effective=_with_table(config, os.path.join(output, TABLE)) if table else config,
        corpus=corpus,
        tokenize_documents=tokenize_documents,
        table=table,
        identity=identity,
        fingerprint=fingerprint,
        finished=finished,
    )


def _with_table(config: DataConfig, path: str) -> DataConfig:
    synonyms = dataclasses.replace(config.synonyms, table=path)
    return dataclasses.replace(config, synonyms=synonyms)


def _expect(inputs: Inputs, own_table: bool, engine: Engine) -> None:
    """Let workers start, and load what the first tasks need, while this process plans."""
    tasks = local_bytes(inputs.patterns, _MOST_EXPECTED * BLOCK_BYTES) // BLOCK_BYTES
    prepare = prepare_words if own_table else prepare_map
    load = partial(prepare, stored_words=inputs.kind.stored_words)
    engine.expect(tasks, load, inputs.config)


def _load(inputs: Inputs, own_table: bool) -> DocumentTokenizer:
    """Load tokenizer and segmenter, and the table if there is one: this finds mistakes early."""
    load_words = load_document_tokenizer(inputs.config, inputs.kind.stored_words)
    if not own_table:
        load_pipeline(inputs.config, inputs.kind.stored_words)
    return load_words


def run_build(
    plan: BuildPlan,
    engine: Engine,
    show: Progress,
    task_bytes: Optional[int] = None,
    cache: Optional[str] = None,
) -> DatasetInfo:
    """Build what was planned, or resume it. Returns the description of the whole data set.

    task_bytes: text of one task; decides memory and time, not a byte of the output
    cache:      of `make_table`
    """
    if plan.finished:
        clean(plan.output, DATA)  # after a crash at the very end
        return plan.finished
    with open_work_folder(plan.output, plan.fingerprint, DATA, plan.identity) as work:
        kept = KeptWords(work)
        if plan.table:
            with resumable():
                _make_own_table(plan, plan.table, engine, show, cache, kept)
        shards, counts = run_stages(
            plan.effective,
            plan.corpus,
            plan.tokenize_documents,
            plan.output,
            work,
            engine,
            show,
            task_bytes,
            kept,
        )
        manifest = {
            "format": FORMAT,
            "fingerprint": plan.fingerprint,
            **plan.identity,
            **plan.beside,
            "config": {
                **portable_settings(plan.requested),
                "max_predictions_per_seq": plan.requested.predictions,
            },
            "shards": shards,
            "statistics": report(counts, plan.requested.max_seq_length),
        }
        with resumable():
            write_json(os.path.join(plan.output, MANIFEST), manifest)
    return read_dataset(plan.output)


def needs_own_table(config: DataConfig) -> bool:
    """True if a build has to make its table of similar words itself."""
    return needs_similar_words(config) and not config.synonyms.table


def _make_own_table(
    plan: BuildPlan,
    table: TablePlan,
    engine: Engine,
    show: Progress,
    cache: Optional[str],
    kept: KeptWords,
) -> None:
    path = os.path.join(plan.output, TABLE)
    if TABLE not in plan.names:
        make_table(table, path, engine, show, cache, kept)
    elif not same_table(path, table.provenance):
        raise UserError(
            f"{path} is there, and is damaged or was made from something else: delete it, give it "
            "with --set synonyms.table=FILE, or choose another --output"
        )


# The settings that decide the shards by their value. The others decide them by content: vocab_file,
# tokenizer and segmenter by the identities of what they name, synonyms.table by its checksum,
# synonyms.vectors, top_k and the counts by the provenance of the table that is made of them.
BY_VALUE = (
    *("do_lower_case", "max_seq_length", "max_predictions_per_seq", "masked_lm_prob"),
    *("dupe_factor", "short_seq_prob", "random_seed", "pair_task", "num_shards", "compression"),
    *("corpus", "masking", "pairs"),
)
SYNONYMS_BY_VALUE = (
    *("choice", "other_lengths", "min_similarity", "alike", "avoid_shared_pieces", "traditional"),
)


def _identity(
    config: DataConfig,
    corpus: Corpus,
    tokenize_documents: DocumentTokenizer,
    table: Optional[TablePlan],
) -> Dict[str, Any]:
    """Name everything that decides the shards' bytes, with contents instead of paths."""
    every = config.as_dict()
    settings = {name: every[name] for name in BY_VALUE}
    given = None
    opencc = {corpus.kind.opencc}
    similar = needs_similar_words(config)
    if similar:
        settings["synonyms"] = {name: every["synonyms"][name] for name in SYNONYMS_BY_VALUE}
        given = config.synonyms.table
        opencc.add(opencc_version() if config.synonyms.traditional else None)
    return {
        "config": settings,
        "code_format": CODE_FORMAT,
        "vocab_sha256": file_sha256(config.vocab_file),
        "tokenizer": tokenize_documents.tokenizer.identity,
        "segmenter": tokenize_documents.segmenter.identity,
        "opencc": ", ".join(sorted(filter(None, opencc))) or None,
        "alike": likeness.identity(config.synonyms.alike) if similar else None,
        "synonyms_sha256": file_sha256(local_copy(given)) if given else None,
        "synonyms_made_from": table.provenance if table else None,
        **({"chosen": corpus.chosen.identity} if corpus.chosen else {}),
        "input": [
            {"name": file.name, "sha256": file.sha256, "bytes": file.size} for file in corpus.files
        ],
    }


TABLE = "synonyms.safetensors"  # within the output folder, where the build makes it itself
DATA = output_kind("build", "TFRecords", ".tfrecord", MANIFEST, TABLE)
