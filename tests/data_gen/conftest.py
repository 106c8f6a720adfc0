"""A vocabulary, an LTP model and a table of similar words, small and real."""

import json
import random

import pytest

from data_gen.config import DataConfig
from data_gen.engine.processes import LocalEngine
from data_gen.jobs.build_synonyms import make_table, plan_table
from data_gen.shared.vocabulary import read_vocabulary
from data_gen.tokenization.sentence_piece import load_sentencepiece
from data_gen.tokenization.training import MODEL_TYPES
from data_gen.tokenization.wordpiece import WordPiece
from tests.conftest import default_settings
from tests.data_gen.helpers import SEGMENTED, VOCAB, show, train_sentencepiece


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


@pytest.fixture(scope="session")
def vectors(root):
    """Random vectors for every second word of the test's text."""
    return f"{root}/tests/data/vectors.bin"


@pytest.fixture(scope="session")
def table(vectors, tmp_path_factory):
    """The path of a table of similar words."""
    path = str(tmp_path_factory.mktemp("table") / "table.safetensors")
    config = default_settings(DataConfig, [f"synonyms.vectors=[{vectors}]"])
    make_table(plan_table(config, None), path, LocalEngine(1), show)
    return path


@pytest.fixture
def rng():
    return random.Random(7)


@pytest.fixture(scope="session")
def sentencepiece_folders(tmp_path_factory):
    """Folders with spiece.model and vocab.txt, by the kind of the model."""
    folders = {kind: str(tmp_path_factory.mktemp(kind)) for kind in MODEL_TYPES}
    for kind, folder in folders.items():
        train_sentencepiece(folder, model_type=kind, character_coverage=1.0)
    return folders


@pytest.fixture(scope="session")
def sentencepieces(sentencepiece_folders):
    return {
        kind: load_sentencepiece(f"{folder}/vocab.txt", f"{folder}/spiece.model", True)
        for kind, folder in sentencepiece_folders.items()
    }
