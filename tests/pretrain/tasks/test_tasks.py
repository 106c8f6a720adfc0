import gzip
import json
import os
import sys

import pytest
import yaml

from data_gen.shared.errors import UserError
from pretrain.tasks.examples import TextExample
from pretrain.tasks.published import PUBLISHED
from pretrain.tasks.read_texts import read_classification
from pretrain.tasks.task import Task, find_parts
from pretrain.tasks.tasks import TASKS

MEASURES = {
    "classification": {"accuracy", "macro_f1", "matthews"},
    "span": {"average", "exact_match", "f1"},
}


def test_the_table():
    assert list(TASKS) == [
        *("cmrc2018", "drcd", "xnli", "chnsenticorp", "lcqmc", "bq"),
        *("afqmc", "tnews", "ocnli", "cluewsc", "classification", "pair"),
    ]
    assert len(TASKS["tnews"].labels) == 15


@pytest.mark.parametrize("name", list(TASKS))
def test_an_entry_is_whole(name):
    task = TASKS[name]
    assert task.measures
    assert set(task.measures) <= MEASURES[task.objective]
    assert os.path.isfile(f"configs/finetune/{task.preset}.yaml")
    assert set(task.files) == {"train", "dev", "test"}
    assert task.published == PUBLISHED.get(name, {})
    for measures in task.published.values():
        assert set(measures) <= set(task.measures)


def test_a_new_entry_reads_its_files(write, tmp_path, monkeypatch):
    toy = Task(
        title="tone",
        objective="classification",
        files={"train": ("tone.train.csv",), "dev": ("tone.dev.csv",)},
        read=read_classification,
        measures=("accuracy",),
        preset="classification",
    )
    monkeypatch.setitem(TASKS, "toy", toy)
    write("tone.train.csv", "review,label\n好吃,1\n难吃,0\n")
    task = TASKS["toy"]
    parts = find_parts(task, str(tmp_path))
    assert parts == {"train": str(tmp_path / "tone.train.csv")}
    assert task.read(parts["train"])[1] == TextExample("line 3", "难吃", None, "0")
    assert task.labels is None
    assert task.published == {}


def test_parts_by_their_published_names(write, tmp_path):
    for name in ("train.3k.json", "train.10k.json", "dev.json", "notes.txt"):
        write(name, "")
    assert find_parts(TASKS["ocnli"], str(tmp_path)) == {
        "train": str(tmp_path / "train.10k.json"),
        "dev": str(tmp_path / "dev.json"),
    }
    write("XNLI-MT-1.0/multinli/multinli.train.zh.tsv", "")
    write("XNLI-1.0/xnli.test.tsv", "")
    parts = find_parts(TASKS["xnli"], str(tmp_path))
    assert parts["train"] == str(tmp_path / "XNLI-MT-1.0/multinli/multinli.train.zh.tsv")
    assert parts["test"] == str(tmp_path / "XNLI-1.0/xnli.test.tsv")


def test_a_missing_part_is_named_with_what_is_there(write, tmp_path):
    folder = str(tmp_path)
    with pytest.raises(UserError, match=r"has no train part of DRCD.*it has no files at all"):
        find_parts(TASKS["drcd"], folder)
    write("DRCD_dev.json", "")
    with pytest.raises(UserError) as caught:
        find_parts(TASKS["drcd"], folder)
    assert str(caught.value) == (
        f"{folder} has no train part of DRCD, which is DRCD_training.json, DRCD_train.json, "
        "train.tsv, train.csv, train.json, train.jsonl, train.txt (or that with .gz, .bz2, .xz, "
        ".zst); it has DRCD_dev.json"
    )
    assert list(find_parts(TASKS["drcd"], folder, asked=("dev",))) == ["dev"]
    with pytest.raises(UserError, match="no test part"):
        find_parts(TASKS["drcd"], folder, asked=("dev", "test"))
    with pytest.raises(UserError, match=r"cannot read the folder .*nowhere"):
        find_parts(TASKS["drcd"], os.path.join(folder, "nowhere"))


@pytest.mark.skipif(sys.version_info < (3, 9), reason="packed files need the generator")
def test_a_packed_part(write, tmp_path):
    pytest.importorskip("zstandard")
    line = json.dumps({"sentence": "上课时学生手机响个不停", "keywords": "", "label": "108"})
    path = write("train.json.gz", gzip.compress(line.encode()))
    assert find_parts(TASKS["tnews"], str(tmp_path)) == {"train": path}
    assert TASKS["tnews"].read(path) == [
        TextExample("line 1", "上课时学生手机响个不停", None, "108")
    ]


# Source: arXiv 1906.08101v3, Table IV: length, epochs, rate. Batches: configs/finetune/base.yaml.
@pytest.mark.parametrize(
    ("name", "length", "epochs", "rate", "batch"),
    [
        ("cmrc2018", 512, 2, 3e-5, 32),
        ("drcd", 512, 2, 3e-5, 32),
        ("xnli", 128, 2, 3e-5, 64),
        ("chnsenticorp", 256, 3, 2e-5, 64),
        ("lcqmc", 128, 3, 2e-5, 64),
        ("bq", 128, 3, 3e-5, 64),
        ("tnews", 128, 3, 2e-5, 64),
        ("ocnli", 128, 3, 2e-5, 64),
    ],
)
def test_presets_are_the_papers(name, length, epochs, rate, batch):
    values = {}
    for preset in ("base", TASKS[name].preset):
        with open(f"configs/finetune/{preset}.yaml", encoding="utf-8") as handle:
            values.update(yaml.safe_load(handle))
    keys = ("max_seq_length", "num_train_epochs", "learning_rate", "train_batch_size")
    assert tuple(values[key] for key in keys) == (length, epochs, rate, batch)
