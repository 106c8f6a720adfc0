import json
import random

import pytest

from pretrain.finetune.config import FinetuneSettings
from pretrain.text import tokenizer
from tests.pretrain.small_model import FakeTokenizer, write_model

FILLING = "日月山水火木金"
CLASSES = "天日月山", "地水火木"
SETTINGS = FinetuneSettings(
    max_seq_length=16,
    num_train_epochs=3,
    learning_rate=0.02,
    train_batch_size=8,
    log_steps=5,
    pad_to=4,
    doc_stride=4,
    max_query_length=4,
    max_answer_length=3,
    n_best=5,
)


@pytest.fixture(autouse=True)
def fake_tokenizer(monkeypatch):
    """A tokenizer that Python 3.7 has, too."""
    monkeypatch.setattr(tokenizer, "load_tokenizer", lambda folder: FakeTokenizer())


@pytest.fixture
def model(tmp_path):
    return write_model(tmp_path / "model", initializer_range=0.2)


def write_texts(folder, parts):
    """Texts of some characters (label 0) or of others (label 1), as train.tsv and so on."""
    folder.mkdir()
    draws = random.Random(5)
    for part, count in parts.items():
        lines = ["label\ttext"]
        for number in range(count):
            characters = draws.choices(CLASSES[number % 2], k=draws.randint(2, 12))
            lines.append(f"{number % 2}\t{''.join(characters)}")
        (folder / f"{part}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(folder)


@pytest.fixture
def texts(tmp_path):
    return write_texts(tmp_path / "texts", {"train": 64, "dev": 20, "test": 30})


@pytest.fixture
def questions(tmp_path):
    """Questions for the character after 人, in paragraphs of several windows."""
    folder = tmp_path / "questions"
    folder.mkdir()
    draws = random.Random(6)
    for part, count in (("train", 48), ("dev", 12)):
        paragraphs = []
        for number in range(count):
            characters = draws.choices(FILLING, k=draws.randint(4, 20))
            place = draws.randint(0, len(characters) - 1)
            context = "".join([*characters[:place], "人", *characters[place:]])
            answer = {"text": context[place + 1], "answer_start": place + 1}
            qas = [{"id": f"{part}-{number}", "question": "人?", "answers": [answer]}]
            paragraphs.append({"context": context, "qas": qas})
        text = json.dumps({"version": "1", "data": [{"paragraphs": paragraphs}]})
        (folder / f"{part}.json").write_text(text, encoding="utf-8")
    return str(folder)
