"""The similar words of vector files are found once for a user, not once for a build."""

import os

import numpy as np
import pytest

from data_gen.config import DataConfig
from data_gen.engine.processes import LocalEngine
from data_gen.jobs import build_synonyms
from data_gen.jobs.build_synonyms import make_table, plan_table
from tests.conftest import default_settings
from tests.data_gen.helpers import show, write_word2vec

WORDS = {"高兴": [9, 1], "快乐": [9, 1.1], "愉快": [9, 1.3], "大": [1, 9], "巨大": [1, 9.1]}


@pytest.fixture
def near(tmp_path):
    return write_word2vec(
        tmp_path / "near.bin", list(WORDS), np.array(list(WORDS.values()), np.float32)
    )


def make(near, path, cache, *overrides):
    config = default_settings(
        DataConfig,
        ["segmenter.name=presegmented", f"synonyms.vectors=[{near}]", *overrides],
    )
    make_table(plan_table(config, None), str(path), LocalEngine(1), show, cache and str(cache))
    return path.read_bytes()


def forbid(*arguments, **named):
    raise AssertionError("the vectors are read")


def test_what_one_build_found_no_other_reads_again(near, tmp_path, monkeypatch):
    first = make(near, tmp_path / "first", tmp_path / "cache")
    (kept,) = os.listdir(tmp_path / "cache")
    monkeypatch.setattr(build_synonyms, "read_vectors", forbid)
    assert make(near, tmp_path / "second", tmp_path / "cache") == first
    with pytest.raises(AssertionError, match="are read"):
        make(near, tmp_path / "third", None)
    # another setting, another vocabulary and other vectors are another layer
    for name, override in (("k", "synonyms.top_k=3"), ("case", "do_lower_case=false")):
        with pytest.raises(AssertionError, match="are read"):
            make(near, tmp_path / name, tmp_path / "cache", override)
    assert os.listdir(tmp_path / "cache") == [kept]


def test_a_damaged_file_of_the_cache_is_made_anew(near, tmp_path):
    first = make(near, tmp_path / "first", tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert make(near, tmp_path / "second", tmp_path / "cache") == first
    assert kept.read_bytes() == whole


def test_a_home_that_cannot_be_written_is_no_error(near, tmp_path):
    (tmp_path / "file").write_text("")
    first = make(near, tmp_path / "first", tmp_path / "file" / "cache")
    assert first == make(near, tmp_path / "second", None)
