import dataclasses
import os
from dataclasses import dataclass, field
from typing import List

import pytest

from data_gen.config import DataConfig
from data_gen.shared.errors import UserError
from data_gen.shared.settings import differences, load_settings, portable_settings
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
        "synonyms.min_count=10000000000",
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


@pytest.mark.parametrize(
    ("overrides", "slots"),
    [
        ([], 84),
        (["max_seq_length=128"], 28),
        (["max_seq_length=256"], 48),  # 39 and room for what crosses the budget
        (["max_seq_length=128", "masked_lm_prob=0.5"], 72),
        (["max_seq_length=8"], 8),  # never more than there are pieces
        (["max_seq_length=128", "max_predictions_per_seq=20"], 20),
        (["max_predictions_per_seq=null"], 84),
    ],
)
def test_predictions_follow_the_length_unless_they_are_set(overrides, slots):
    config = default_settings(DataConfig, overrides)
    assert config.predictions == config.as_dict()["max_predictions_per_seq"] == slots


def test_too_few_predictions_name_the_number_that_the_length_takes():
    with pytest.raises(UserError, match="takes 20 and some to spare: leave it out, which gives 28"):
        default_settings(DataConfig, ["max_seq_length=128", "max_predictions_per_seq=12"])


def test_a_preset_is_found_by_its_name_and_an_own_one_starts_from_it(tmp_path, monkeypatch):
    shipped = load_settings(DataConfig, "configs/data/macbert_512.yaml")
    monkeypatch.chdir(tmp_path)
    assert load_settings(DataConfig, "macbert_512") == shipped
    (tmp_path / "mine.yaml").write_text("base: macbert_512\nrandom_seed: 7")
    (tmp_path / "deep").mkdir()
    # One's own file may have the name of the preset that it starts from.
    (tmp_path / "deep" / "macbert_512.yaml").write_text("base: macbert_512\nrandom_seed: 7")
    for path in ("mine.yaml", "deep/macbert_512.yaml", str(tmp_path / "deep/macbert_512.yaml")):
        assert load_settings(DataConfig, path) == dataclasses.replace(shipped, random_seed=7)
    (tmp_path / "typo.yaml").write_text("base: macbert_521")
    with pytest.raises(UserError, match=r"or among the presets of data; did you mean macbert_512"):
        load_settings(DataConfig, "typo.yaml")


FILES = """base: base
vocab_file: {}
segmenter: {{model: {}, user_dict: words.txt}}
synonyms: {{vectors: [toolkit, mine.bin]}}
"""


@pytest.mark.parametrize(
    ("vocab", "model", "expected"),
    [
        ("here.txt", "ltp", ("deep/here.txt", "deep/ltp")),  # beside the file
        ("missing.txt", "LTP/legacy", ("deep/missing.txt", "LTP/legacy")),  # no file: a hub's name
        ("/a/vocab.txt", "/a/ltp", ("/a/vocab.txt", "/a/ltp")),
        ("gs://b/vocab.txt", "null", ("gs://b/vocab.txt", None)),
    ],
)
def test_a_file_named_in_a_file_lies_beside_it(tmp_path, monkeypatch, vocab, model, expected):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep" / "ltp").mkdir(parents=True)
    for name in ("here.txt", "words.txt", "mine.bin"):
        (tmp_path / "deep" / name).write_bytes(b"")
        (tmp_path / name).write_bytes(b"")  # of the current folder: not meant
    (tmp_path / "deep" / "a.yaml").write_text(FILES.format(vocab, model))
    found = load_settings(DataConfig, "deep/a.yaml")
    assert (found.vocab_file, found.segmenter.model) == expected
    assert found.segmenter.user_dict == "deep/words.txt"
    assert found.synonyms.vectors == ["toolkit", "deep/mine.bin"]


def test_a_file_named_by_an_override_lies_in_the_current_folder(tmp_path, monkeypatch):
    shipped = load_settings(DataConfig, "tiny").vocab_file
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("base: tiny")
    overrides = ["vocab_file=words/vocab.txt", "synonyms.table=t", "synonyms.vectors=[toolkit,v]"]
    found = load_settings(DataConfig, "a.yaml", overrides)
    assert (found.vocab_file, found.synonyms.table) == ("words/vocab.txt", "t")
    assert found.synonyms.vectors == ["toolkit", "v"]
    for name in ("bert_base_chinese", "configs/vocab/bert_base_chinese.txt"):
        assert load_settings(DataConfig, "a.yaml", [f"vocab_file={name}"]).vocab_file == shipped
    here = tmp_path / "configs" / "vocab" / "bert_base_chinese.txt"
    here.parent.mkdir(parents=True)
    here.write_bytes(b"")
    name = "configs/vocab/bert_base_chinese.txt"
    assert load_settings(DataConfig, "a.yaml", [f"vocab_file={name}"]).vocab_file == name


def test_what_is_stored_names_a_shipped_file_as_every_machine_does():
    found = load_settings(DataConfig, "tiny", ["synonyms.table=/a/t"])
    stored = portable_settings(found)
    assert os.path.isabs(found.vocab_file)
    assert stored["vocab_file"] == "configs/vocab/bert_base_chinese.txt"
    assert stored["synonyms"]["table"] == "/a/t"
    assert stored == {**dataclasses.asdict(found), "vocab_file": stored["vocab_file"]}


@pytest.mark.parametrize("value", ["${oc.env:HOME}", "a${random_seed}", "???", "[1, '${x}']"])
def test_nothing_is_taken_from_the_environment_or_left_open(yaml_file, value):
    for text, overrides in ((f'vocab_file: "{value}"', []), ("", [f"vocab_file={value}"])):
        path = yaml_file(text or "random_seed: 1")
        with pytest.raises(UserError, match=r"vocab_file is .*: write the value itself$"):
            load_settings(DataConfig, path, overrides)


@pytest.mark.parametrize(
    ("theirs", "sentence"),
    [
        ({"config": {"a": 1, "b": {"c": [1]}}, "vocab_sha256": "0"}, ""),
        ({"config": {"a": 2, "b": {"c": [1]}}, "vocab_sha256": "0"}, "a is 2 there, 1 here"),
        ({"config": {"a": 1, "b": {}}, "vocab_sha256": "0"}, "b.c is null there, [1] here"),
        ({"config": {"a": 1, "b": {"c": [1]}}, "vocab_sha256": "1"}, "vocab differs"),
        ({}, "a is null there, 1 here, b.c is null there, [1] here, vocab differs"),
        ({"config": {"a": "x" * 50, "b": {"c": [1]}}, "vocab_sha256": "0"}, "a differs"),
    ],
)
def test_differences_are_named_with_both_values(theirs, sentence):
    ours = {"config": {"a": 1, "b": {"c": (1,)}}, "vocab_sha256": "0"}
    assert differences(ours, theirs) == sentence


def test_of_many_differences_some_are_named():
    ours = {str(n): n for n in range(9)}
    assert differences(ours, {}).endswith("4 is null there, 4 here, 4 more")
