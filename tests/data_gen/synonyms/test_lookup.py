"""Looking up similar words. 大 and 巨大 are near each other, so are 高兴, 快乐, 愉快 and 乐."""

import numpy as np
import pytest

from data_gen.config import DataConfig
from data_gen.core.word_keys import word_keys
from data_gen.synonyms.lookup import CandidateLookup
from data_gen.synonyms.table import Table
from tests.conftest import default_settings
from tests.data_gen.helpers import layer_of, pieces_of

FIRST = {
    "高兴": [("快乐", 0.9), ("乐", 0.8), ("愉快", 0.7), ("人工智能", 0.3)],
    "愉快": [("乐", 0.9), ("高兴", 0.8)],
    "大": [("巨大", 0.9)],
    "语言": [("语法", 0.8), ("词汇", 0.7)],
    "孤": [],
    "模型": [("型模", 0.9), ("模式", 0.8), ("语言", 0.7), ("类型", 0.6)],
    "词汇": [("词语", 0.9), ("词典", 0.8)],
    "线段树": [("电视机", 0.9), ("红黑树", 0.8)],
    "地区": [("台湾", 0.9), ("臺灣", 0.8)],
    "跑": [("马", 0.9), ("走", 0.8)],
    "马": [("跑", 0.9)],
}
SECOND = {
    "大": [("小", 0.6), ("，", 0.5)],
    "高兴": [("难过", 0.9)],
    "，": [("。", 0.9)],
    "cpu": [("大", 0.9)],
}


@pytest.fixture(scope="module")
def look_up(tokenizer):
    """(word, overrides) -> its candidates, source, and why it has none."""
    layers = {"toolkit": layer_of(tokenizer, FIRST), "corpus": layer_of(tokenizer, SECOND)}

    def get(word, *overrides):
        config = default_settings(DataConfig, [f"synonyms.{setting}" for setting in overrides])
        similar = CandidateLookup(Table(layers, {}), tokenizer, config.synonyms)
        pieces = pieces_of(tokenizer, word)
        found, source = similar.of_word(pieces)
        found = [tokenizer.join(candidate) for candidate, _ in found]
        keys = word_keys(np.array(pieces), np.array([0, len(pieces)]))
        (reason,) = similar.reasons(keys).each()
        return found, source, "" if found else reason

    return get


def test_candidates_have_as_many_pieces_in_the_order_of_the_table(look_up):
    assert look_up("高兴") == (["快乐", "愉快"], "toolkit", "")


def test_the_next_source_is_asked_where_one_has_nothing_of_use(look_up):
    assert look_up("大") == (["小"], "corpus", "")
    assert look_up("，") == (["。"], "corpus", "")


def test_why_there_is_none(look_up):
    assert look_up("没有") == ([], "", "not in the table")
    assert look_up("孤") == ([], "", "no neighbour in the table")
    assert look_up("愉快", "min_similarity=0.95") == ([], "", "not similar enough")
    assert look_up("愉快", "other_lengths=strict")[2] == "other number of pieces"


def test_a_word_may_be_left_without_for_a_nearest_of_another_size(look_up):
    """The nearest of 愉快 is 乐, of one piece, and that of 大 is 巨大."""
    assert look_up("愉快")[0] == ["高兴"]
    assert look_up("愉快", "other_lengths=strict")[0] == []
    assert look_up("高兴", "other_lengths=strict")[0] == ["快乐", "愉快"]
    # the next source is not asked: the first has decided
    assert look_up("大", "other_lengths=strict")[:2] == ([], "")


def test_candidates_that_change_every_piece_may_be_preferred(look_up):
    """A piece counts at its place: 型模 leaves none of 模型 as it was."""
    assert look_up("语言")[0] == ["语法", "词汇"]
    assert look_up("语言", "avoid_shared_pieces=true")[0] == ["词汇"]
    assert look_up("模型", "avoid_shared_pieces=true")[0] == ["型模", "语言"]
    # where all share one, all are candidates
    assert look_up("词汇", "avoid_shared_pieces=true")[0] == ["词语", "词典"]
    # those of another number of pieces are none
    assert look_up("高兴", "avoid_shared_pieces=true")[0] == ["快乐", "愉快"]


def test_neighbours_below_a_similarity_are_no_candidates(look_up):
    assert look_up("高兴", "min_similarity=0.8")[0] == ["快乐"]
    # 快乐 is not near enough any more, but the second source has 难过 of the same cosine
    assert look_up("高兴", "min_similarity=0.91")[:2] == ([], "")
    assert look_up("大", "min_similarity=0.55")[0] == ["小"]


def test_candidates_of_the_same_script_if_there_are_any(look_up):
    assert look_up("大")[0] == ["小"]
    assert look_up("大", "alike=[]")[0] == ["小", "，"]
    assert look_up("cpu")[0] == ["大"]


def test_candidates_of_the_same_part_of_speech_if_there_are_any(look_up):
    """In jieba's dictionary 跑 and 走 are verbs, 马 is a noun."""
    assert look_up("跑")[0] == ["马", "走"]
    assert look_up("跑", "alike=[part_of_speech]")[0] == ["走"]
    assert look_up("马", "alike=[part_of_speech]")[0] == ["跑"]
    # the dictionary lacks 线段树: nothing is known of what would be like it
    assert look_up("线段树", "alike=[part_of_speech]")[0] == ["电视机", "红黑树"]


def test_traditional_words_are_looked_up_as_simplified_ones(look_up):
    assert look_up("語言") == (["語法", "詞彙"], "toolkit, simplified", "")
    assert look_up("語言", "traditional=false") == ([], "", "not in the table")
    assert look_up("地區")[0] == ["臺灣"]  # once, though both spellings are in the table
    # 龜 is in the vocabulary, but neither it nor 龟 in the table
    assert look_up("龜") == ([], "", "not in the table")
