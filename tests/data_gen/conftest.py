"""A vocabulary, an LTP model and a table of similar words, small and real."""

import io
import json
import random

import numpy as np
import pytest

from data_gen import vocab
from data_gen.config import DataConfig
from data_gen.engine import LocalEngine
from data_gen.lexicon import CandidateColumns
from data_gen.pieces import Tokens, word_starts
from data_gen.sentence_piece import SentencePiece, load_sentencepiece
from data_gen.tables import Sources, make_table
from data_gen.types import Examples
from data_gen.vocabulary import read_vocabulary
from data_gen.wordpiece import WordPiece
from tests.conftest import ROOT, default_settings

VOCAB = "configs/vocab/bert_base_chinese.txt"
SEGMENTED = "tests/data/segmented.txt"
TEXT = "tests/data/text.txt"


def word_spans(offsets, boundaries):
    """The words of one sentence as ranges of its pieces."""
    first, last = np.array(offsets, np.int64).reshape(-1, 2).T
    marks = np.zeros(1 + max([0, *last.tolist(), *boundaries]), bool)
    marks[list(boundaries)] = True
    zeros = np.zeros(len(first), np.int64)
    starts = np.flatnonzero(word_starts(Tokens(zeros, first, last), zeros, marks)).tolist()
    return list(zip(starts, [*starts[1:], len(first)]))


@pytest.fixture(scope="session")
def tokenizer(root):
    return WordPiece(read_vocabulary(f"{root}/{VOCAB}"), do_lower_case=True)


@pytest.fixture(scope="session")
def ltp_model(root, tmp_path_factory):
    """An LTP perceptron trained on the tests' own gold words: poor, but the real engine."""
    from ltp_extension.perceptron import Algorithm, CWSTrainer

    folder = tmp_path_factory.mktemp("ltp")
    trainer = CWSTrainer()
    trainer.epoch, trainer.shuffle, trainer.verbose, trainer.eval_threads = 3, False, False, 1
    trainer.algorithm = Algorithm("Pa")
    with open(f"{root}/{SEGMENTED}", encoding="utf-8") as handle:
        gold = [line for line in handle if line.strip()]
    (folder / "gold.txt").write_text("".join(gold), encoding="utf-8")
    trainer.load_train_data(str(folder / "gold.txt"))
    trainer.load_eval_data(str(folder / "gold.txt"))
    trainer.train().save(str(folder / "cws_model.bin"))
    (folder / "config.json").write_text(
        json.dumps({"nerual": False, "tasks": {"cws": "cws_model.bin"}})
    )
    return str(folder)


def write_word2vec(path, words, matrix):
    """A binary word2vec file."""
    with open(path, "wb") as handle:
        handle.write(f"{len(words)} {matrix.shape[1]}\n".encode())
        for word, vector in zip(words, matrix):
            handle.write(word.encode() + b" " + vector.astype("<f4").tobytes() + b"\n")
    return str(path)


@pytest.fixture(scope="session")
def vectors(root):
    """Random vectors for every second word of the test's text."""
    return f"{root}/tests/data/vectors.bin"


@pytest.fixture(scope="session")
def table(vectors, tmp_path_factory):
    """The path of a table of similar words."""
    path = str(tmp_path_factory.mktemp("table") / "table.safetensors")
    make_table(default_settings(DataConfig), Sources((vectors,)), path, LocalEngine(1), show)
    return path


def columns(*examples):
    """Examples, each given on its own, as columns."""

    def column(name):
        return np.array([number for example in examples for number in getattr(example, name)], int)

    return Examples(
        np.arange(len(examples)),
        column("pieces"),
        np.cumsum([0, *(len(example.pieces) for example in examples)]),
        np.array([example.a_stop for example in examples], int),
        np.array([example.label for example in examples], int),
        column("masked_positions"),
        column("masked_labels"),
        np.cumsum([0, *(len(example.masked_positions) for example in examples)]),
    )


class OneByOne:
    """A lookup of similar words that is asked for one word at a time."""

    def candidates(self, keys, words):
        every = [(i, self(words.word(i))) for i in range(len(keys))]
        found = [(i, candidates) for i, candidates in every if candidates]
        yield CandidateColumns(
            np.array([i for i, _ in found], np.int64),
            np.array([len(some) for _, some in found], np.int64),
            np.array([piece for _, some in found for pieces, _ in some for piece in pieces]),
            np.array([similarity for _, some in found for _, similarity in some]),
        )

    def sources(self, keys, words):
        self._words = dict(zip(keys.tolist(), (words.word(i) for i in range(len(keys)))))
        return [self.source(word) for word in self._words.values()]

    def reasons(self, keys):
        return [self.missing(self._words[key]) for key in keys.tolist()]


def show(title, total, results):
    """No progress."""
    return results


@pytest.fixture
def rng():
    return random.Random(7)


def train_sentencepiece(folder, **options):
    """Train a model on the tests' text and write it with its vocab.txt; options of the package."""
    import sentencepiece

    config = default_settings(DataConfig, ["segmenter.name=presegmented"])
    model = io.BytesIO()
    defaults = vocab.sentencepiece_options(config, vocab.Options(size=700))
    lines = []
    for name in (SEGMENTED, TEXT):
        with open(f"{ROOT}/{name}", encoding="utf-8") as handle:
            lines += [line.strip() for line in handle if line.strip()]
    sentencepiece.SentencePieceTrainer.train(
        **{**defaults, **options}, sentence_iterator=iter(lines), model_writer=model
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    pieces = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    with open(f"{folder}/spiece.model", "wb") as handle:
        handle.write(model.getvalue())
    with open(f"{folder}/vocab.txt", "w", encoding="utf-8") as handle:
        handle.writelines(f"{piece}\n" for piece in pieces)
    return SentencePiece(pieces, processor, "of a test")


@pytest.fixture(scope="session")
def sentencepiece_folders(tmp_path_factory):
    """Folders with spiece.model and vocab.txt, by the kind of the model."""
    folders = {kind: str(tmp_path_factory.mktemp(kind)) for kind in vocab.MODEL_TYPES}
    for kind, folder in folders.items():
        train_sentencepiece(folder, model_type=kind, character_coverage=1.0)
    return folders


@pytest.fixture(scope="session")
def sentencepieces(sentencepiece_folders):
    return {
        kind: load_sentencepiece(f"{folder}/vocab.txt", f"{folder}/spiece.model", True)
        for kind, folder in sentencepiece_folders.items()
    }
