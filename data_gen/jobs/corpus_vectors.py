"""Word vectors of one's own text, for words that no published file has.

Learned from the words that masking sees, known by their pieces, so every word of the text that is
frequent enough is found again, whatever its segmenter and tokenizer.
"""

import os
from itertools import zip_longest
from typing import Any, Callable, Iterator, NamedTuple, Optional, Tuple

import numpy as np

from data_gen.config import DataConfig
from data_gen.core.columns import WordList
from data_gen.core.progress import Progress
from data_gen.core.random_draws import seed_for
from data_gen.corpus.blocks import Block, task_blocks
from data_gen.corpus.input_kinds import Corpus, InputKind
from data_gen.engine.processes import Engine
from data_gen.jobs.kept_words import KeptWords, save_words
from data_gen.pipeline.load import load_document_tokenizer, load_tokenizer
from data_gen.storage.arrays import load_arrays, save_arrays
from data_gen.storage.folders import list_names, make_folder
from data_gen.synonyms.context_vectors import (
    CountedWords,
    KnownVectors,
    TextWords,
    WordCounts,
    WordVectors,
    context_vectors,
    words_of,
)
from data_gen.synonyms.vector_files import Vectors
from data_gen.tokenization.tokenizer import Tokenizer


class WordsTask(NamedTuple):
    """Blocks of text -> a file of their words as pieces; and the boundaries of the words of each
    block, if they are to be kept.
    """

    path: str
    config: DataConfig
    kind: InputKind
    blocks: Tuple[Block, ...]
    kept: Tuple[str, ...]  # a path for each block, or none at all


def write_words(task: WordsTask) -> None:
    """Do a task. The file appears whole or not at all."""
    tokenize_documents = load_document_tokenizer(task.config, task.kind.stored_words)
    parts = []
    for documents, path in zip_longest(task.kind.read(task.blocks), task.kept):
        marks = tokenize_documents.mark_words(documents)
        if path:
            save_words(path, marks)
        parts.append(tokenize_documents(documents, marks)[0])
    _save(task.path, words_of(parts))


def _save(path: str, text: TextWords) -> None:
    columns = {"numbers": text.numbers, "sentences": text.sentences}
    save_arrays(path, {**columns, **text.different._asdict()})


def _load(path: str) -> TextWords:
    def words(arrays: Any) -> TextWords:
        different = WordList(arrays["pieces"], arrays["starts"])
        return TextWords(different, arrays["numbers"], arrays["sentences"])

    return load_arrays(path, words)


def vectors_of_text(
    config: DataConfig,
    corpus: Corpus,
    folder: str,
    engine: Engine,
    show: Progress,
    known: Optional[Callable[[], Vectors]] = None,
    kept: Optional[KeptWords] = None,
) -> WordVectors:
    """Segment the text on all cores and learn vectors of its words. The result is empty if no word
    is frequent enough.

    known:  reads the vectors that Chinese words are known by in the places of others; not called
            for a text without any
    kept:   takes the words of each block, unless they are stored already
    folder: takes the words meanwhile, as much as the text. An interrupted run is resumed from it.
    """
    make_folder(folder)
    tasks = list(_tasks(config, corpus, folder, kept))
    there = set(list_names(folder))
    missing = [task for task in tasks if os.path.basename(task.path) not in there]
    for _ in show("words", len(missing), engine.run(write_words, missing)):
        pass
    counts = WordCounts()
    for task in tasks:
        counts.add(_load(task.path))
    tokenizer = load_tokenizer(config)
    words = counts.frequent(config.synonyms.min_count, tokenizer.unk)
    chinese = counts.holds_any(tokenizer.chinese_pieces)
    vectors = _of_words(words, known(), tokenizer) if known and chinese else None
    parts = (_load(task.path) for task in tasks)
    seed = seed_for(config.random_seed, "what words are known by")
    matrix = context_vectors(words, parts, seed, show, vectors)
    rows = np.flatnonzero(matrix.any(axis=1))  # without those that always stand alone
    spelt = [words.words.word(row) for row in rows.tolist()]
    return WordVectors(spelt, matrix[rows], words.counts[rows], chinese)


def _of_words(words: CountedWords, known: Vectors, tokenizer: Tokenizer) -> KnownVectors:
    """Find the vectors of those words that have one."""
    row_of = {word: row for row, word in enumerate(known.words)}
    spelt = [tokenizer.join(words.words.word(row)) for row in range(len(words.keys))]
    rows = np.array([row_of.get(word, -1) for word in spelt], np.int64)
    there = np.flatnonzero(rows >= 0)
    return KnownVectors(there, known.matrix[rows[there]])


def _tasks(
    config: DataConfig, corpus: Corpus, folder: str, kept: Optional[KeptWords]
) -> Iterator[WordsTask]:
    if corpus.kind.stored_words is not None:
        kept = None
    if kept:
        kept.make()
    first = 0
    for i, blocks in enumerate(task_blocks(corpus.files)):
        last = first + len(blocks)
        paths = tuple(map(kept.path, range(first, last))) if kept else ()
        yield WordsTask(os.path.join(folder, f"words-{i:05d}"), config, corpus.kind, blocks, paths)
        first = last
