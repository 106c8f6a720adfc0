"""The arithmetic of a training's cost, against what is known of BERT."""

import json

import pytest

from data_gen.shared.errors import UserError
from data_gen.shared.settings import load_settings
from pretrain.__main__ import main
from pretrain.config import TrainConfig
from pretrain.model.bert import variable_shapes
from pretrain.model.config import read_bert_config
from pretrain.model.cost import activation_bytes, count, flops, state_bytes
from pretrain.plan.estimate import as_text, estimate
from tests.pretrain.helpers import DATA


def weights(model):
    return count(variable_shapes(model))


@pytest.mark.parametrize("name", ["tiny", "small", "base", "large"])
def test_weights_are_those_of_the_model(name):
    model = read_bert_config(f"configs/models/{name}.json")
    h, f = model.hidden_size, model.intermediate_size
    layer = 4 * (h * h + h) + (h * f + f) + (f * h + h) + 4 * h
    embeddings = (model.vocab_size + model.type_vocab_size + model.max_position_embeddings) * h
    heads = 2 * (h * h + h) + 2 * h + model.vocab_size + 2 * h + 2
    assert weights(model) == embeddings + 2 * h + model.num_hidden_layers * layer + heads


@pytest.mark.parametrize(
    ("name", "length", "predictions", "giga"),
    [
        ("base", 128, 24, 69.5),
        ("base", 512, 77, 295),
        ("large", 128, 24, 240),
        ("large", 512, 77, 1005),
    ],
)
def test_operations_are_those_counted_by_hand(name, length, predictions, giga):
    """Six for each weight of a layer and token, twelve S^2 H for attention, the MLM head."""
    model = read_bert_config(f"configs/models/{name}.json")
    found = flops(model, length, predictions)
    h, layers = model.hidden_size, model.num_hidden_layers
    by_hand = 6 * 12 * h * h * layers * length + 12 * length * length * h * layers
    by_hand += 6 * predictions * h * (h + 21128) + 6 * h * h
    assert found == pytest.approx(by_hand, rel=1e-9)
    assert found == pytest.approx(giga * 1e9, rel=0.03)
    assert flops(model, length, predictions, recompute=True) > 1.25 * found


def macbert(*overrides):
    return load_settings(TrainConfig, "configs/pretrain/macbert_base.yaml", overrides)


def test_a_plan_adds_up():
    result = estimate(macbert("precision=bfloat16"), "a100-80", 8, 0.4)
    (stage,) = result["stages"]
    assert result["tokens"] == 1000000 * 384 * 512
    seconds = stage["flops_per_step"] / (8 * 312e12 * 0.4)
    assert stage["seconds_per_step"] == pytest.approx(seconds, rel=0.01)
    assert result["days"] == pytest.approx(1e6 * seconds / 86400, rel=0.01)
    assert stage["sequences_a_device"] == 48
    assert result["warnings"] == []
    assert "31.9 h on 8 x a100-80 at 40% of the maker's peak" in as_text(result)


def test_what_cannot_fit_is_warned_of_and_the_advice_helps():
    (warning,) = estimate(macbert(), "t4", 1, 0.3)["warnings"]
    least = int(warning.split("at least ")[1].split(",")[0])
    fits = -(-384 // least)
    model = read_bert_config("configs/models/base.json")
    each = activation_bytes(model, 512, 84, "float32", False)
    assert (
        state_bytes(weights(model), 2 * weights(model), "float32", True) + fits * each < 16 * 2**30
    )
    recomputed = activation_bytes(model, 512, 84, "float32", True)
    assert recomputed < each / 3


def test_what_a_device_has_no_bfloat16_for_is_warned_of():
    slow, fast = (
        estimate(macbert(f"precision={p}"), "v100", 8, 0.3) for p in ("bfloat16", "float16")
    )
    assert slow["days"] == pytest.approx(fast["days"] * 125 / 15.7, rel=0.01)
    assert "precision=float16" in slow["warnings"][-1]
    assert fast["warnings"] == []


def test_batches_that_cannot_be_shared_are_warned_of():
    (warning,) = estimate(macbert(), "h100", 5, 0.3)["warnings"]
    assert "no multiple of devices" in warning


def test_with_data_the_epochs_are_known(settings):
    result = estimate(settings(), "h100", 1, 0.3, [DATA])
    assert result["stages"][0]["epochs"] == round(160 / 78, 1)
    heldout = estimate(settings("heldout_shards=1"), "h100", 1, 0.3, [DATA])
    assert heldout["stages"][0]["epochs"] == round(160 / 34, 1)
    assert "3 times (dupe_factor), spread over all shards" in heldout["warnings"][0]
    (warning,) = estimate(settings("heldout_shards=2"), "h100", 1, 0.3, [DATA])["warnings"]
    assert "does not divide into two sets" in warning
    with pytest.raises(UserError, match=r"1 stage\(s\), --data 2"):
        estimate(settings(), "h100", 1, 0.3, [DATA, DATA])


def test_a_text_far_too_small_for_the_steps_is_warned_of(settings):
    steps = 1000 * 78 // settings().train_batch_size
    assert not estimate(settings(f"num_train_steps={steps}"), "h100", 1, 0.3, [DATA])["warnings"]
    (warning,) = estimate(settings("num_train_steps=200000"), "h100", 1, 0.3, [DATA])["warnings"]
    assert "times over: give more text or fewer steps, --set num_train_steps=N" in warning


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("stages=[{max_seq_length: 128}]", "sequences of 48, the stage wants 128"),
        ("pair_task=nsp", "built with pair_task sop, this training has nsp"),
        ("train_batch_size=80", "fewer than one batch of 80"),
    ],
)
def test_data_that_the_training_would_refuse_are_warned_of(settings, override, sentence):
    assert estimate(settings(), "h100", 1, 0.3, [DATA])["warnings"] == []
    (warning,) = estimate(settings(override), "h100", 1, 0.3, [DATA])["warnings"]
    assert sentence in warning


def test_the_command(capsys):
    command = ["plan", "--config", "configs/pretrain/bert_wwm.yaml", "--device", "tpu-v3"]
    assert main([*command, "--devices", "4"]) == 0
    assert "length 128, batch 2,560, 100,000 steps" in capsys.readouterr().out
    assert main([*command, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["stages"]) == 2
    assert main([*command[:-1], "abacus"]) == 1
    assert "there is no device abacus here: name one of t4, v100" in capsys.readouterr().err
