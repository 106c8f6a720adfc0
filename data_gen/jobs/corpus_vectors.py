"""Word vectors of one's own text, for words that no published file has: word2vec by gensim.

Trained on the words that masking sees, spelled as their pieces ("12-345"), so every word of the
text that is frequent enough is found again, whatever its segmenter and tokenizer.
"""

import os
import re
import shutil
import tempfile
from contextlib import nullcontext
from functools import partial
from itertools import zip_longest
from typing import Callable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.config import DataConfig
from data_gen.core.columns import Array, TokenizedBlock
from data_gen.core.load_once import keep_last
from data_gen.core.progress import Progress
from data_gen.core.word_class import CHINESE_CHARACTERS
from data_gen.corpus.blocks import Block, task_blocks
from data_gen.corpus.input_kinds import Corpus, InputKind
from data_gen.engine.processes import Engine
from data_gen.jobs.kept_words import KeptWords, save_words
from data_gen.pipeline.load import load_document_tokenizer, load_tokenizer
from data_gen.storage.errors import reading
from data_gen.storage.folders import list_names, make_folder
from data_gen.storage.locations import is_url
from data_gen.storage.reading import open_text
from data_gen.storage.writing import atomic_file
from data_gen.synonyms.vector_files import Vectors
from data_gen.synonyms.word2vec import WordVectors, known_words, train_vectors
from data_gen.tokenization.tokenizer import Tokenizer


class WordsTask(NamedTuple):
    """Blocks of text -> their words as pieces, in a file of a sentence a line; and the boundaries
    of the words of each block, if they are to be kept.
    """

    path: str
    config: DataConfig
    kind: InputKind
    blocks: Tuple[Block, ...]
    kept: Tuple[str, ...]  # a path for each block, or none at all


def write_words(task: WordsTask) -> None:
    """Do a task. The file appears whole or not at all."""
    tokenize_documents = load_document_tokenizer(task.config, task.kind.stored_words)
    lines = []
    for documents, path in zip_longest(task.kind.read(task.blocks), task.kept):
        marks = tokenize_documents.mark_words(documents)
        if path:
            save_words(path, marks)
        text, _ = tokenize_documents(documents, marks)
        lines.append(_lines(text, len(tokenize_documents.tokenizer.pieces)))
    with atomic_file(task.path) as handle:  # not around the other files: fsspec's do not nest
        handle.writelines(lines)


def _lines(text: TokenizedBlock, vocabulary: int) -> bytes:
    """Write the words of a text, e.g. b"12-345 6" and a line feed for a sentence of two words."""
    ends = np.zeros(len(text.pieces), np.int64)  # of each piece: number of what follows it
    ends[text.words[1:] - 1] = 1
    ends[text.words[text.sentences[1:]] - 1] = 2
    spelt = _spelt(vocabulary)
    return b"".join(map(spelt.__getitem__, (text.pieces * len(_ENDS) + ends).tolist()))


_ENDS = (b"-", b" ", b"\n")  # of a piece within a word, of a word, of a sentence


@keep_last
def _spelt(vocabulary: int) -> List[bytes]:
    """Return each id with each of _ENDS."""
    return [b"%d%s" % (piece, end) for piece in range(vocabulary) for end in _ENDS]


def vectors_of_text(
    config: DataConfig,
    corpus: Corpus,
    folder: str,
    engine: Engine,
    show: Progress,
    start: Optional[Callable[[], Vectors]] = None,
    kept: Optional[KeptWords] = None,
) -> WordVectors:
    """Segment the text on all cores and train word2vec on it. The result is empty if no word is
    frequent enough.

    start:  reads the vectors of Chinese words to start from; not called for a text without any
    kept:   takes the words of each block, unless they are stored already
    folder: takes the words meanwhile, up to four times the size of the text. An interrupted run is
            resumed from it. If it is a URL, a temporary folder takes the words, too.
    """
    make_folder(folder)
    with tempfile.TemporaryDirectory() if is_url(folder) else nullcontext(folder) as local:
        text = os.path.join(local, "words.txt")
        if not os.path.exists(text):
            _write_text(config, corpus, folder, text, engine, show, kept)
        tokenizer = load_tokenizer(config)
        chinese = _holds_chinese(text, tokenizer)
        known = start() if start and chinese else None
        settings = config.synonyms.word2vec
        first = None
        if known and known.matrix.shape[1] == settings.vector_size:
            first = partial(_vectors_of_words, known, tokenizer)
        model = train_vectors(text, settings, config.random_seed, show, first)
    return known_words(model, str(tokenizer.unk))._replace(chinese=chinese)


def _vectors_of_words(
    known: Vectors, tokenizer: Tokenizer, words: Sequence[str]
) -> Tuple[Array, Array]:
    """Find known vectors of the words of a file of words: see `word2vec.Start`."""
    row_of = {word: row for row, word in enumerate(known.words)}
    rows = np.array(
        [row_of.get(tokenizer.join(map(int, word.split("-"))), -1) for word in words], np.int64
    )
    there = np.flatnonzero(rows >= 0)
    return there, known.matrix[rows[there]]


def _holds_chinese(text: str, tokenizer: Tokenizer) -> bool:
    """Tell if any word of a file of words holds a Chinese character; [UNK] may be one."""
    is_chinese = re.compile(f"[{CHINESE_CHARACTERS}]").search
    ids = {str(i).encode() for i, piece in enumerate(tokenizer.pieces) if is_chinese(piece)}
    with open_text(text) as handle, reading(text):
        return any(not ids.isdisjoint(re.split(rb"[ \n-]", line)) for line in handle)


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


def _write_text(
    config: DataConfig,
    corpus: Corpus,
    folder: str,
    text: str,
    engine: Engine,
    show: Progress,
    kept: Optional[KeptWords],
) -> None:
    """Write the words of all files into one, which appears whole or not at all."""
    tasks = list(_tasks(config, corpus, folder, kept))
    there = set(list_names(folder))
    missing = [task for task in tasks if os.path.basename(task.path) not in there]
    for _ in show("words", len(missing), engine.run(write_words, missing)):
        pass
    with atomic_file(text) as whole:
        for task in tasks:
            with open_text(task.path) as part, reading(task.path):
                shutil.copyfileobj(part, whole)
    if not is_url(folder):  # behind a URL the whole does not outlive an interruption
        for task in tasks:
            os.remove(task.path)
