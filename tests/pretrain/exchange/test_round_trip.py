"""TensorFlow 1.15 and the newest read each other's checkpoints, and Google's code reads a release.

scripts/test.sh names the other version's Python in OTHER_PYTHON. GOOGLE_BERT names a clone of
google-research/bert, which that Python then runs if it has TensorFlow 1.15.
"""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from pretrain.checkpoint import store
from pretrain.checkpoint.load import load_model
from pretrain.exchange.export_release import export_tf1
from pretrain.model.bert import encode, pool
from pretrain.model.config import BertConfig
from pretrain.model.heads import gather_positions, pair_logits, piece_logits
from pretrain.runtime.tensorflow import tf
from tests.pretrain.helpers import DATA, MODEL, scaled_weights

OTHER = os.environ.get("OTHER_PYTHON")
GOOGLE = os.environ.get("GOOGLE_BERT")


def run(python, *arguments):
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    result = subprocess.run(
        [python, "-m", "pretrain", *arguments],
        capture_output=True,
        env=environment,
        check=False,
    )
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout.decode()


@pytest.mark.skipif(not OTHER, reason="OTHER_PYTHON names no second TensorFlow")
@pytest.mark.parametrize("writer", ["this", "other"])
def test_a_checkpoint_of_one_has_the_same_loss_on_the_other(writer, model_file, tmp_path):
    pythons = {"this": sys.executable, "other": OTHER}
    output = str(tmp_path / "model")
    sets = [f"bert_config_file={model_file}", "num_train_steps=20", "num_warmup_steps=2"]
    overrides = [word for setting in sets for word in ("--set", setting)]
    config = ["--config", "configs/pretrain/tiny.yaml", *overrides]
    run(pythons[writer], "train", *config, "--data", DATA, "--output", output)
    first, second = (
        json.loads(run(python, "evaluate", "--model", output, "--data", DATA, "--json"))
        for python in pythons.values()
    )
    assert first["masked_lm_loss"] < 9.9
    for name in ("masked_lm_loss", "pair_loss"):
        assert first[name] == pytest.approx(second[name], rel=1e-5)
    for name in ("masked_pieces", "masked_lm_accuracy", "pair_accuracy"):
        assert first[name] == pytest.approx(second[name], abs=0.01)


@pytest.mark.skipif(not (OTHER and GOOGLE), reason="GOOGLE_BERT names no google-research/bert")
def test_google_restores_a_release_and_computes_the_same(model_file, tmp_path):
    source = tmp_path / "model"
    source.mkdir()
    store.save(str(source / "model.ckpt-1"), scaled_weights(BertConfig(**MODEL)))
    shutil.copy(model_file, str(source / "bert_config.json"))
    shutil.copy("configs/vocab/bert_base_chinese.txt", str(source / "vocab.txt"))
    release = export_tf1(str(source), str(tmp_path / "release"))
    output = str(tmp_path / "google.npz")
    script = [OTHER, "tests/golden/google_outputs.py", GOOGLE, os.path.dirname(release), output]
    subprocess.run(script, check=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    google = {name: tf.constant(array) for name, array in np.load(output).items()}
    model = load_model(release)
    sequence = encode(model.variables, google, model.config)
    masked = gather_positions(sequence, google["positions"])
    words = piece_logits(model.variables, masked, model.config)
    pairs = pair_logits(model.variables, pool(model.variables, sequence))
    for name, logits in {"words": words, "pairs": pairs}.items():
        assert np.abs((tf.nn.log_softmax(logits) - google[name]).numpy()).max() < 1e-5, name
