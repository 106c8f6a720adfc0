from dataclasses import dataclass, field
from typing import List

import pytest

from data_gen.config import DataConfig
from data_gen.shared.errors import UserError
from data_gen.shared.settings import load_settings
from tests.conftest import default_settings


@dataclass(frozen=True)
class Inner:
    masked_lm_prob: float = 0.15

    def __post_init__(self):
        if not 0 < self.masked_lm_prob < 1:
            raise ValueError(f"masked_lm_prob must be between 0 and 1, not {self.masked_lm_prob}")


@dataclass(frozen=True)
class Outer:
    random_seed: int = 1
    do_lower_case: bool = True
    masking: Inner = field(default_factory=Inner)


@pytest.fixture
def yaml_file(tmp_path):
    def write(text):
        path = tmp_path / "settings.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_file_then_overrides(yaml_file):
    path = yaml_file("random_seed: 2\nmasking:\n  masked_lm_prob: 0.2\n")
    settings = load_settings(Outer, path, ["masking.masked_lm_prob=0.3", "do_lower_case=false"])
    assert settings == Outer(random_seed=2, do_lower_case=False, masking=Inner(0.3))


@pytest.mark.parametrize(
    ("text", "overrides", "sentence"),
    [
        ("randm_seed: 1", [], "no setting randm_seed; did you mean random_seed?"),
        (
            "random_seed: 1",
            ["masking.mask_lm_prob=0.2"],
            "no setting masking.mask_lm_prob; did you mean masked_lm_prob?",
        ),
        ("random_seed: one", [], "random_seed"),
        ("random_seed: 1", ["masking.masked_lm_prob=2"], "must be between 0 and 1, not 2.0"),
        ("- random_seed", [], "holds no settings"),
        ("42", [], "holds no settings"),
        ("random_seed: ${", [], "not YAML"),
        ("a: b: c", [], "not YAML"),
        ("masking: 3", [], "a group of settings got one value"),
    ],
)
def test_mistakes_are_one_sentence_that_helps(yaml_file, text, overrides, sentence):
    with pytest.raises(UserError) as error:
        load_settings(Outer, yaml_file(text), overrides)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@dataclass(frozen=True)
class WithList(Outer):
    sizes: List[int] = field(default_factory=lambda: [1, 2, 3])


@pytest.fixture
def settings_files(tmp_path):
    """Write settings files, by name, into one folder. Returns a function from name to path."""

    def write(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return lambda name: str(tmp_path / f"{name}.yaml")

    return write


@pytest.mark.parametrize("name", ["middle", "middle.yaml"])
def test_a_file_changes_the_settings_of_its_base(settings_files, name):
    path = settings_files(
        base="random_seed: 2\ndo_lower_case: false\nmasking: {masked_lm_prob: 0.2}\nsizes: [7, 8]",
        middle="base: base\nrandom_seed: 3\nsizes: [9]",
        top=f"base: {name}\nmasking: {{masked_lm_prob: 0.3}}",
    )
    assert load_settings(WithList, path("base")) == WithList(2, False, Inner(0.2), [7, 8])
    assert load_settings(WithList, path("middle")) == WithList(3, False, Inner(0.2), [9])
    expected = WithList(4, False, Inner(0.3), [9])
    assert load_settings(WithList, path("top"), ["random_seed=4"]) == expected


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("tpo", r"tpo\.yaml: there is no base midle in the folder .*; did you mean middle\?$"),
        ("none", r"none\.yaml: there is no base xyz in the folder [^;]*$"),
        ("list", r"list\.yaml: there is no base \['a'\] in the folder [^;]*$"),
        ("round", r"^the bases of settings form a circle: \S*round\S* -> \S*trip\S* -> \S*round"),
        ("itself", "form a circle"),
        ("above_wrong", r"wrong\.yaml: there is no setting randm_seed; did you mean random_seed\?"),
    ],
)
def test_a_mistake_about_a_base_is_one_sentence_that_helps(settings_files, name, sentence):
    path = settings_files(
        middle="random_seed: 3",
        tpo="base: midle",
        none="base: xyz",
        list="base: [a]",
        round="base: trip",
        trip="base: round",
        itself="base: itself",
        wrong="randm_seed: 1",
        above_wrong="base: wrong",
    )
    with pytest.raises(UserError, match=sentence):
        load_settings(Outer, path(name))


def test_missing_file_is_named():
    with pytest.raises(UserError, match=r"cannot read the settings nowhere\.yaml"):
        load_settings(Outer, "nowhere.yaml")


@pytest.mark.parametrize(
    "override",
    [
        "pair_task=nps",
        "masking.selector=words",
        "masking.corruption=mac",
        "masking.corruption_unit=char",
        "segmenter.name=hanlp",
        "synonyms.choice=best",
        "max_seq_length=2",
        "num_shards=0",
        "max_predictions_per_seq=76",
        "max_predictions_per_seq=513",
        "masking.ngram_weights=[1,.inf]",
        "masking.ngram_weights=[]",
        "masking.ngram_weights=[1e308,1e308]",
        "masking.ngram_weights=[.nan]",
        "max_seq_length=1000000",
        "dupe_factor=100000000000000000000",
        "num_shards=1000001",
        "random_seed=-1",
        "synonyms.top_k=100000000000000000000",
        "synonyms.word2vec.vector_size=1000000",
        "segmenter.batch_size=0",
        "masking.max_fallback=2",
        "short_seq_prob=-1",
        "masked_lm_prob=0",
    ],
)
def test_values_out_of_range_are_refused_when_the_settings_are_made(override):
    with pytest.raises(UserError, match=override.split("=")[0].split(".")[-1]):
        default_settings(DataConfig, [override])


@pytest.mark.parametrize(
    "setting",
    [
        "masking.selector",
        "masking.skip",
        "masking.ngram_within",
        "masking.budget_unit",
        "masking.over_budget",
        "masking.corruption",
        "masking.corruption_unit",
        "masking.random_unit",
        "masking.fallback_cap",
        "masking.past_the_cap",
        "pairs.split",
        "synonyms.choice",
        "synonyms.other_lengths",
        "segmenter.name",
        "pair_task",
    ],
)
def test_a_choice_that_does_not_exist_names_those_that_do(setting):
    value = "[wrong]" if setting == "masking.skip" else "wrong"
    with pytest.raises(UserError, match=rf"{setting} must be one of \w+, .*, not wrong"):
        default_settings(DataConfig, [f"{setting}={value}"])


@pytest.mark.parametrize(
    "override",
    ["pairs.swap_prob=1.5", "synonyms.min_similarity=2", "masking.max_fallback=-0.1"],
)
def test_a_share_out_of_range_is_an_error(override):
    setting = override.split("=")[0]
    with pytest.raises(UserError, match=rf"{setting} must be between .* and 1, not"):
        default_settings(DataConfig, [override])
