import itertools
import re
import string
import sys
import unicodedata
from importlib import metadata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.config import DataConfig
from data_gen.core.script_conversion import opencc_version
from data_gen.corpus import normalize
from data_gen.corpus.blocks import group_into_blocks
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.normalize import NORMALIZERS, half_width, normalizer, straight_quotes
from data_gen.corpus.read import read_blocks
from data_gen.shared.errors import UserError
from data_gen.shared.extras import install_command
from data_gen.shared.vocabulary import read_vocabulary
from tests.conftest import default_settings
from tests.data_gen.helpers import VOCAB, scan

CHINESE_MARKS = "（），：；！？。、“”‘’《》〈〉【】「」『』〔〕—…·～"


def test_every_full_width_letter_digit_and_symbol_gets_half_width():
    chinese = "(),:;!?"
    plain = "".join(c for c in map(chr, range(0x21, 0x7F)) if c not in chinese)
    wide = "".join(chr(ord(c) + 0xFEE0) for c in plain)
    assert set(string.ascii_letters + string.digits) < set(plain)
    assert half_width(wide) == plain
    assert half_width("\u3000") == " "


def test_chinese_punctuation_stays_but_for_the_tilde_of_ascii():
    assert half_width(CHINESE_MARKS) == CHINESE_MARKS.replace("～", "~")


@given(st.text())
def test_width_changes_no_length_nothing_else_and_only_once(text):
    once = half_width(text)
    assert len(once) == len(text)
    assert half_width(once) == once
    for old, new in zip(text, once):
        assert old == new or new == unicodedata.normalize("NFKC", old)


def test_quotes_become_those_of_the_vocabulary():
    quotes = "“”„‟＂‘’‚‛＇"
    pieces = set(read_vocabulary(VOCAB))
    assert not pieces & set("“”‘’")
    assert set('"' + "'") <= pieces
    assert straight_quotes(quotes) == '"' * 5 + "'" * 5


@given(st.text())
def test_without_settings_nothing_changes(text):
    assert normalizer([])(text) == text


def test_opencc_goes_both_ways():
    pytest.importorskip("opencc")
    assert normalizer(["t2s"])("臺灣的漢字") == "台湾的汉字"
    assert normalizer(["s2t"])("汉字") == "漢字"
    assert opencc_version() == metadata.version("OpenCC")


@pytest.mark.parametrize("names", list(itertools.permutations(["width", "quotes", "t2s"])))
def test_the_order_of_the_names_says_nothing(names):
    pytest.importorskip("opencc")
    assert normalizer(names)("“漢字”１（\u3000ｏｋ）") == '"汉字"1（ ok）'


def test_a_conversion_that_adds_quotes_leaves_none(monkeypatch):
    """Low quotes, as a dictionary of OpenCC's might give them, become straight ones, too."""
    monkeypatch.setattr(normalize, "converter", lambda name: lambda text: f"„{text}‟")
    monkeypatch.setattr(normalize, "opencc_configurations", lambda: ["s2x"])
    assert normalizer(["quotes", "s2x"])("好") == '"好"'


def test_an_entry_of_the_table_is_an_entry_of_the_setting(monkeypatch):
    monkeypatch.setitem(NORMALIZERS, "shout", str.upper)
    assert normalizer(["shout", "width"])("ａ１") == "A1"


@pytest.mark.parametrize("name", ["t2x", "t2s.json", "/etc/passwd", "../t2s", "", "widht"])
def test_an_unknown_entry_is_one_sentence(name):
    pytest.importorskip("opencc")
    known = r"corpus\.normalize must be some of width, quotes, .*s2t, .*t2s.*, not "
    with pytest.raises(UserError, match=known):
        normalizer(["width", name])


def test_a_missing_opencc_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "opencc", None)
    with pytest.raises(UserError, match=f"opencc.*{re.escape(install_command('data'))}"):
        normalizer(["s2hk"])
    assert normalizer(["width"])("Ａ") == "A"


def test_sentences_are_normalised_after_they_are_split(tmp_path):
    """The closing quotes of a sentence are known before they become straight ones."""
    path = tmp_path / "a.txt"
    path.write_text("“甲。”“乙。”ＯＫ！", encoding="utf-8")
    config = CorpusConfig(normalize=["width", "quotes"])
    (document,) = next(
        read_blocks(list(group_into_blocks([scan(str(path), "a.txt", config)])), config)
    )
    assert document.sentences == ('"甲。"', '"乙。"', "OK！")


def test_all_is_off_by_default():
    config = default_settings(DataConfig)
    assert config.corpus == CorpusConfig(
        format="auto", field="text", normalize=[], drop_duplicates=False
    )
