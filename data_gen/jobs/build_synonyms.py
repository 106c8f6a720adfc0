"""Makes the table of similar words from its sources, in order of preference: files of word vectors,
then one's own text. A table that was made from the same is not made again.
"""

import dataclasses
import hashlib
import json
import os
from collections import Counter
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.config import DataConfig
from data_gen.core.columns import Array, Pieces
from data_gen.core.progress import Progress
from data_gen.corpus.blocks import InputFile
from data_gen.engine.processes import Engine
from data_gen.jobs.corpus_vectors import vectors_of_text
from data_gen.pipeline.load import (
    load_document_tokenizer,
    load_tokenizer,
    pieces_identity,
    text_opencc,
)
from data_gen.shared.errors import UserError
from data_gen.storage.errors import reading
from data_gen.storage.folders import delete_folder, list_names, locked, make_folder
from data_gen.storage.reading import open_text
from data_gen.synonyms.neighbours import nearby, nearest_of_size
from data_gen.synonyms.table import FORMAT, SourceTable, Table, load_table, make_source_table
from data_gen.synonyms.vector_files import read_vectors, toolkit_vectors
from data_gen.synonyms.word2vec import candidates
from data_gen.tokenization.tokenizer import Tokenizer

TOOLKIT_SOURCE = "toolkit"  # the name of the toolkit's vectors among the sources
CORPUS = "corpus"  # and of one's own text

_BATCH = 10_000  # words tokenized at once


class Sources(NamedTuple):
    """What a table is made from."""

    vectors: Tuple[str, ...] = (TOOLKIT_SOURCE,)  # files, or the toolkit's
    text: Tuple[InputFile, ...] = ()
    top_k: int = 10  # neighbours of a word that are kept
    min_similarity: float = -1.0  # cosine of those that are
    limit: Optional[int] = None  # words of a file of vectors that are read


class TableResult(NamedTuple):
    """A table, and what is worth telling of its making."""

    table: Table
    new: bool  # False: it was there, made from the same
    skipped: Dict[str, int]  # vectors that were left out, by reason


def table_provenance(config: DataConfig, sources: Sources) -> Dict[str, Any]:
    """All that decides a table. Raises UserError where a file of vectors is missing."""
    provenance: Dict[str, Any] = {
        "format": FORMAT,
        **pieces_identity(config),
        "top_k": sources.top_k,
        "min_similarity": sources.min_similarity,
        "limit": sources.limit,
        "vectors": [[_name(path), _sha256(_path(path))] for path in sources.vectors],
    }
    if sources.text:
        text = [[file.name, file.sha256] for file in sources.text]
        provenance[CORPUS] = {
            "input_sha256": hashlib.sha256(json.dumps(text).encode()).hexdigest(),
            "settings": dataclasses.asdict(config.corpus),
            "opencc": text_opencc(config),
            "segmenter": load_document_tokenizer(config).segmenter.identity,
            "word2vec": dataclasses.asdict(config.synonyms.word2vec),
            "random_seed": config.random_seed,
        }
    return provenance


def _sha256(path: str) -> str:
    """Of a file's unpacked bytes, wherever it is."""
    digest = hashlib.sha256()
    with open_text(path) as handle, reading(path):
        for chunk in iter(lambda: handle.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def _name(path: str) -> str:
    return path if path == TOOLKIT_SOURCE else os.path.basename(path)


def _path(path: str) -> str:
    return toolkit_vectors() if path == TOOLKIT_SOURCE else path


def make_table(
    config: DataConfig, sources: Sources, path: str, engine: Engine, show: Progress
) -> TableResult:
    """Make the table `path`, unless it is there, made from the same.

    Raises UserError where a source cannot be read or holds nothing of use.
    """
    _require_sources(sources)
    provenance = table_provenance(config, sources)
    same = same_table(path, provenance)
    if same:
        return TableResult(same, False, {})
    skipped: Counter[str] = Counter()
    with _work_folder(path, provenance) as work:
        layers = _layers(config, sources, work, engine, show, skipped)
        Table(layers, provenance).save(path)
    return TableResult(load_table(path), True, dict(skipped))


def same_table(path: str, provenance: Dict[str, Any]) -> Optional[Table]:
    """The table at `path`, if it is one and was made from the same."""
    try:
        table = load_table(path)
    except UserError:
        return None
    return table if table.provenance == provenance else None


def _require_sources(sources: Sources) -> None:
    names = [_name(path) for path in sources.vectors] + ([CORPUS] if sources.text else [])
    if not names:
        raise UserError("no source of similar words: give --vectors, --corpus or both")
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise UserError(f"the sources of similar words name {twice[0]} twice: rename one of them")


@contextmanager
def _work_folder(path: str, provenance: Dict[str, Any]) -> Iterator[str]:
    """Where the words of the text are written meanwhile; hidden, so that no input takes it for
    text. It is left behind by an interrupted run, for the next one with the same sources; what one
    with others left is deleted.

    Raises UserError where another run makes the same table.
    """
    digest = hashlib.sha256(json.dumps(provenance, sort_keys=True).encode()).hexdigest()
    folder, name = os.path.split(path)
    start = os.path.join(folder, f".{name}.work-")
    work = start + digest[:16]
    make_folder(work)
    with locked(work) as ours:
        if not ours:
            raise UserError(f"{path} is being made by another run: wait for it")
        for other in list_names(folder or "."):
            old = os.path.join(folder, other)
            if old.startswith(start) and old != work:
                with locked(old) as unused:
                    if unused:
                        delete_folder(old)
        yield work
        delete_folder(work)


def _layers(
    config: DataConfig,
    sources: Sources,
    work: str,
    engine: Engine,
    show: Progress,
    skipped: Counter[str],
) -> Dict[str, SourceTable]:
    tokenizer = load_tokenizer(config)
    found = {}
    for path in sources.vectors:
        words, rows, cosines = _neighbours_in_file(path, sources, tokenizer, show, skipped)
        found[_name(path)] = words, rows, cosines
    if sources.text:
        vectors = vectors_of_text(config, sources.text, work, engine, show)
        pool = candidates(vectors, config.synonyms.word2vec.candidate_min_count)
        sizes = np.array([len(word) for word in vectors.words])
        nearest = nearest_of_size(vectors.matrix, sizes, pool, sources.top_k, show)
        found[CORPUS] = (vectors.words, *nearest)
    return {
        name: make_source_table(
            words,
            np.where(cosines >= sources.min_similarity, rows, -1),
            cosines,
            tokenizer.join,
        )
        for name, (words, rows, cosines) in found.items()
    }


def _neighbours_in_file(
    path: str, sources: Sources, tokenizer: Tokenizer, show: Progress, skipped: Counter[str]
) -> Tuple[List[Pieces], Array, Array]:
    """The words of a file, as pieces, and their neighbours, numbers of words; -1 is none."""
    texts, matrix, reasons = read_vectors(_path(path), sources.limit)
    skipped.update(reasons)
    words, numbers = _different_words(texts, tokenizer)
    if path == TOOLKIT_SOURCE:
        # As the toolkit does it: its 10 nearest words are looked for among all, and those of
        # another number of pieces passed over when they are looked up.
        rows, cosines = nearby(matrix, sources.top_k, show)
        return words, _different(numbers[rows[_firsts(numbers)]]), cosines[_firsts(numbers)]
    matrix = matrix[_firsts(numbers)]
    sizes = np.array([len(word) for word in words])
    every = np.ones(len(words), bool)
    return (words, *nearest_of_size(matrix, sizes, every, sources.top_k, show))


def _different_words(words: Sequence[str], tokenizer: Tokenizer) -> Tuple[List[Pieces], Array]:
    """The different words, as pieces, that the vocabulary can spell, and for each row of the
    vectors the number of its word, int [W]; -1 for those that it cannot. Of words with the same
    pieces (GPU, gpu) all rows have the number of the first.
    """
    number_of: Dict[Pieces, int] = {}
    numbers = np.full(len(words), -1, np.int64)
    for start in range(0, len(words), _BATCH):
        for row, (found, _) in enumerate(tokenizer.encode(words[start : start + _BATCH]), start):
            pieces = tuple(found)
            if pieces and tokenizer.unk not in pieces:
                numbers[row] = number_of.setdefault(pieces, len(number_of))
    return list(number_of), numbers


def _firsts(numbers: Array) -> Array:
    """The first row of each word, in the order of the words."""
    found, rows = np.unique(numbers, return_index=True)
    return rows[found >= 0]


def _different(rows: Array) -> Array:
    """The neighbours without the word itself and without repetitions.

    rows: int [W, K], numbers of words, -1 for none
    """
    rows = rows.copy()
    rows[rows == np.arange(len(rows))[:, None]] = -1
    for k in range(1, rows.shape[1]):
        rows[(rows[:, :k] == rows[:, k : k + 1]).any(axis=1), k] = -1
    return rows
