"""One entry in one table is all that a new corruption, selector or pair task takes."""

import numpy as np
import pytest

from data_gen.config import DataConfig
from data_gen.core.columns import Pair
from data_gen.masking.corruption import CORRUPTIONS, CorruptionShares
from data_gen.masking.placement import NgramPlacement, Ngrams
from data_gen.masking.selectors import SELECTORS, Selection, Selector
from data_gen.pairs.tasks import PAIR_TASKS, PairTask
from data_gen.shared.errors import UserError
from data_gen.show.promises import promises
from data_gen.show.statistics_text import statistics_lines
from tests.conftest import default_settings
from tests.data_gen.helpers import SEGMENTED, run


@pytest.fixture
def build(table, tmp_path):
    """Build from the tests' text with these settings; returns the statistics."""

    def make(*overrides):
        settings = [
            "segmenter.name=presegmented",
            "max_seq_length=64",
            "max_predictions_per_seq=16",
            "dupe_factor=40",
            "num_shards=2",
            f"synonyms.table={table}",
            *overrides,
        ]
        info = run(default_settings(DataConfig, settings), tmp_path / "out", [SEGMENTED])
        assert list(statistics_lines(info.statistics, {one.figure for one in promises(info)}))
        return info, info.manifest["statistics"]

    return make


def test_a_corruption(build, monkeypatch):
    """Built without a table of similar words it masked 4 % and made 37 % of that random."""
    shares = {"mask": 0.4, "similar": 0.4, "random": 0.1}
    monkeypatch.setitem(CORRUPTIONS, "half", CorruptionShares(**shares))
    info, statistics = build("masking.corruption=half", "masking.max_fallback=0.2")
    assert info.manifest["synonyms_sha256"]
    assert statistics["kinds_drawn"] == pytest.approx({**shares, "keep": 0.1}, abs=0.01)
    assert statistics["masked"] == pytest.approx(0.15, abs=0.01)
    assert statistics["kinds_by_piece"]["fallback"] <= 0.2
    assert statistics["words_with_similar"] > 0.3


def test_a_selector(build, monkeypatch):
    def first_words(words, budget, seeds, cap_cost):
        placement = NgramPlacement(words, budget, seeds, cap_cost)
        some = np.flatnonzero(placement.counts)
        start = words.instances[some]
        placement.place_at(Ngrams(some, start, np.ones_like(some), seeds[some]))
        return Selection(*placement.chosen(), 0, placement.refused())

    monkeypatch.setitem(SELECTORS, "first", Selector(first_words, by_piece=True))
    info, statistics = build("masking.selector=first", "masking.corruption=partial_mask")
    assert statistics["ngrams"] == {"1": 1.0}
    assert statistics["masked_by_decile"][1:] == [0.0] * 9
    assert "masked_words" not in statistics  # it is given pieces for words
    assert info.manifest["synonyms_sha256"] is None


def test_a_pair_task(build, monkeypatch):
    def always_swapped(chunk, context, rng):
        in_order = PAIR_TASKS["none"].make(chunk, context, rng)
        return [Pair(pair.b, pair.a, 1, pair.split_at) for pair in in_order]

    monkeypatch.setitem(PAIR_TASKS, "swapped", PairTask(always_swapped, shortest=40))
    settings = ["pair_task=swapped", "masking.corruption=partial_mask"]
    _, statistics = build(*settings)
    assert statistics["label_1"] == 1.0
    assert statistics["pieces_kept"] == 1.0
    with pytest.raises(UserError, match="at least 40 for pair_task=swapped, not 39"):
        default_settings(DataConfig, [*settings, "max_seq_length=39"])
