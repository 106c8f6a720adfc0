import dataclasses
import glob

import pytest
import yaml

from data_gen.config import DataConfig
from data_gen.shared.settings import load_settings

FIELDS = ("max_seq_length", "predictions", "pair_task", "dupe_factor", "short_seq_prob")

# Chinese-BERT-wwm's README, the author's answers in wwm#28, #181, #213, and the MacBERT paper, IV
EXPECTED = {
    "base": (512, 84, "nsp", 5, 0.1, "piece", "partial_mask", "piece"),
    "wwm_128": (128, 28, "nsp", 5, 0.1, "word", "partial_mask", "piece"),
    "wwm_512": (512, 84, "nsp", 5, 0.1, "word", "partial_mask", "piece"),
    "roberta_wwm_512": (512, 84, "none", 5, 0.0, "word", "partial_mask", "piece"),
    "macbert_512": (512, 84, "sop", 5, 0.0, "ngram", "similar", "word"),
    "tiny": (128, 28, "sop", 2, 0.0, "ngram", "similar", "word"),
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_presets(name):
    config = load_settings(DataConfig, f"configs/data/{name}.yaml")
    masking = config.masking
    found = tuple(getattr(config, field) for field in FIELDS)
    assert (*found, masking.selector, masking.corruption, masking.corruption_unit) == EXPECTED[name]
    assert config.segmenter.name == "ltp"
    assert masking.ngram_weights == [0.4, 0.3, 0.2, 0.1]
    assert config.max_predictions_per_seq is None


def test_the_base_gives_every_setting():
    with open("configs/data/base.yaml", encoding="utf-8") as handle:
        assert names_in(yaml.safe_load(handle)) == names_in(dataclasses.asdict(DataConfig()))


def names_in(group):
    """The names of a group of settings and of the groups in it."""
    return {
        name: names_in(value) if isinstance(value, dict) else None for name, value in group.items()
    }


def test_every_preset_is_tested():
    assert len(glob.glob("configs/data/*.yaml")) == len(EXPECTED)
