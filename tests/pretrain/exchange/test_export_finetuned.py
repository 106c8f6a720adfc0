"""Fine-tuned models in the forms of other programs."""

import json
import os
import shutil

import numpy as np
import pytest

pytest.importorskip("safetensors")
pytest.importorskip("tokenizers")
from data_gen.shared.errors import UserError
from pretrain.__main__ import main
from pretrain.checkpoint import store
from pretrain.checkpoint.load import load_model
from pretrain.exchange.export_release import export_hf, export_saved_model, export_tf1
from pretrain.exchange.import_release import import_release
from pretrain.exchange.weight_files import read_tensors
from pretrain.learning import classification, span
from pretrain.runtime.tensorflow import is_version_1, tf
from tests.pretrain.finetuned import finetuned, write_finetuned

needs_2 = pytest.mark.skipif(is_version_1(), reason="needs TensorFlow 2")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return finetuned(tmp_path_factory.mktemp("labels"), "classification")


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return finetuned(tmp_path_factory.mktemp("spans"), "cmrc2018")


def read_json(*path):
    with open(os.path.join(*path), encoding="utf-8") as handle:
        return json.load(handle)


def read_card(folder):
    with open(os.path.join(folder, "README.md"), encoding="utf-8") as handle:
        return handle.read()


def test_a_classifier_has_its_labels_and_the_names_of_transformers(classifier, tmp_path):
    output = export_hf(classifier, str(tmp_path / "out"))
    config, tensors = read_json(output, "config.json"), read_tensors(output)
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert config["id2label"] == {"0": "坏", "1": "好"}
    assert config["label2id"] == {"坏": 0, "好": 1}
    assert config["problem_type"] == "single_label_classification"
    assert config["classifier_dropout"] is None
    weights = store.read(store.find(classifier))
    assert tensors["classifier.weight"].shape == (2, 8)
    assert np.array_equal(tensors["classifier.weight"], weights["output_weights"])
    assert np.array_equal(tensors["classifier.bias"], weights["output_bias"])
    pooler = weights["bert/pooler/dense/kernel"].T
    assert np.array_equal(tensors["bert.pooler.dense.weight"], pooler)
    others = [name for name in tensors if not name.startswith("bert.")]
    assert sorted(others) == ["classifier.bias", "classifier.weight"]


def test_a_reader_of_spans_leaves_the_pooler_out_and_says_so(reader, tmp_path, capsys):
    output = export_hf(reader, str(tmp_path / "out"))
    said = capsys.readouterr().err
    assert "left out: the pooler, which BertForQuestionAnswering has no place for" in said
    assert "masked LM" not in said
    config, tensors = read_json(output, "config.json"), read_tensors(output)
    assert config["architectures"] == ["BertForQuestionAnswering"]
    assert "id2label" not in config
    weights = store.read(store.find(reader))
    assert tensors["qa_outputs.weight"].shape == (2, 8)
    assert np.array_equal(tensors["qa_outputs.weight"], weights["cls/squad/output_weights"])
    assert np.array_equal(tensors["qa_outputs.bias"], weights["cls/squad/output_bias"])
    others = [name for name in tensors if not name.startswith(("bert.em", "bert.encoder."))]
    assert sorted(others) == ["qa_outputs.bias", "qa_outputs.weight"]


def test_the_card_tells_task_labels_and_measures(classifier, tmp_path):
    card = read_card(export_hf(classifier, str(tmp_path / "out")))
    result = read_json(classifier, "result.json")
    assert "pipeline_tag: text-classification\n" in card
    assert 'pipeline("text-classification", model="FOLDER_OR_HUB_ID")' in card
    assert "fill-mask" not in card
    assert "It loads as `BertModel`, `BertForSequenceClassification`." in card
    assert "| labels | `坏`, `好` |" in card
    epoch = result["best_epoch"]
    assert f"One run, seed 1; epoch {epoch} of 2, chosen on dev, never on test." in card
    dev, test = (result[part]["accuracy"] for part in ("dev", "test"))
    assert (
        f"| measure | dev | test |\n| --- | --- | --- |\n| accuracy | {dev:.4f} | {test:.4f} |"
        in card
    )
    assert "pair task" not in card


def test_the_card_of_spans(reader, tmp_path):
    card = read_card(export_hf(reader, str(tmp_path / "out")))
    assert "pipeline_tag: question-answering\n" in card
    assert "| task | CMRC 2018 |" in card
    assert f"| exact_match | {read_json(reader, 'result.json')['dev']['exact_match']:.4f} |" in card
    assert "It loads as `BertForQuestionAnswering`." in card


def test_the_card_of_a_checkpoint_without_its_run_has_no_measures(classifier, tmp_path):
    folder = shutil.copytree(classifier, str(tmp_path / "a" / "run-1"))
    os.remove(os.path.join(folder, "result.json"))
    card = read_card(export_hf(folder, str(tmp_path / "out")))
    assert "| labels | `坏`, `好` |" in card
    assert "| task |" not in card
    assert "measure" not in card
    assert "None" not in card


@pytest.mark.parametrize("kind", ["classifier", "reader"])
def test_googles_form_keeps_the_head_and_can_be_used(request, kind, tmp_path):
    source = request.getfixturevalue(kind)
    release = export_tf1(source, str(tmp_path / "tf1"))
    ours, theirs = store.read(store.find(source)), store.read(release)
    assert theirs.keys() == ours.keys() - {store.GLOBAL_STEP}
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
    assert load_model(release).settings == load_model(source).settings
    assert str(tmp_path) not in (tmp_path / "tf1" / "run.json").read_text(encoding="utf-8")
    first, second = (
        read_tensors(export_hf(each, str(tmp_path / name)))
        for each, name in ((source, "a"), (release, "b"))
    )
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        ("classifier", "(classifier.bias, classifier.weight)"),
        ("reader", "(qa_outputs.bias, qa_outputs.weight)"),
    ],
)
def test_an_import_takes_the_encoder_and_says_so(request, kind, head, tmp_path, capsys):
    source = request.getfixturevalue(kind)
    there = export_hf(source, str(tmp_path / "hf"))
    capsys.readouterr()
    back = store.read(import_release("hf", there, str(tmp_path / "in")))
    sentence = f"the source is fine-tuned: its encoder is imported, the head of its task {head} is"
    assert sentence in capsys.readouterr().err
    ours = store.read(store.find(source))
    assert {name for name in back if not name.startswith("bert/")} == set()
    assert all(np.array_equal(ours[name], back[name]) for name in back)
    assert "bert/encoder/layer_0/output/dense/kernel" in back


def test_a_head_that_does_not_fit_is_one_sentence(tmp_path):
    folder = write_finetuned(tmp_path / "model", "classification", ["a", "b"])
    run = read_json(folder, "run.json")
    run["config"]["labels"] = ["a", "b", "c"]
    with open(os.path.join(folder, "run.json"), "w") as handle:
        json.dump(run, handle)
    with pytest.raises(UserError, match=r"output_weights is 2 x 16 in .*, 3 x 16 by its config"):
        export_hf(folder, str(tmp_path / "out"))
    prefix = store.find(folder)
    kept = {n: tf.constant(a) for n, a in store.read(prefix).items() if n != "output_bias"}
    store.save(prefix, kept)
    run["config"]["labels"] = ["a", "b"]
    with open(os.path.join(folder, "run.json"), "w") as handle:
        json.dump(run, handle)
    with pytest.raises(UserError, match="lacks output_bias"):
        export_tf1(folder, str(tmp_path / "out"))


def batch_of(rows, length):
    rng = np.random.RandomState(rows)
    ids = rng.randint(5, 20, size=(rows, length)).astype(np.int32)
    mask, segments = np.ones_like(ids), np.zeros_like(ids)
    mask[0, length - 2 :] = 0
    segments[:, length // 2 :] = 1
    arrays = {"input_ids": ids, "input_mask": mask, "segment_ids": segments}
    return {name: tf.constant(array) for name, array in arrays.items()}


@needs_2
def test_a_saved_model_classifies(classifier, tmp_path):
    folder = export_saved_model(classifier, str(tmp_path / "out"))
    assert (tmp_path / "out/assets/labels.txt").read_text(encoding="utf-8") == "坏\n好\n"
    saved, model = tf.saved_model.load(folder), load_model(classifier)
    assert sorted(saved.signatures) == ["classify", "encode"]
    batch = batch_of(3, 12)
    found = saved.signatures["classify"](**batch)["probabilities"].numpy()
    scores = np.exp(classification.logits(model.variables, batch, model.config).numpy())
    assert np.abs(found - scores / scores.sum(axis=-1, keepdims=True)).max() < 1e-6


@needs_2
def test_a_saved_model_answers(reader, tmp_path):
    folder = export_saved_model(reader, str(tmp_path / "out"))
    saved, model = tf.saved_model.load(folder), load_model(reader)
    assert not os.path.exists(os.path.join(folder, "assets", "labels.txt"))
    batch = batch_of(2, 9)
    found = saved.signatures["answer"](**batch)
    scores = span.logits(model.variables, batch, model.config).numpy()
    assert np.abs(found["start_scores"].numpy() - scores[0]).max() < 1e-6
    assert np.abs(found["end_scores"].numpy() - scores[1]).max() < 1e-6


def test_a_count_is_of_proposals(classifier, tmp_path, capsys):
    arguments = ["export", "--format", "saved_model", "--model", classifier, "--count", "3"]
    assert main([*arguments, "--output", str(tmp_path / "out")]) == 1
    assert "is fine-tuned and proposes no pieces: leave out --count" in capsys.readouterr().err
