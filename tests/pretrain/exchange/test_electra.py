"""Both halves of an ELECTRA in other programs' forms, and back."""

import json
import os
import shutil
import subprocess

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
from pretrain.model.config import read_bert_config
from pretrain.model.electra import discriminator_scores, electra_shapes, generator_scores, put
from pretrain.runtime.tensorflow import is_version_1, tf
from pretrain.train.loop import train
from tests.pretrain.helpers import DATA, ELECTRA, random_weights

OTHER = os.environ.get("OTHER_PYTHON")
GOOGLE = os.environ.get("GOOGLE_ELECTRA")
VOCAB = "configs/vocab/bert_base_chinese.txt"


@pytest.fixture(scope="module")
def released(root, tmp_path_factory):
    """A folder with weights far from the initial ones."""
    folder = tmp_path_factory.mktemp("electra")
    model = read_bert_config(os.path.join(root, ELECTRA))
    weights = random_weights(electra_shapes(model))
    store.save(str(folder / "bert_model.ckpt"), {n: tf.constant(x) for n, x in weights.items()})
    (folder / "bert_config.json").write_text(json.dumps(model.as_json()))
    with open(os.path.join(root, VOCAB), encoding="utf-8") as handle:
        (folder / "vocab.txt").write_text(handle.read(), encoding="utf-8")
    return str(folder)


def batch_of(length=12):
    rng = np.random.RandomState(5)
    ids = rng.randint(106, 21128, [3, length])
    mask = np.array([[1] * length, [1] * (length - 4) + [0] * 4, [1] * (length - 1) + [0]])
    segments = np.array([[0] * 6 + [1] * (length - 6)] * 3) * mask
    return {"input_ids": ids * mask, "input_mask": mask, "segment_ids": segments}


def require_same(one, other):
    first, second = (store.read(store.find(folder)) for folder in (one, other))
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("form", ["hf", "tf1"])
def test_both_halves_come_back_to_the_bit(released, tmp_path, form):
    there, back = str(tmp_path / "there"), str(tmp_path / "back")
    assert main(["export", "--format", form, "--model", released, "--output", there]) == 0
    assert main(["import", "--from", form, there, "--output", back]) == 0
    require_same(released, back)
    assert read_bert_config(f"{back}/bert_config.json") == read_bert_config(ELECTRA)
    assert load_model(back).settings.objective == "replaced_tokens"


def test_the_discriminator_alone_is_taken_and_its_lack_said(released, tmp_path, capsys):
    there = export_hf(released, str(tmp_path / "there"))
    os.rename(os.path.join(there, "generator"), str(tmp_path / "generator"))
    import_release("hf", there, str(tmp_path / "back"))
    assert "no generator: train --init starts a new one" in capsys.readouterr().err
    names = store.read(store.find(str(tmp_path / "back")))
    assert not [name for name in names if name.startswith("generator")]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"intermediate_size": 32}, "has intermediate_size 32, while of hidden size 16 Google's"),
        (None, "word_embeddings of the generator in .* is not that of the discriminator"),
    ],
)
def test_a_generator_of_another_model_is_refused(released, tmp_path, change, sentence):
    there = export_hf(released, str(tmp_path / "there"))
    path = os.path.join(there, "generator", "config.json")
    if change:
        with open(path, encoding="utf-8") as handle:
            values = json.load(handle)
        with open(path, "w", encoding="utf-8") as handle:
            json.dump({**values, **change}, handle)
    else:
        from safetensors.numpy import load_file, save_file

        weights = os.path.join(there, "generator", "model.safetensors")
        tensors = load_file(weights)
        tensors["electra.embeddings.word_embeddings.weight"][7] += 1
        save_file(tensors, weights)
    with pytest.raises(UserError, match=sentence):
        import_release("hf", there, str(tmp_path / "back"))


def test_transformers_computes_the_same(released, tmp_path):
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    there = export_hf(released, str(tmp_path / "there"))
    batch = batch_of()
    names = {"input_ids": "input_ids", "input_mask": "attention_mask"}
    names["segment_ids"] = "token_type_ids"
    inputs = {theirs: torch.tensor(batch[ours]) for ours, theirs in names.items()}
    ours, model = load_model(released), read_bert_config(ELECTRA)
    tensors = {name: tf.constant(x, tf.int32) for name, x in batch.items()}
    found = discriminator_scores(ours.variables, tensors, model).numpy()
    theirs, report = transformers.ElectraForPreTraining.from_pretrained(
        there, output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    with torch.no_grad():
        expected = theirs.eval()(**inputs).logits.numpy()
    real = batch["input_mask"] > 0
    assert np.abs(found - expected)[real].max() < 1e-5

    filler, report = transformers.ElectraForMaskedLM.from_pretrained(
        os.path.join(there, "generator"), output_loading_info=True
    )
    assert not report["unexpected_keys"]
    assert set(report["missing_keys"]) <= {"generator_lm_head.weight"}  # tied
    with torch.no_grad():
        expected = filler.eval()(**inputs).logits.numpy()
    places = np.tile(np.arange(12), [3, 1])
    tensors["masked_lm_positions"] = tf.constant(places, tf.int32)
    found = generator_scores(ours.variables, tensors, model).numpy().reshape(expected.shape)
    assert np.abs(found - expected)[real].max() < 1e-5


def test_what_transformers_saves_comes_back(released, tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("torch")
    there, saved = export_hf(released, str(tmp_path / "there")), str(tmp_path / "saved")
    for part, kind in (("", "ElectraForPreTraining"), ("generator", "ElectraForMaskedLM")):
        loaded = getattr(transformers, kind).from_pretrained(os.path.join(there, part))
        loaded.save_pretrained(os.path.join(saved, part))
    transformers.AutoTokenizer.from_pretrained(there).save_pretrained(saved)
    import_release("hf", saved, str(tmp_path / "back"))
    require_same(released, str(tmp_path / "back"))


def test_the_card_says_what_it_is(released, tmp_path):
    there = export_hf(released, str(tmp_path / "there"))
    with open(os.path.join(there, "README.md"), encoding="utf-8") as handle:
        card = handle.read()
    for text in ("An ELECTRA of 2 layers", "ElectraForPreTraining", 'subfolder="generator"'):
        assert text in card, text
    assert "BERT of" not in card


def test_a_saved_model_detects(released, tmp_path):
    if is_version_1():
        pytest.skip("a SavedModel needs TensorFlow 2")
    folder = export_saved_model(released, str(tmp_path / "out"))
    detect = tf.saved_model.load(folder).signatures["detect"]
    batch = {name: tf.constant(x, tf.int32) for name, x in batch_of().items()}
    model = load_model(released)
    expected = tf.sigmoid(discriminator_scores(model.variables, batch, model.config))
    assert np.abs(detect(**batch)["probabilities"] - expected).max() < 1e-6


def test_a_bert_and_an_electra_are_told_apart(released, settings, tmp_path):
    with pytest.raises(UserError, match=r"trains a BERT, and this model is of type electra"):
        train(settings(f"bert_config_file={ELECTRA}"), [DATA], str(tmp_path / "a"), None)
    with pytest.raises(UserError, match=r"trains an ELECTRA, and this model is a BERT"):
        train(settings("objective=replaced_tokens"), [DATA], str(tmp_path / "b"), None)


def test_google_reads_our_names(released, tmp_path):
    """Every name of google-research/electra's own checkpoint, and no other: golden, by its code."""
    golden = np.load("tests/golden/google_electra.npz")
    names = {name for name in golden.files if not name.endswith(("/adam_m", "/adam_v", "losses"))}
    assert set(store.read(export_tf1(released, str(tmp_path / "out")))) == names


@pytest.mark.skipif(
    not (OTHER and GOOGLE), reason="GOOGLE_ELECTRA names no google-research/electra"
)
@pytest.mark.parametrize("writer", ["ours", "google"])
def test_google_computes_the_same_from_a_checkpoint_of_either(released, tmp_path, writer):
    folder, back = str(tmp_path / "there"), str(tmp_path / "back")
    if writer == "ours":
        export_tf1(released, folder)
    else:
        os.mkdir(folder)
        shutil.copy(ELECTRA, os.path.join(folder, "bert_config.json"))
        shutil.copy(VOCAB, os.path.join(folder, "vocab.txt"))
    script = [OTHER, "tests/golden/google_electra_outputs.py", GOOGLE, folder]
    output = str(tmp_path / "google.npz")
    subprocess.run([*script, output], check=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    import_release("tf1", folder, back)
    if writer == "ours":
        require_same(released, back)
    google = {name: tf.constant(array) for name, array in np.load(output).items()}
    google["masked_lm_weights"] = tf.ones_like(google["masked_lm_ids"], tf.float32)
    model = load_model(back)
    masks, samples = tf.fill(tf.shape(google["samples"]), 103), google["samples"]
    masked = {**google, "input_ids": put(google, tf.reshape(masks, [-1]))}
    words = generator_scores(model.variables, masked, model.config).numpy()
    assert np.abs(words.reshape(google["words"].shape) - google["words"]).max() < 1e-5
    seen = {**google, "input_ids": put(google, tf.reshape(samples, [-1]))}
    found = tf.sigmoid(discriminator_scores(model.variables, seen, model.config))
    assert np.abs(found - google["replaced"]).max() < 1e-5
