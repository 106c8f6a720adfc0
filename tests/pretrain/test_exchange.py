"""TensorFlow 1.15 and the newest read each other's checkpoints.

scripts/test.sh names the other version's Python in OTHER_PYTHON.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.pretrain.conftest import DATA

OTHER = os.environ.get("OTHER_PYTHON")


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
