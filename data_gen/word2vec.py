"""Word vectors of one's own text, for the words that no published file has: word2vec by gensim.

Trained on the words that masking sees, spelled as their pieces ("12-345"), so every word of the
text that is frequent enough is found again, whatever its segmenter and tokenizer.
"""

import os
import shutil
import tempfile
from contextlib import nullcontext
from typing import Any, Iterable, List, NamedTuple, Sequence, Tuple

import numpy as np

from data_gen import corpus
from data_gen.config import DataConfig, Word2VecConfig
from data_gen.corpus import Block, InputFile
from data_gen.engine import Engine
from data_gen.outputs import atomic_file, list_names, make_folder
from data_gen.progress import Show
from data_gen.sentences import load_sentence_maker
from data_gen.stats import Counts
from data_gen.storage import is_url, open_text, reading
from data_gen.types import Array, Pieces

# Of every size the most frequent words are candidates, however rare: a small text has few others.
_ALWAYS_CANDIDATES = 1000

_TRAINED_WORDS = 40_000_000  # words of the text times epochs that a small text is trained for


class WordVectors(NamedTuple):
    """W words with their vectors of D dimensions, the most frequent first."""

    words: List[Pieces]  # pieces, none of them [UNK]
    matrix: Array  # float32 [W, D]
    counts: Array  # int64 [W]: how often each stands in the text


class WordsTask(NamedTuple):
    """Blocks of text -> their words as pieces, in a file of a sentence a line."""

    path: str
    config: DataConfig
    blocks: Tuple[Block, ...]


def write_words(task: WordsTask) -> None:
    """Do a task; the file appears whole or not at all."""
    make_sentences = load_sentence_maker(task.config)
    with atomic_file(task.path) as handle:
        for documents in corpus.read_blocks(task.blocks, task.config.corpus):
            text = make_sentences(documents, Counts())
            handle.writelines(_line(words) for words in text.sentence_words())


def _line(words: Sequence[Pieces]) -> bytes:
    return (" ".join("-".join(map(str, word)) for word in words) + "\n").encode()


def vectors_of_text(
    config: DataConfig, files: Sequence[InputFile], folder: str, engine: Engine, show: Show
) -> WordVectors:
    """Segment the text on all cores and train word2vec on it. No word, where none is frequent
    enough.

    `folder` takes the words meanwhile, up to four times the size of the text; what an interrupted
    run left there is used. Where it is a URL, a temporary folder takes them, too.
    """
    make_folder(folder)
    with tempfile.TemporaryDirectory() if is_url(folder) else nullcontext(folder) as local:
        text = os.path.join(local, "words.txt")
        if not os.path.exists(text):
            _write_text(config, files, folder, text, engine, show)
        model = _train(text, config.synonyms.word2vec, config.random_seed, show)
    unknown = str(load_sentence_maker(config).tokenizer.unk)
    return _known_words(model, unknown)


def _write_text(
    config: DataConfig,
    files: Sequence[InputFile],
    folder: str,
    text: str,
    engine: Engine,
    show: Show,
) -> None:
    """Write the words of all files into one, which appears whole or not at all."""
    tasks = [
        WordsTask(os.path.join(folder, f"words-{i:05d}"), config, blocks)
        for i, blocks in enumerate(corpus.task_blocks(files))
    ]
    there = set(list_names(folder))
    missing = [task for task in tasks if os.path.basename(task.path) not in there]
    for _ in show("words", len(missing), engine.run(write_words, missing)):
        pass
    with atomic_file(text) as whole:
        for task in tasks:
            with open_text(task.path) as part, reading(task.path):
                shutil.copyfileobj(part, whole)
    if not is_url(folder):  # there the whole does not outlive an interruption
        for task in tasks:
            os.remove(task.path)


def _train(text: str, settings: Word2VecConfig, seed: int, show: Show) -> Any:
    """Train on a file of words, a sentence a line; it is read from disk, epoch by epoch."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=settings.vector_size,
        window=settings.window,
        min_count=settings.min_count,
        sample=settings.sample,
        negative=settings.negative,
        sg=int(settings.algorithm == "skipgram"),
        max_final_vocab=settings.max_words,
        workers=settings.threads,
        seed=seed,
    )
    model.build_vocab(corpus_file=text)
    if not len(model.wv):
        return model  # too little text: no word of it has a vector
    # Of 0.7 million words, 10 epochs found a listed synonym for 39 % of the frequent words that the
    # toolkit lacks, 40 for 51 %.
    enough = -(-_TRAINED_WORDS // model.corpus_total_words)
    epochs = settings.epochs or min(max(enough, 10), 40)
    for _ in show("word2vec", epochs, _epochs(model, text, epochs)):
        pass
    return model


def _epochs(model: Any, text: str, epochs: int) -> Iterable[int]:
    """Train epoch by epoch: the learning rate falls as it would in one call."""
    first, last = model.alpha, model.min_alpha
    for epoch in range(epochs):
        model.train(
            corpus_file=text,
            total_examples=model.corpus_count,
            total_words=model.corpus_total_words,
            epochs=1,
            start_alpha=first - (first - last) * epoch / epochs,
            end_alpha=first - (first - last) * (epoch + 1) / epochs,
        )
        yield epoch


def _known_words(model: Any, unknown: str) -> WordVectors:
    """The words without [UNK]: it is nothing to predict, and no word's replacement."""
    split = [key.split("-") for key in model.wv.index_to_key]
    rows = [row for row, pieces in enumerate(split) if unknown not in pieces]
    counts = [model.wv.get_vecattr(row, "count") for row in rows]
    words = [tuple(map(int, split[row])) for row in rows]
    matrix = model.wv.vectors[rows] if rows else np.empty((0, model.vector_size), np.float32)
    return WordVectors(words, matrix, np.array(counts, np.int64))


def candidates(vectors: WordVectors, min_count: int) -> Array:
    """Which words may replace others, bool [W]: a vector learned from few places is near to
    anything.
    """
    sizes = np.array([len(word) for word in vectors.words])
    pool = vectors.counts >= min_count
    for size in np.unique(sizes):
        pool[np.flatnonzero(sizes == size)[:_ALWAYS_CANDIDATES]] = True
    return pool
