"""Make the table of similar words from its sources, in order of preference: files of word vectors,
then one's own text. A table that is there, made from the same, is not made again.
"""

import dataclasses
import hashlib
import json
import os
import re
from collections import Counter
from contextlib import contextmanager
from functools import cache as once
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.config import DataConfig
from data_gen.core.columns import Array, Pieces
from data_gen.core.progress import Progress
from data_gen.corpus.input_kinds import Corpus
from data_gen.engine.processes import Engine
from data_gen.jobs.corpus_vectors import vectors_of_text
from data_gen.jobs.kept_words import KeptWords
from data_gen.jobs.table_cache import CachedLayer, cached_layer
from data_gen.pipeline.load import load_document_tokenizer, load_tokenizer, pieces_identity
from data_gen.shared.dataset.similar_words import FORMAT
from data_gen.shared.errors import UserError
from data_gen.shared.outputs import lock_beside, only_writer
from data_gen.storage.errors import reading
from data_gen.storage.folders import delete_folder, list_names, make_folder
from data_gen.storage.reading import is_file, open_text
from data_gen.synonyms.config import TOOLKIT_SOURCE
from data_gen.synonyms.context_vectors import METHOD, candidates
from data_gen.synonyms.neighbours import nearby, nearest_of_size
from data_gen.synonyms.table import Table, load_table, make_source_table
from data_gen.synonyms.toolkit import shipped_neighbours, toolkit_vectors
from data_gen.synonyms.vector_files import Vectors, read_vectors
from data_gen.tokenization.tokenizer import Tokenizer

CORPUS_SOURCE = "corpus"  # the name of one's own text among the sources

_BATCH = 10_000  # words tokenized at once


class TablePlan(NamedTuple):
    """The sources of a table of similar words, and all that decides its bytes."""

    config: DataConfig
    corpus: Optional[Corpus]  # one's own text, if it is a source
    provenance: Dict[str, Any]  # stored in the table
    # For this text and no other: of one without Chinese words the toolkit is not searched.
    for_corpus_alone: bool = False


class TableResult(NamedTuple):
    """A table of similar words, and a report of how it was made."""

    table: Table
    new: bool  # False: it was there, made from the same
    skipped: Dict[str, int]  # vectors that were left out, by reason


def plan_table(
    config: DataConfig, corpus: Optional[Corpus], for_corpus_alone: bool = False
) -> TablePlan:
    """Resolve the sources that `synonyms.vectors` names, and the corpus, if it is one.

    Raises UserError if there is no source, two have one name, or a file of vectors is missing.
    """
    _require_sources(config, corpus)
    provenance = table_provenance(config, corpus)
    if for_corpus_alone:
        provenance["for_corpus_alone"] = True
    return TablePlan(config, corpus, provenance, for_corpus_alone)


def table_provenance(config: DataConfig, corpus: Optional[Corpus]) -> Dict[str, Any]:
    """Name all that decides a table, by content. Raises UserError if a file of vectors is missing.

    Reads every file of vectors, so call it once.
    """
    provenance: Dict[str, Any] = {
        "format": FORMAT,
        **pieces_identity(config),
        "top_k": config.synonyms.top_k,
        # No settings any more: tables hold every neighbour and every word of a file.
        "min_similarity": -1.0,
        "limit": None,
        "vectors": [[_name(path), _sha256(_path(path))] for path in config.synonyms.vectors],
    }
    if corpus:
        text = [[file.name, file.sha256] for file in corpus.files]
        segmenter = load_document_tokenizer(config, corpus.kind.stored_words).segmenter
        provenance[CORPUS_SOURCE] = {
            "input_sha256": hashlib.sha256(json.dumps(text).encode()).hexdigest(),
            "settings": dataclasses.asdict(config.corpus),
            "opencc": corpus.kind.opencc,
            **({"chosen": corpus.chosen.identity} if corpus.chosen else {}),
            "segmenter": segmenter.identity,
            "min_count": config.synonyms.min_count,
            "candidate_min_count": config.synonyms.candidate_min_count,
            "method": METHOD,
            "random_seed": config.random_seed,
        }
    return provenance


def _sha256(path: str) -> str:
    """Return the checksum of a file's uncompressed bytes, wherever it is."""
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
    plan: TablePlan,
    path: str,
    engine: Engine,
    show: Progress,
    cache: Optional[str] = None,
    kept: Optional[KeptWords] = None,
) -> TableResult:
    """Make the table `path`, unless it is there, made from the same.

    cache: the folder that keeps what is found in files of vectors, for other tables; None: no
           folder does
    kept:  takes the words of one's own text

    Raises UserError if a source cannot be read or holds nothing of use.
    """
    same = same_table(path, plan.provenance)
    if same:
        return TableResult(same, False, {})
    skipped: Counter[str] = Counter()
    with _work_folder(path, plan.provenance) as work:
        layers = {}
        for name, (layer, reasons) in _layers(plan, work, engine, show, cache, kept):
            layers[name] = layer
            skipped.update(reasons)
        table = Table(layers, plan.provenance)
        table.save(path)
    return TableResult(table, True, dict(skipped))


def same_table(path: str, provenance: Dict[str, Any]) -> Optional[Table]:
    """Return the table at `path`, if there is one with this provenance."""
    if not is_file(path):
        return None
    try:
        table = load_table(path)
    except UserError:
        return None
    return table if table.provenance == provenance else None


def _require_sources(config: DataConfig, corpus: Optional[Corpus]) -> None:
    names = [*map(_name, config.synonyms.vectors), *([CORPUS_SOURCE] if corpus else [])]
    if not names:
        raise UserError(
            "no source of similar words: name some with synonyms.vectors, give --corpus, or both"
        )
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise UserError(f"the sources of similar words name {twice[0]} twice: rename one of them")


@contextmanager
def _work_folder(path: str, provenance: Dict[str, Any]) -> Iterator[str]:
    """Hold the folder that takes the words of the text meanwhile; hidden, so that no input takes it
    for text. An interrupted run leaves it to the next one with the same sources, which resumes
    from it; folders of other sources are deleted.

    Raises UserError if another run holds its lock.
    """
    digest = hashlib.sha256(json.dumps(provenance, sort_keys=True).encode()).hexdigest()
    folder, name = os.path.split(path)
    start = f".{name}.work-"
    ours = re.compile(re.escape(start) + "[0-9a-f]{16}")
    work = os.path.join(folder, start + digest[:16])
    make_folder(folder or ".")
    with only_writer(path, lock_beside(path)) as alone:
        for other in list_names(folder or ".") if alone else ():
            old = os.path.join(folder, other)
            if ours.fullmatch(other) and old != work:
                delete_folder(old)
        make_folder(work)
        yield work
        delete_folder(work)


def _layers(
    plan: TablePlan,
    work: str,
    engine: Engine,
    show: Progress,
    cache: Optional[str],
    kept: Optional[KeptWords],
) -> Iterator[Tuple[str, CachedLayer]]:
    """Make the layers, each with the vectors that were left out, by the name of their source."""
    config = plan.config
    top_k = config.synonyms.top_k
    tokenizer = load_tokenizer(config)
    toolkit = once(lambda: read_vectors(toolkit_vectors()))
    known = toolkit if TOOLKIT_SOURCE in config.synonyms.vectors else None
    vectors = plan.corpus and vectors_of_text(config, plan.corpus, work, engine, show, known, kept)
    for path, (name, sha256) in zip(config.synonyms.vectors, plan.provenance["vectors"]):
        if path == TOOLKIT_SOURCE and plan.for_corpus_alone and vectors and not vectors.chinese:
            continue  # none of its words can be needed
        read = toolkit if path == TOOLKIT_SOURCE else partial(read_vectors, path)
        make = partial(_layer_of_file, path, read, sha256, top_k, tokenizer, show)
        key = {
            "vectors": sha256,
            "toolkit": path == TOOLKIT_SOURCE,
            "top_k": top_k,
            **pieces_identity(config),
        }
        yield name, cached_layer(key, make, cache)
    if vectors:
        pool = candidates(vectors, config.synonyms.candidate_min_count)
        sizes = np.array([len(word) for word in vectors.words])
        nearest = nearest_of_size(vectors.matrix, sizes, pool, top_k, show)
        yield (
            CORPUS_SOURCE,
            CachedLayer(make_source_table(vectors.words, *nearest, tokenizer.join), {}),
        )


def _layer_of_file(
    path: str,
    read: Callable[[], Vectors],
    sha256: str,
    top_k: int,
    tokenizer: Tokenizer,
    show: Progress,
) -> CachedLayer:
    """Make the layer of a file of vectors."""
    texts, matrix, skipped = read()
    words, numbers = _different_words(texts, tokenizer)
    if path == TOOLKIT_SOURCE:
        # As the toolkit does it: its 10 nearest words are looked for among all, and those of
        # another number of pieces passed over when they are looked up.
        rows, cosines = nearby(matrix, top_k, show, known=shipped_neighbours(sha256, top_k))
        rows, cosines = _different(numbers[rows[_firsts(numbers)]]), cosines[_firsts(numbers)]
    else:
        sizes = np.array([len(word) for word in words])
        every = np.ones(len(words), bool)
        rows, cosines = nearest_of_size(matrix[_firsts(numbers)], sizes, every, top_k, show)
    return CachedLayer(make_source_table(words, rows, cosines, tokenizer.join), skipped)


def _different_words(words: Sequence[str], tokenizer: Tokenizer) -> Tuple[List[Pieces], Array]:
    """Return the different words, as pieces, that the vocabulary can spell, and for each row of the
    vectors the number of its word, int [W]; -1 for words that it cannot spell. Of words with the
    same pieces (GPU, gpu) all rows have the number of the first.
    """
    number_of: Dict[Pieces, int] = {}
    numbers = np.full(len(words), -1, np.int64)
    for start in range(0, len(words), _BATCH):
        batch = words[start : start + _BATCH]
        tokens = tokenizer.tokenize(batch)
        bounds = np.searchsorted(tokens.first, np.cumsum([0, *(len(word) + 1 for word in batch)]))
        ids, ends = tokens.ids.tolist(), bounds.tolist()
        for row, (first, last) in enumerate(zip(ends, ends[1:]), start):
            pieces = tuple(ids[first:last])
            if pieces and tokenizer.unk not in pieces:
                numbers[row] = number_of.setdefault(pieces, len(number_of))
    return list(number_of), numbers


def _firsts(numbers: Array) -> Array:
    """Return the first row of each word, in the order of the words."""
    found, rows = np.unique(numbers, return_index=True)
    return rows[found >= 0]


def _different(rows: Array) -> Array:
    """Return the neighbours without the word itself and without repetitions.

    rows: int [W, K], numbers of words, -1 for none
    """
    rows = rows.copy()
    rows[rows == np.arange(len(rows))[:, None]] = -1
    for k in range(1, rows.shape[1]):
        rows[(rows[:, :k] == rows[:, k : k + 1]).any(axis=1), k] = -1
    return rows
