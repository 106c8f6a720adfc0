import json

from data_gen.shared.dataset.dataset_info import DatasetInfo
from pretrain.__main__ import main
from pretrain.inputs.batches import all_batches
from pretrain.plan import benchmark
from pretrain.plan.benchmark import random_records
from pretrain.runtime.devices import one_device
from pretrain.runtime.tensorflow import tf
from tests.pretrain.helpers import features_of


def test_the_command_measures_a_step_and_the_input(capsys):
    command = ["bench", "--model", "tiny", "--batch", "2", "--length", "16", "--predictions", "2"]
    assert main([*command, "--seconds", "1", "--steps-per-call", "2"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["seconds_per_step"] > 0
    tokens = result["examples_per_second"] * 16
    assert abs(result["tokens_per_second"] - tokens) <= 0.01 * tokens
    assert 0 < result["utilisation"] < 2
    assert result["input_examples_per_second"] > result["examples_per_second"]
    assert result["peak_memory_mib"] > 10


def test_a_plain_step_that_does_not_fit_is_left_out(monkeypatch, capsys):
    def too_large(config):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM")

    monkeypatch.setattr(benchmark, "_plain", too_large)
    command = ["bench", "--model", "tiny", "--batch", "2", "--length", "16", "--predictions", "2"]
    assert main([*command, "--seconds", "1", "--precision", "bfloat16"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["seconds_per_step"] > 0
    assert result["seconds_per_plain_float32_step"] is result["share_of_plain"] is None


def test_random_records_are_examples_of_full_length(tmp_path):
    empty = DatasetInfo(str(tmp_path), 16, 2, "", "", (), {})
    features = features_of(empty)
    info = random_records(empty, features, 100, count=5)
    (batch,) = all_batches(one_device(), info, features, 5)
    assert batch["input_ids"].shape == (5, 16)
    assert batch["input_ids"].numpy().max() < 100
    assert batch["input_mask"].numpy().all()
    assert batch["masked_lm_weights"].numpy().sum() == 10
