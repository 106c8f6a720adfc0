"""Train word2vec on the words of a corpus."""

from typing import Any, Callable, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array, Pieces
from data_gen.core.progress import Progress
from data_gen.shared.extras import import_extra
from data_gen.synonyms.config import Word2VecConfig

# Words of the text times epochs that a small text is trained for; where most of its words start
# from vectors of another text, fewer do.
_TRAINED_WORDS = 12_000_000
_TRAINED_FURTHER = 5_600_000

# Bumped with every change of the constants below and of the method: part of a table's provenance.
METHOD = 2
_CBOW = 0  # of gensim's `sg`: finds as many listed synonyms as skip-gram at a third of the cost
_WINDOW = 5  # words to each side; gensim's own
_NEGATIVE = 5  # noise words a word; gensim's own
# Four times gensim's own: a small text is learned in a quarter of the epochs, to the same result.
_RATE = 0.1
_SAMPLE = 0.001  # share of the text from which on a word is passed over now and then; gensim's own
_START_LENGTH = 3.0  # of vectors to start from: about that of trained ones
MOST_WORDS = 1_000_000  # the most frequent ones: a gigabyte of memory


class WordVectors(NamedTuple):
    """W words with their vectors of D dimensions, the most frequent first."""

    words: List[Pieces]  # pieces, none of them [UNK]
    matrix: Array  # float32 [W, D]
    counts: Array  # int64 [W]: how often each stands in the text
    chinese: bool = True  # if any word of the text, however rare, holds a Chinese character


# Words as the text spells them -> which of them have vectors to start from, int [N], and these
# vectors, float32 [N, D].
Start = Callable[[Sequence[str]], Tuple[Array, Array]]


def train_vectors(
    text: str,
    settings: Word2VecConfig,
    seed: int,
    show: Progress,
    start: Optional[Start] = None,
) -> Any:
    """Train on a file of words, a sentence a line; it is read from disk, epoch by epoch."""
    purpose = "similar words from the text (synonyms.word2vec)"
    model = import_extra("gensim.models", "data", purpose).Word2Vec(
        vector_size=settings.vector_size,
        window=_WINDOW,
        min_count=settings.min_count,
        alpha=_RATE,
        sample=_SAMPLE,
        negative=_NEGATIVE,
        sg=_CBOW,
        max_final_vocab=MOST_WORDS,
        workers=settings.threads,
        seed=seed,
    )
    model.build_vocab(corpus_file=text)
    if not len(model.wv):
        return model  # too little text: no word of it has a vector
    if start:
        rows, vectors = start(model.wv.index_to_key)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        model.wv.vectors[rows] = vectors * (_START_LENGTH / lengths)
    epochs = settings.epochs or enough_epochs(model.corpus_total_words, further=bool(start))
    for _ in show("word2vec", epochs, _epochs(model, text, epochs)):
        pass
    return model


def enough_epochs(words: int, further: bool = False) -> int:
    """Choose the number of epochs for a text of so many words; `further`: where they start from
    the vectors of another text.

    Of 0.7 million words, 5 epochs found a listed synonym for 40 % of the frequent words that the
    toolkit lacks, 10 for 46 %; at gensim's own rate 10 found 36 %, 40 found 46 %. Of 2.6 million
    words 4 epochs found one for 45 %, 15 at gensim's own rate for 44 %. Of words of 0.7 million
    whose vectors in the toolkit were hidden, 5 epochs that started from its other vectors found one
    for 33 % of the frequent and 17 % of the rarer; 10 without them for 33 % and 17 %, 5 for 28 %
    and 12 %. Of the rare words that the toolkit lacks 5 epochs lose 3 points either way, hence 8.
    """
    wanted = _TRAINED_FURTHER if further else _TRAINED_WORDS
    return min(max(-(-wanted // words), 5), 10)


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


def known_words(model: Any, unknown: str) -> WordVectors:
    """Take the words without [UNK]: it is nothing to predict, and no word's replacement."""
    split = [key.split("-") for key in model.wv.index_to_key]
    rows = [row for row, pieces in enumerate(split) if unknown not in pieces]
    counts = [model.wv.get_vecattr(row, "count") for row in rows]
    words = [tuple(map(int, split[row])) for row in rows]
    matrix = model.wv.vectors[rows] if rows else np.empty((0, model.vector_size), np.float32)
    return WordVectors(words, matrix, np.array(counts, np.int64))


def candidates(vectors: WordVectors, min_count: int, always: int = 1000) -> Array:
    """Tell which words may replace others, bool [W]: those that stand in the text at least
    `min_count` times, because a vector learned from few places is near to anything; and of every
    size the `always` most frequent, however rare, because a small text has few others.
    """
    sizes = np.array([len(word) for word in vectors.words])
    pool = vectors.counts >= min_count
    for size in np.unique(sizes):
        pool[np.flatnonzero(sizes == size)[:always]] = True
    return pool
