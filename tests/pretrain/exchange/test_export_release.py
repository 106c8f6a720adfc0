"""The content of an export, and that it comes back unchanged."""

import filecmp
import json
import os
import shutil

import numpy as np
import pytest

pytest.importorskip("safetensors")
from data_gen.shared.errors import UserError
from pretrain.__main__ import main
from pretrain.checkpoint import store
from pretrain.checkpoint.load import load_model
from pretrain.evaluate.measure import evaluate
from pretrain.exchange.export_release import export_hf, export_tf1
from pretrain.exchange.import_release import import_release
from pretrain.exchange.weight_files import read_tensors
from pretrain.model.bert import init
from pretrain.model.config import BertConfig
from pretrain.runtime.tensorflow import tf
from pretrain.train.loop import train
from tests.pretrain.helpers import DATA, MODEL

FOLDER = "tests/golden/hugging_face"


@pytest.fixture(scope="module")
def trained(settings, root, tmp_path_factory):
    """A training of 10 steps with evaluations."""
    output = str(tmp_path_factory.mktemp("trained") / "model")
    sets = ["num_train_steps=10", "save_checkpoints_steps=5", "heldout_shards=1", "log_steps=5"]
    train(settings(*sets), [os.path.join(root, DATA)], output, None)
    return output


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    """The same as a folder of Hugging Face."""
    pytest.importorskip("tokenizers")
    return export_hf(trained, str(tmp_path_factory.mktemp("hf") / "tiny-macbert"))


def read_json(*path):
    with open(os.path.join(*path), encoding="utf-8") as handle:
        return json.load(handle)


def test_a_folder_of_hugging_face_holds_all_that_a_release_needs(exported):
    assert sorted(os.listdir(exported)) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    ]
    config = read_json(exported, "config.json")
    assert config["architectures"] == ["BertForPreTraining"]
    assert (config["model_type"], config["hidden_act"]) == ("bert", "gelu_new")
    assert {name: config[name] for name in MODEL if name != "hidden_act"} == {
        name: value for name, value in MODEL.items() if name != "hidden_act"
    }
    tokenizer = read_json(exported, "tokenizer_config.json")
    # transformers 5 makes [UNK] of runs of more than 100 characters in its BertTokenizer
    assert tokenizer["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert (tokenizer["model_max_length"], tokenizer["do_lower_case"]) == (48, True)
    marks = {
        entry["content"]: entry["id"]
        for entry in read_json(exported, "tokenizer.json")["added_tokens"]
    }
    assert marks == {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103}


def test_from_tf1_to_hugging_face_and_back_is_the_same_to_the_bit(trained, tmp_path):
    pytest.importorskip("tokenizers")
    first = export_tf1(trained, str(tmp_path / "a"))
    there = export_hf(first, str(tmp_path / "hf"))
    back = export_tf1(import_release("hf", there, str(tmp_path / "in")), str(tmp_path / "b"))
    ours, theirs = store.read(first), store.read(back)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        assert array.dtype == theirs[name].dtype
        assert array.tobytes() == theirs[name].tobytes(), name
    for name in sorted(os.listdir(str(tmp_path / "a"))):
        paths = [str(tmp_path / folder / name) for folder in "ab"]
        assert filecmp.cmp(*paths, shallow=False), name


def test_a_model_that_went_there_and_back_is_as_good(trained, exported, tmp_path):
    back = import_release("hf", exported, str(tmp_path / "in"))
    assert evaluate(load_model(back), DATA) == {
        **evaluate(load_model(trained), DATA),
        "checkpoint": back,
    }


def test_a_folder_of_transformers_comes_back_as_it_was(tmp_path):
    """Every name and number of a file that transformers itself wrote."""
    pytest.importorskip("tokenizers")
    taken = import_release("hf", FOLDER, str(tmp_path / "in"))
    there = export_hf(taken, str(tmp_path / "out"))
    ours, theirs = read_tensors(there), read_tensors(FOLDER)
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
    ours, theirs = (read_json(folder, "config.json") for folder in (there, FOLDER))
    for name in ours.keys() & theirs.keys():
        assert ours[name] == theirs[name], name
    ours, theirs = (read_json(folder, "tokenizer.json") for folder in (there, FOLDER))
    assert ours["model"].pop("max_input_chars_per_word") == 200  # Google's
    theirs["model"].pop("max_input_chars_per_word")
    assert ours == theirs


def test_a_release_is_in_float32(folder_of, tmp_path):
    """Google's code restores nothing else."""
    folder = folder_of()
    prefix = store.find(folder)
    halves = {n: a.astype(np.float16) for n, a in store.read(prefix).items() if a.ndim}
    store.save(prefix, {name: tf.constant(array) for name, array in halves.items()})
    found = store.read(export_tf1(folder, str(tmp_path / "out")))
    assert {array.dtype for array in found.values()} == {np.dtype("float32")}


def test_google_is_told_the_form_of_gelu_that_it_knows(tmp_path, capsys):
    taken = import_release("hf", FOLDER, str(tmp_path / "in"))
    capsys.readouterr()
    release = export_tf1(taken, str(tmp_path / "out"))
    assert "Google's code has no gelu_erf, so bert_config.json says gelu" in capsys.readouterr().err
    assert load_model(release).config.hidden_act == "gelu"


@pytest.fixture
def folder_of(tmp_path, root):
    """A folder with an untrained model, but for some weights."""

    def make(without=(), pieces="configs/vocab/bert_base_chinese.txt"):
        folder = tmp_path / "model"
        folder.mkdir()
        variables = init(BertConfig(**MODEL), 1)
        weights = {n: v for n, v in variables.items() if not n.startswith(tuple(without))}
        store.save(str(folder / "model.ckpt-1"), weights)
        (folder / "bert_config.json").write_text(json.dumps(MODEL))
        shutil.copy(os.path.join(root, pieces), str(folder / "vocab.txt"))
        return str(folder)

    return make


@pytest.mark.parametrize(
    ("without", "architecture", "loads"),
    [
        (("cls/",), "BertModel", "It loads as `BertModel`."),
        (("cls/seq_relationship/",), "BertForMaskedLM", "`BertModel`, `BertForMaskedLM`."),
        (("cls/seq_relationship/", "bert/pooler/"), "BertForMaskedLM", "as `BertForMaskedLM`."),
    ],
)
def test_absent_heads_are_said(folder_of, tmp_path, capsys, without, architecture, loads):
    pytest.importorskip("tokenizers")
    output = export_hf(folder_of(without), str(tmp_path / "out"))
    assert "no pair head: " in capsys.readouterr().err
    assert read_json(output, "config.json")["architectures"] == [architecture]
    with open(os.path.join(output, "README.md"), encoding="utf-8") as handle:
        card = handle.read()
    assert loads in card
    assert ("pipeline(" in card) == (architecture == "BertForMaskedLM")


def test_what_is_unknown_is_not_in_the_card(folder_of, tmp_path):
    pytest.importorskip("tokenizers")
    output = export_hf(folder_of(), str(tmp_path / "out"))
    with open(os.path.join(output, "README.md"), encoding="utf-8") as handle:
        card = handle.read()
    headings = [line for line in card.splitlines() if line.startswith("#")]
    assert headings == ["# out", "## Use"]
    assert "None" not in card


def test_the_card_tells_recipe_data_and_curve(exported, info):
    with open(os.path.join(exported, "README.md"), encoding="utf-8") as handle:
        card = handle.read()
    head, text = card.split("---\n\n", 1)
    assert head.splitlines()[1:4] == [
        "language: zh",
        "library_name: transformers",
        "pipeline_tag: fill-mask",
    ]
    assert "- whole-word-masking\n- mlm-as-correction\n" in head
    assert text.startswith("# tiny-macbert\n")
    assert ", after 10 steps of training. It reads up to 48 pieces." in text
    assert "| learning_rate | 0.02 |" in text
    assert f"| fingerprint | `{info.fingerprint}` |" in text
    assert f"| instances | {info.examples} |" in text
    assert "| put there | " in text
    assert "held-out examples, after step 10:" in text
    assert "| spread over texts: [CLS] | 0." in text
    assert "\n[CLS] is nearly the same for all texts (its spread is " in text
    curve = text.split("## Curve")[1]
    assert [line.split(" ")[1] for line in curve.splitlines()[4:]] == ["step", "---", "5", "10"]


def test_the_card_of_an_earlier_step_ends_there(trained, tmp_path):
    pytest.importorskip("tokenizers")
    output = export_hf(os.path.join(trained, "model.ckpt-5"), str(tmp_path / "out"))
    with open(os.path.join(output, "README.md"), encoding="utf-8") as handle:
        card = handle.read()
    assert "held-out examples, after step 5:" in card
    assert "after 5 steps of training" in card
    assert "| 10 |" not in card.split("## Curve")[1]


def test_the_card_tells_stages_and_where_it_started(folder_of, tmp_path):
    pytest.importorskip("tokenizers")
    folder = folder_of()
    stage = {"max_seq_length": 128, "num_train_steps": 90, "learning_rate": None}
    replace(
        folder + "/run.json",  # as a training wrote it before there were statistics
        {
            "config": {"learning_rate": 0.1, "pair_task": "none", "stages": [stage, {}]},
            "data": ["f1", "f2"],
            "init_checkpoint": "/somewhere/bert_model.ckpt",
            "init_sha256": "abc",
        },
    )
    output = export_hf(folder, str(tmp_path / "out"))
    with open(os.path.join(output, "README.md"), encoding="utf-8") as handle:
        card = handle.read()
    assert "| stage 1 | max_seq_length 128, learning_rate 0.1, num_train_steps 90 |" in card
    assert "| stage 2 | learning_rate 0.1 |" in card
    assert "| learning_rate |" not in card
    assert "| pair task | not trained |" in card
    assert "| started from | bert_model.ckpt |" in card
    assert "somewhere" not in card
    assert "| data set 2 |  |\n| --- | --- |\n| fingerprint | `f2` |" in card


def test_statistics_do_not_decide_a_resume(trained, settings, root, tmp_path):
    """A training that was begun before run.json had them goes on."""
    folder = shutil.copytree(trained, str(tmp_path / "model"))
    run = read_json(folder, "run.json")
    assert run.pop("data_statistics")[0]["instances"] > 0
    with open(os.path.join(folder, "run.json"), "w", encoding="utf-8") as handle:
        json.dump(run, handle)
    sets = ["num_train_steps=10", "save_checkpoints_steps=5", "heldout_shards=1", "log_steps=5"]
    train(settings(*sets), [os.path.join(root, DATA)], folder, None)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda folder: os.remove(folder + "/vocab.txt"), "vocab.txt is missing"),
        (lambda folder: os.remove(folder + "/bert_config.json"), "bert_config.json is missing"),
        (
            lambda folder: replace(folder + "/bert_config.json", {**MODEL, "hidden_size": 8}),
            "word_embeddings is 21128 x 16 in .*, 21128 x 8 by its configuration",
        ),
        (
            lambda folder: add_piece(folder + "/vocab.txt"),
            "vocab.txt has 21129 pieces, the embedding 21128 rows",
        ),
        (
            lambda folder: replace(
                folder + "/tokenizer_config.json", {"tokenizer_class": "sentencepiece"}
            ),
            "is sentencepiece, which is no BertTokenizer: export it with --format tf1",
        ),
    ],
)
def test_what_does_not_belong_together_is_one_sentence(folder_of, tmp_path, spoil, sentence):
    folder = folder_of()
    spoil(folder)
    with pytest.raises(UserError, match=sentence):
        export_hf(folder, str(tmp_path / "out"))
    assert not os.path.exists(str(tmp_path / "out"))


def add_piece(path):
    with open(path, "a", encoding="utf-8") as handle:
        handle.write("another\n")


def replace(path, value):
    with open(path, "w", encoding="utf-8") as handle:
        json.dump(value, handle)


@pytest.mark.parametrize("package", ["safetensors", "tokenizers"])
def test_a_missing_package_is_named(folder_of, tmp_path, monkeypatch, package):
    pytest.importorskip("tokenizers")
    for name in (package, f"{package}.numpy"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(UserError, match=rf"package {package}, .*pip install .*\[hf\]"):
        export_hf(folder_of(), str(tmp_path / "out"))


def test_a_count_is_for_a_saved_model(capsys):
    arguments = ["export", "--format", "hf", "--model", "x", "--output", "y", "--count", "3"]
    assert main(arguments) == 1
    assert "--count is about the proposals of --format saved_model" in capsys.readouterr().err
