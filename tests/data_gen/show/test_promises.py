import math

import pytest

from data_gen.masking.corruption import CORRUPTIONS, CorruptionShares
from data_gen.pairs.tasks import PAIR_TASKS, PairTask, no_task
from data_gen.shared.dataset.dataset_info import read_info
from data_gen.shared.dataset.pair_labels import PAIR_LABELS
from data_gen.shared.errors import UserError
from data_gen.show.promises import Promise, promises
from tests.data_gen.helpers import GOLDEN


def info_of(masking=(), statistics=(), **config):
    """The golden build with other settings and statistics."""
    info = read_info(GOLDEN)
    settings = {**info.manifest["config"], **config}
    settings["masking"] = {**settings["masking"], **dict(masking)}
    counted = {**info.statistics, **dict(statistics)}
    return info._replace(manifest={**info.manifest, "config": settings, "statistics": counted})


def found(*args, **options):
    return {one.name: one for one in promises(info_of(*args, **options))}


def test_the_golden_build_keeps_all_its_promises():
    shares = {
        one.name: (round(one.promised, 9), one.realised) for one in promises(read_info(GOLDEN))
    }
    assert shares == {
        "text kept": (1.0, 1.0),
        "fill": (0.8285, 0.8285),
        "swapped pairs": (0.5, 0.5256),
        "masked pieces": (0.15, 0.1473),
        "n-grams of 1 word": (0.4, 0.4286),
        "n-grams of 2 words": (0.3, 0.2981),
        "n-grams of 3 words": (0.2, 0.1863),
        "n-grams of 4 words": (0.1, 0.087),
        "tenths of a sequence": (1.0, 1.6522),
        "drawn: similar word": (0.8, 0.7878),
        "drawn: random": (0.1, 0.1093),
        "drawn: kept": (0.1, 0.1029),
        "fallbacks to random": (0.1, 0.0656),
    }
    assert all(one.is_kept for one in promises(read_info(GOLDEN)))


MANY = {"instances": 1_000_000, "fill": 1.0}  # of 48 pieces: chance is small


@pytest.mark.parametrize(
    ("name", "statistics"),
    [
        ("n-grams of 1 word", {"ngrams": {"1": 0.495, "2": 0.28, "3": 0.157, "4": 0.065}}),
        ("n-grams of 4 words", {"ngrams": {"1": 0.4, "2": 0.31, "3": 0.2, "4": 0.088}}),
        ("masked pieces", {"masked": 0.143}),
        ("drawn: similar word", {"kinds_drawn": {"similar": 0.78, "random": 0.12, "keep": 0.1}}),
        ("fallbacks to random", {"kinds_by_piece": {"fallback": 0.2}}),
        ("tenths of a sequence", {"masked_by_decile": [1.0] * 9 + [0.9]}),
        ("swapped pairs", {"label_1": 0.0}),
        ("text kept", {"pieces_kept": 0.9}),
        ("fill", {"fill": 0.7, "ideal_fill": 0.9}),
    ],
)
def test_a_promise_that_is_not_kept(name, statistics):
    assert not found(statistics={**MANY, **statistics})[name].is_kept
    assert name in found()


def test_what_chance_allows_grows_as_draws_get_fewer():
    few, many = (
        found(statistics={"instances": n, "fill": 1.0})["swapped pairs"].allowed
        for n in (100, 1_000_000)
    )
    assert few == pytest.approx(4 * math.sqrt(0.25 / 100))
    assert many == 0.005


def test_one_side_of_a_bound_is_free():
    at_most = Promise("", "", "", 0.1, 0.0, 0.01, "at most")
    assert at_most.is_kept
    assert not at_most._replace(realised=0.12).is_kept
    at_least = Promise("", "", "", 0.9, 1.0, 0.01, "at least")
    assert at_least.is_kept
    assert not at_least._replace(realised=0.88).is_kept


@pytest.mark.parametrize(
    ("masking", "config", "there", "not_there"),
    [
        ({"selector": "word"}, {}, ["drawn: kept"], ["n-grams of 1 word"]),
        (
            {"corruption": "all_mask"},
            {},
            ["drawn: [MASK]"],
            ["drawn: similar word", "drawn: random", "fallbacks to random"],
        ),
        ({"budget_unit": "word"}, {}, ["masked words"], ["masked pieces"]),
        ({}, {"pair_task": "nsp"}, ["random pairs"], ["swapped pairs"]),
        ({}, {"pair_task": "none"}, [], ["swapped pairs", "random pairs"]),
        ({}, {"short_seq_prob": 0.1}, ["text kept"], ["fill"]),
    ],
)
def test_a_recipe_promises_what_it_does(masking, config, there, not_there):
    names = set(found(masking, **config))
    assert set(there) <= names
    assert not set(not_there) & names


def test_settings_are_promises():
    weights = {"ngram_weights": [1, 1]}
    counted = {"ngrams": {"1": 0.5, "2": 0.5}}
    assert found(weights, counted)["n-grams of 2 words"].promised == 0.5
    pairs = {"split": "random", "swap_prob": 0.3}
    assert found(pairs=pairs)["swapped pairs"].promised == 0.3
    info = info_of()._replace(max_predictions_per_seq=3)
    masked = {one.name: one.promised for one in promises(info)}["masked pieces"]
    assert masked == 3 / 48  # there are no more slots


def test_an_entry_of_ones_own_has_its_promises(monkeypatch):
    monkeypatch.setitem(CORRUPTIONS, "mine", CorruptionShares(mask=0.6, keep=0.4))
    monkeypatch.setitem(PAIR_TASKS, "mine", PairTask(no_task, label_1=lambda swap_prob: 0.25))
    monkeypatch.setitem(PAIR_LABELS, "mine", ("one", "other"))
    mine = found({"corruption": "mine"}, pair_task="mine")
    assert (mine["drawn: [MASK]"].promised, mine["drawn: kept"].promised) == (0.6, 0.4)
    assert mine["other pairs"].promised == 0.25


@pytest.mark.parametrize(
    ("statistics", "config"),
    [
        ({"masked_by_decile": [], "kinds_drawn": [0.5], "ideal_fill": {"a": 1}}, {}),
        ({"masked_by_decile": {"0": 1}, "pieces": 0, "words": 0}, {"pairs": 7}),
        ({"instances": 0}, {"masked_lm_prob": "all"}),
        ({}, {"masked_lm_prob": True, "pairs": {"swap_prob": True}}),
    ],
)
def test_a_dataset_json_from_elsewhere_is_no_error(statistics, config):
    assert all(one.name for one in promises(info_of({}, statistics, **config)))


@pytest.mark.parametrize(
    "masking",
    [
        {"selector": 3},
        {"corruption": ["similar"]},
        {"corruption_unit": None},
        {"max_fallback": None},
        {"max_fallback": -0.1},
        {"ngram_weights": "many"},
        {"ngram_weights": []},
        {"ngram_weights": [1e30, 0.3]},
        {"ngram_weights": [0.4, 0.3, 0.2]},  # four-grams are counted
        {"budget_unit": "page"},
    ],
)
def test_settings_that_no_build_could_have_had_are_refused(masking):
    """Rather than a promise that was never made (issue 18, C9)."""
    with pytest.raises(UserError, match=r"dataset\.json, config\.masking: "):
        promises(info_of(masking))


def test_records_of_an_unknown_recipe_promise_little():
    assert set(found({"selector": "new"})) == {"text kept", "fill", "swapped pairs"}
    assert not {name for name in found({"corruption": "new"}) if name.startswith("drawn")}
