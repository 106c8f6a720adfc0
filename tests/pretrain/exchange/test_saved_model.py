"""The SavedModel against the functions that it was made of, and in a process of its own."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.checkpoint.load import load_model
from pretrain.exchange.export_release import export_saved_model
from pretrain.model.bert import encode, pool
from pretrain.model.config import BertConfig
from pretrain.model.proposals import propose
from pretrain.runtime.tensorflow import is_version_1, tf
from tests.pretrain.helpers import MODEL, scaled_weights

SMALL = {**MODEL, "vocab_size": 40}
MASK = 4

needs_2 = pytest.mark.skipif(is_version_1(), reason="needs TensorFlow 2")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    store.save(str(folder / "model.ckpt-1"), scaled_weights(BertConfig(**SMALL)))
    (folder / "bert_config.json").write_text(json.dumps(SMALL))
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [chr(0x4E00 + i) for i in range(35)]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    return str(folder)


@pytest.fixture(scope="module")
def saved(trained, tmp_path_factory):
    """Moved after it was written, as to a server."""
    folder = str(tmp_path_factory.mktemp("saved") / "a")
    moved = shutil.move(export_saved_model(trained, folder, 3), folder + "b")
    return tf.saved_model.load(moved), moved


def batch_of(rows, length, masks=()):
    rng = np.random.RandomState(rows)
    ids = rng.randint(5, 40, size=(rows, length)).astype(np.int32)
    for row, position in masks:
        ids[row, position] = MASK
    mask = np.ones_like(ids)
    mask[0, length - 2 :] = 0
    segments = np.zeros_like(ids)
    segments[:, length // 2 :] = 1
    arrays = {"input_ids": ids, "input_mask": mask, "segment_ids": segments}
    return {name: tf.constant(array) for name, array in arrays.items()}


@needs_2
@pytest.mark.parametrize(("rows", "length"), [(1, 5), (3, 48)])
def test_its_outputs_are_those_of_the_functions(trained, saved, rows, length):
    model, batch = load_model(trained), batch_of(rows, length)
    found = saved[0].signatures["encode"](**batch)
    sequence = encode(model.variables, batch, model.config)
    pooled = pool(model.variables, sequence)
    assert found["sequence_output"].shape == (rows, length, 16)
    assert np.abs((found["sequence_output"] - sequence).numpy()).max() < 1e-5
    assert np.abs((found["pooled_output"] - pooled).numpy()).max() < 1e-5
    found = saved[0].signatures["correct"](**batch)
    expected = propose(model.variables, batch, model.config, 3)
    assert np.array_equal(found["ids"].numpy(), expected.ids.numpy())
    assert np.abs((found["probabilities"] - expected.probabilities).numpy()).max() < 1e-6
    assert np.abs((found["own_probability"] - expected.actual).numpy()).max() < 1e-6


@needs_2
def test_masks_are_filled_where_they_are(trained, saved):
    model = load_model(trained)
    # The last of row 0 is padding.
    batch = batch_of(3, 9, [(0, 3), (0, 8), (2, 1), (2, 7)])
    found = {n: x.numpy() for n, x in saved[0].signatures["fill_mask"](**batch).items()}
    assert found["positions"].tolist() == [[3, -1], [-1, -1], [1, 7]]
    expected = propose(model.variables, batch, model.config, 3)
    for row, slot, position in [(0, 0, 3), (2, 0, 1), (2, 1, 7)]:
        assert found["ids"][row, slot].tolist() == expected.ids[row, position].numpy().tolist()
        wanted = expected.probabilities[row, position].numpy()
        assert np.abs(found["probabilities"][row, slot] - wanted).max() < 1e-6
    assert not found["probabilities"][1].any()
    without = saved[0].signatures["fill_mask"](**batch_of(2, 9))
    assert without["ids"].shape == (2, 0, 3)


ALONE = """
import json, sys
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
batch = {name: tf.constant(value, tf.int32) for name, value in json.loads(sys.argv[2]).items()}
found = model.signatures["correct"](**batch)["ids"].numpy().tolist()
print(json.dumps([sorted(model.signatures), found, "pretrain" in sys.modules]))
"""


@needs_2
def test_a_process_with_tensorflow_alone_runs_it(trained, saved, tmp_path):
    model, batch = load_model(trained), batch_of(2, 6)
    text = json.dumps({name: tensor.numpy().tolist() for name, tensor in batch.items()})
    done = subprocess.run(
        [sys.executable, "-c", ALONE, saved[1], text],
        stdout=subprocess.PIPE,
        cwd=str(tmp_path),
        check=True,
    )
    signatures, found, ours = json.loads(done.stdout.decode().splitlines()[-1])
    assert signatures == ["correct", "encode", "fill_mask"]
    assert found == propose(model.variables, batch, model.config, 3).ids.numpy().tolist()
    assert not ours


@needs_2
def test_vocabulary_and_settings_are_with_it(trained, saved):
    assets = os.path.join(saved[1], "assets")
    assert sorted(os.listdir(assets)) == ["bert_config.json", "vocab.txt"]
    with open(os.path.join(assets, "vocab.txt"), encoding="utf-8") as handle:
        assert handle.read().split("\n")[4] == "[MASK]"


@needs_2
def test_no_signature_needs_the_pair_head(trained, tmp_path):
    folder = shutil.copytree(trained, str(tmp_path / "model"))
    prefix = store.find(folder)
    kept = {n: a for n, a in store.read(prefix).items() if "seq_relationship" not in n}
    store.save(prefix, {name: tf.constant(array) for name, array in kept.items()})
    assert os.path.isdir(export_saved_model(folder, str(tmp_path / "out")))


@needs_2
def test_more_proposals_than_pieces_are_refused(trained, tmp_path):
    with pytest.raises(UserError, match="--count 41 is more than the vocabulary has: give at most"):
        export_saved_model(trained, str(tmp_path / "out"), 41)


@pytest.mark.skipif(not is_version_1(), reason="is about TensorFlow 1.15")
def test_tensorflow_1_is_told_to_use_2(trained, tmp_path):
    with pytest.raises(UserError, match="needs TensorFlow 2"):
        export_saved_model(trained, str(tmp_path / "out"))
    assert not os.path.exists(str(tmp_path / "out"))


def test_the_own_probability_is_that_of_the_piece_there(trained):
    model, batch = load_model(trained), batch_of(2, 7)
    every = propose(model.variables, batch, model.config, 40)
    own = every.ids.numpy() == batch["input_ids"].numpy()[:, :, None]
    assert (own.sum(axis=-1) == 1).all()
    assert np.abs(every.probabilities.numpy()[own] - every.actual.numpy().ravel()).max() < 1e-7
    assert every.probabilities.numpy().sum(axis=-1) == pytest.approx(np.ones([2, 7]), abs=1e-5)
