"""A build: scan the input, map blocks of text to run files, merge those into shards, write
dataset.json last.

What was done under the same fingerprint (settings + input + vocabulary + models + code format) is
not done again. So a crash costs the tasks that it interrupted.
"""

import dataclasses
import hashlib
import json
import os
from typing import Any, Dict, Optional, Sequence

from data_gen.config import DataConfig
from data_gen.core.progress import Progress
from data_gen.core.script_conversion import opencc_version
from data_gen.corpus.blocks import BLOCK_BYTES, InputFile
from data_gen.engine.processes import Engine
from data_gen.engine.tasks import resumable
from data_gen.jobs import build_synonyms
from data_gen.jobs.inputs import scan_inputs, settle
from data_gen.jobs.map_and_merge import run_stages
from data_gen.jobs.statistics import report
from data_gen.masking.corruption import CORRUPTIONS
from data_gen.pipeline.load import (
    load_document_tokenizer,
    load_pipeline,
    prepare_map,
    prepare_words,
    text_opencc,
)
from data_gen.pipeline.tokenized_text import DocumentTokenizer
from data_gen.segmentation.segmenters import segmenter_settings
from data_gen.shared.dataset_info import MANIFEST, DatasetInfo, read_info
from data_gen.shared.errors import UserError
from data_gen.shared.features import FORMAT
from data_gen.shared.files import file_sha256
from data_gen.storage.folders import list_names
from data_gen.storage.locations import local_bytes, plain_path
from data_gen.storage.output_folder import clean, open_work_folder, output_kind
from data_gen.storage.remote_files import local_copy
from data_gen.storage.writing import write_json
from data_gen.synonyms import likeness

# Bumped with every change of the code that changes the bytes of a build, so that an unfinished one
# is not continued.
CODE_FORMAT = 8

_MOST_EXPECTED = 1024  # tasks, that is processes to start early


def build(
    config: DataConfig,
    inputs: Sequence[str],
    output: str,
    engine: Engine,
    show: Progress,
    task_bytes: Optional[int] = None,
) -> DatasetInfo:
    """Build the data set `output` from text files or a folder of words, unless it is there already.
    `task_bytes` of text are one task; they decide memory and time, not a byte of the output.

    Raises UserError for input that is missing, unreadable, empty or not UTF-8, and where `output`
    holds another build.
    """
    if not output:
        raise UserError("--output is empty: name a folder")
    output = plain_path(output)
    config = settle(config, inputs)
    own_table = needs_own_table(config)
    if MANIFEST not in list_names(output):
        parts = local_bytes(inputs, _MOST_EXPECTED * BLOCK_BYTES) // BLOCK_BYTES
        engine.expect(parts, prepare_words if own_table else prepare_map, config)
    # These also find mistakes before any work is handed out.
    tokenize_documents = (
        load_document_tokenizer(config) if own_table else load_pipeline(config).tokenize_documents
    )
    files = scan_inputs(inputs, config, output, engine, show)
    sources = build_synonyms.Sources(text=tuple(files)) if own_table else None
    identity = _identity(config, files, tokenize_documents, sources)
    fingerprint = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    if MANIFEST in list_names(output):
        info = read_info(output)
        if info.fingerprint != fingerprint:
            raise UserError(
                f"{output} holds another build (other settings, input or models): choose "
                "another --output"
            )
        clean(output, DATA)  # after a crash at the very end
        return info
    with open_work_folder(output, fingerprint, DATA) as work:
        requested = config
        if sources:
            config = _with_own_table(config, sources, os.path.join(output, TABLE), engine, show)
        shards, counts = run_stages(
            config, tokenize_documents, files, output, work, engine, show, task_bytes
        )
        manifest = {
            "format": FORMAT,
            "fingerprint": fingerprint,
            **identity,
            "config": {
                **dataclasses.asdict(requested),
                "segmenter": segmenter_settings(requested.segmenter),
            },
            "shards": shards,
            "statistics": report(counts, config.max_seq_length),
        }
        with resumable():
            write_json(os.path.join(output, MANIFEST), manifest)
    return read_info(output)


def needs_own_table(config: DataConfig) -> bool:
    """Whether a build has to make its table of similar words itself."""
    return CORRUPTIONS[config.masking.corruption].needs_similar_words and not config.synonyms.table


def _with_own_table(
    config: DataConfig, sources: build_synonyms.Sources, path: str, engine: Engine, show: Progress
) -> DataConfig:
    """The settings with a table made from the toolkit's vectors and the text of the build."""
    provenance = build_synonyms.table_provenance(config, sources)
    there = os.path.basename(path) in list_names(os.path.dirname(path))
    if there and not build_synonyms.same_table(path, provenance):
        raise UserError(
            f"{path} is there and was made from something else: give it with "
            "--set synonyms.table=FILE, or choose another --output"
        )
    with resumable():
        build_synonyms.make_table(config, sources, path, engine, show)
    return dataclasses.replace(config, synonyms=dataclasses.replace(config.synonyms, table=path))


def _identity(
    config: DataConfig,
    files: Sequence[InputFile],
    tokenize_documents: DocumentTokenizer,
    sources: Optional[build_synonyms.Sources],
) -> Dict[str, Any]:
    """Everything that decides the shards' bytes; contents instead of paths. `sources` are those of
    a table that the build makes itself.
    """
    settings = dataclasses.asdict(config)
    # the tokenizer's and the segmenter's own identities hold all that decides pieces and words
    del settings["vocab_file"], settings["tokenizer"], settings["segmenter"]
    table = settings["synonyms"].pop("table")
    del settings["synonyms"]["word2vec"]  # in the table's own identity
    similar = CORRUPTIONS[config.masking.corruption].needs_similar_words
    if not similar:
        del settings["synonyms"]
    converts = similar and config.synonyms.traditional
    opencc = {text_opencc(config), opencc_version() if converts else None} - {None}
    return {
        "config": settings,
        "code_format": CODE_FORMAT,
        "vocab_sha256": file_sha256(config.vocab_file),
        "tokenizer": tokenize_documents.tokenizer.identity,
        "segmenter": tokenize_documents.segmenter.identity,
        "opencc": ", ".join(sorted(filter(None, opencc))) or None,
        "alike": likeness.identity(config.synonyms.alike) if similar else None,
        "synonyms_sha256": file_sha256(local_copy(table)) if table and similar else None,
        "synonyms_made_from": build_synonyms.table_provenance(config, sources) if sources else None,
        "input": [{"name": file.name, "sha256": file.sha256, "bytes": file.size} for file in files],
    }


TABLE = "synonyms.safetensors"  # within the output folder, where the build makes it itself
DATA = output_kind("build", "TFRecords", ".tfrecord", MANIFEST, TABLE)
