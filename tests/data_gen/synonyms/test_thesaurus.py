import numpy as np
import pytest

from data_gen.shared.errors import UserError
from data_gen.synonyms.config import SynonymsConfig
from data_gen.synonyms.lookup import CandidateLookup
from data_gen.synonyms.table import Table, make_source_table
from data_gen.synonyms.thesaurus import read_groups, score_with_thesaurus
from tests.data_gen.helpers import layer_of

THESAURUS = """Aa01A01= 高兴 快乐 乐
Aa01A02= 悲伤 难过 伤心
Aa01A03# 高兴 语言
语言 语法
C# csharp

单独
"""


@pytest.fixture
def groups(tmp_path):
    (tmp_path / "thesaurus.txt").write_text(THESAURUS, encoding="utf-8")
    return read_groups(str(tmp_path / "thesaurus.txt"))


def test_groups_are_lines_of_synonyms_without_codes(groups, tmp_path):
    assert groups == [
        ["高兴", "快乐", "乐"],
        ["悲伤", "难过", "伤心"],
        ["语言", "语法"],
        ["C#", "csharp"],
    ]
    (tmp_path / "none.txt").write_text("单独\n", encoding="utf-8")
    with pytest.raises(UserError, match="no line of two words"):
        read_groups(str(tmp_path / "none.txt"))
    (tmp_path / "gbk.txt").write_bytes("高兴 快乐".encode("gb18030"))
    with pytest.raises(UserError, match=r"gbk\.txt"):
        read_groups(str(tmp_path / "gbk.txt"))


def test_sources_are_judged_by_their_words_and_by_those_of_all(tokenizer, groups):
    first = {
        "高兴": [("愉快", 0.9), ("快乐", 0.8)],
        "悲伤": [("难过", 0.9)],
        "语言": [("词汇", 0.9)],
        "大": [("小", 0.5)],
    }
    second = {"高兴": [("快乐", 0.9)]}
    layers = {"one": layer_of(tokenizer, first), "two": layer_of(tokenizer, second)}
    similar = CandidateLookup(Table(layers, {}), tokenizer, SynonymsConfig())
    found = {of.source: of[1:] for of in score_with_thesaurus(similar, tokenizer, groups)}
    assert found["one"] == (3, pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert found["two"] == (1, 1.0, 1.0)
    assert found["one, words of all sources"] == (1, 0.0, 1.0)
    assert found["two, words of all sources"] == (1, 1.0, 1.0)


def test_chance_is_what_other_words_candidates_give(tokenizer):
    """Pairs of synonyms, each the other's only candidate: given to another word, all but few
    miss.
    """
    chars = [tokenizer.join([i]) for i in range(1000, 1400)]
    pairs = list(zip(chars[::2], chars[1::2]))
    rows = np.arange(400).reshape(-1, 2)[:, ::-1].reshape(-1, 1)
    layer = make_source_table(
        [(i,) for i in range(1000, 1400)], rows, np.ones((400, 1)), tokenizer.join
    )
    similar = CandidateLookup(Table({"one": layer}, {}), tokenizer, SynonymsConfig())
    one, chance = score_with_thesaurus(similar, tokenizer, pairs)
    assert one == ("one", 400, 1.0, 1.0)
    assert chance.words == 400
    assert chance.any < 0.05
