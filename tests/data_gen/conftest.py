"""A vocabulary, an LTP model and a table of similar words, small and real."""

import json
import random

import pytest

from data_gen.features import file_sha256
from data_gen.synonyms import build_table
from data_gen.wordpiece import WordPiece, read_vocabulary

VOCAB = "configs/vocab/bert_base_chinese.txt"
SEGMENTED = "tests/data/segmented.txt"
TEXT = "tests/data/text.txt"


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
def table(root, tokenizer, vectors, tmp_path_factory):
    """The path of a table of similar words."""
    path = str(tmp_path_factory.mktemp("table") / "table.npz")
    build_table(vectors, tokenizer, file_sha256(f"{root}/{VOCAB}"), top_k=10).save(path)
    return path


@pytest.fixture
def rng():
    return random.Random(7)
