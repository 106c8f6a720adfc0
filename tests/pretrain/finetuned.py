"""Fine-tuned models for tests, as folders: made by `finetune`, or with random weights."""

import json
import os
import shutil

from data_gen.shared.files import file_sha256
from pretrain.__main__ import main
from pretrain.checkpoint import store
from pretrain.learning.objective import ObjectiveSettings
from pretrain.learning.objectives import OBJECTIVES
from pretrain.model.config import BertConfig
from tests.pretrain.helpers import MODEL, random_weights
from tests.pretrain.small_model import write_model

VOCAB = "configs/vocab/bert_base_chinese.txt"
TEXTS = [
    "天地日人",
    "月山",
    "水日火",
    "人月木金",
    "日",
    "月月地",
    "金木日",
    "山水月",
    "日日人",
    "火月",
]
CONTEXT = "天地人。日月山水火木金。" * 4
QUESTIONS = [("天", "地人"), ("日", "月山"), ("火", "木金"), ("水", "火"), ("金", "天")]


def finetuned(folder, task, *overrides, write=write_model):
    """Fine-tune a small model, which `write` makes, for a few steps on invented data. Returns the
    folder of its run.
    """
    data, output = os.path.join(str(folder), "data"), os.path.join(str(folder), task)
    os.makedirs(data)
    {"classification": _write_texts, "cmrc2018": _write_questions}[task](data)
    model = write(os.path.join(str(folder), "model"))
    sets = ["max_seq_length=24", "num_train_epochs=2", "train_batch_size=2", *overrides]
    arguments = ["finetune", "--task", task, "--data", data, "--init", model, "--output", output]
    assert main([*arguments, *(f"--set={each}" for each in sets)]) == 0
    return os.path.join(output, "run-1")


def _write_texts(folder):
    for part in ("train", "dev", "test"):
        lines = [f"{'好' if '日' in text else '坏'}\t{text}" for text in TEXTS]
        with open(os.path.join(folder, f"{part}.tsv"), "w", encoding="utf-8") as handle:
            handle.write("\n".join(["label\ttext", *lines]) + "\n")


def _write_questions(folder):
    asked = [
        {
            "id": f"Q{number}",
            "question": question,
            "answers": [{"text": answer, "answer_start": CONTEXT.index(answer)}],
        }
        for number, (question, answer) in enumerate(QUESTIONS)
    ]
    paragraph = {"id": "P", "context": CONTEXT, "qas": asked}
    for part in ("train", "dev"):
        with open(os.path.join(folder, f"cmrc2018_{part}.json"), "w", encoding="utf-8") as handle:
            json.dump(
                {"version": "v1.0", "data": [{"title": "", "paragraphs": [paragraph]}]}, handle
            )


def write_finetuned(folder, objective, labels=(), **config):
    """Write a fine-tuned model with large random weights and Google's vocabulary."""
    os.makedirs(str(folder), exist_ok=True)
    settings = ObjectiveSettings(objective, "none", list(labels))
    values = {**MODEL, **config}
    model = BertConfig(**values)
    shapes = OBJECTIVES[objective].variables(model, settings)
    path = os.path.join(str(folder), "{}").format
    store.save(path("model.ckpt-7"), random_weights(shapes))
    shutil.copy(VOCAB, path("vocab.txt"))
    run = {
        "config": {"objective": objective, "pair_task": "none", "labels": list(labels)},
        "vocab_sha256": file_sha256(path("vocab.txt")),
    }
    for name, content in (("bert_config.json", values), ("run.json", run)):
        with open(path(name), "w", encoding="utf-8") as handle:
            json.dump(content, handle)
    return str(folder)
