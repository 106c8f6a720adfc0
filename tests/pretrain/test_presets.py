import dataclasses
import glob

import pytest
import yaml

from data_gen.pairs import tasks
from data_gen.shared.dataset.features import predictions_for
from data_gen.shared.dataset.pair_labels import PAIR_LABELS
from data_gen.shared.settings import load_settings
from pretrain.config import TrainConfig
from pretrain.inputs.checks import in_steps
from pretrain.learning.objectives import OBJECTIVES
from pretrain.model.config import read_bert_config
from pretrain.model.cost import count
from pretrain.model.electra import generator_config

# (pair task, optimizer, [(length, batch, peak, steps, warm-up) of each stage], layers);
# Chinese-BERT-wwm's README, wwm#28, #72, #106, #141 and the MacBERT paper, Table III and V-B
EXPECTED = {
    "base": ("nsp", "adamw", [(None, 32, 1e-4, 100000, 10000)], 12),
    # 3 epochs of 16,010 examples, batches of 32; 10 % of the steps
    "continue": ("sop", "adamw", [(None, 32, 5e-5, 1500, 150)], 12),
    "bert_wwm": (
        "nsp",
        "lamb",
        [(128, 2560, 1e-4, 100000, 10000), (512, 384, 1e-4, 100000, 10000)],
        12,
    ),
    "bert_wwm_ext": (
        "nsp",
        "lamb",
        [(128, 2560, 1e-4, 1000000, 100000), (512, 384, 1e-4, 400000, 40000)],
        12,
    ),
    "roberta_wwm_ext": ("none", "adamw", [(None, 384, 1e-4, 1000000, 10000)], 12),
    "roberta_wwm_ext_large": ("none", "adamw", [(None, 512, 5e-5, 2000000, 10000)], 24),
    "macbert_base": ("sop", "lamb", [(None, 384, 1e-4, 1000000, 10000)], 12),
    "macbert_large": ("sop", "lamb", [(None, 512, 1e-4, 2000000, 10000)], 24),
    # ymcui/Chinese-ELECTRA's README; the warm-up is google-research/electra's
    "electra_small": ("none", "adamw", [(None, 1024, 5e-4, 1000000, 10000)], 12),
    "electra_base": ("none", "adamw", [(None, 256, 2e-4, 1000000, 10000)], 12),
    "electra_large": ("none", "adamw", [(None, 96, 1e-4, 2000000, 10000)], 24),
    "electra_mini": ("none", "adamw", [(None, 32, 2e-4, 8432, 400)], 4),
    "small": ("sop", "adamw", [(None, 32, 5e-4, 8000, 400)], 4),
    "tiny": ("sop", "lamb", [(None, 16, 0.01, 600, 60)], 2),
}

for size in ("small", "base", "large"):  # on other data alone
    EXPECTED[f"electra_wwm_{size}"] = EXPECTED[f"electra_{size}"]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_presets(name):
    preset = load_settings(TrainConfig, f"configs/pretrain/{name}.yaml")
    stages = [
        (
            stage.max_seq_length,
            stage.train_batch_size,
            stage.learning_rate,
            stage.num_train_steps,
            stage.num_warmup_steps,
        )
        for stage in in_steps(preset, [16010] * 2).resolved_stages()
    ]
    layers = read_bert_config(preset.bert_config_file).num_hidden_layers
    assert (preset.pair_task, preset.optimizer, stages, layers) == EXPECTED[name]
    assert (preset.weight_decay, preset.epsilon, preset.clip_norm) == (0.01, 1e-6, 1.0)


def test_every_preset_is_tested():
    assert len(glob.glob("configs/pretrain/*.yaml")) == len(EXPECTED)


def test_the_base_gives_every_setting():
    with open("configs/pretrain/base.yaml", encoding="utf-8") as handle:
        values = yaml.safe_load(handle)
    assert set(values) == {field.name for field in dataclasses.fields(TrainConfig)}


def test_the_pair_tasks_are_those_of_the_generator():
    assert set(PAIR_LABELS) == set(tasks.PAIR_TASKS)


# (embedding, hidden, heads) of the discriminator, (hidden, heads, between) of the generator;
# google-research/electra's configure_pretraining.py and get_generator_config
@pytest.mark.parametrize(
    ("size", "discriminator", "generator", "weights"),
    [
        ("small", (128, 256, 4), (64, 1, 256), 13_000_000),
        ("base", (768, 768, 12), (256, 4, 1024), 115_000_000),
        ("large", (1024, 1024, 16), (256, 4, 1024), 350_000_000),
    ],
)
def test_the_sizes_of_electra(size, discriminator, generator, weights):
    preset = load_settings(TrainConfig, f"configs/pretrain/electra_wwm_{size}.yaml")
    model = read_bert_config(preset.bert_config_file)
    small, entry = generator_config(model), OBJECTIVES[preset.objective]
    assert (model.width, model.hidden_size, model.num_attention_heads) == discriminator
    found = (small.hidden_size, small.num_attention_heads, small.intermediate_size)
    assert found == generator
    assert small.num_hidden_layers == model.num_hidden_layers
    assert (model.hidden_act, preset.objective) == ("gelu_erf", "replaced_tokens")
    assert count(entry.variables(model, preset)) == pytest.approx(weights, rel=0.1)


def test_the_mini_electra_costs_the_operations_of_small():
    costs = []
    for name in ("small", "electra_mini"):
        preset = load_settings(TrainConfig, f"configs/pretrain/{name}.yaml")
        model = read_bert_config(preset.bert_config_file)
        flops = OBJECTIVES[preset.objective].flops
        costs.append(preset.num_train_steps * flops(model, 128, predictions_for(128, 0.15), False))
    assert costs[1] == pytest.approx(costs[0], rel=1e-4)
