"""Training vocabularies: what is in them, and that the same text gives the same bytes."""

import gzip
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_gen.__main__ import main
from data_gen.config import DataConfig
from data_gen.corpus.read import read_blocks
from data_gen.jobs import train_vocabulary as vocabulary_training
from data_gen.jobs.train_vocabulary import Options, cut_words, learn_wordpieces, train_vocabulary
from data_gen.pipeline.load import load_tokenizer
from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import SPECIALS
from data_gen.tokenization.wordpiece import WordPiece
from tests.conftest import default_settings
from tests.data_gen.helpers import SEGMENTED, TEXT, is_cjk, show

WORDPIECE = ["tokenizer.name=wordpiece"]
SENTENCEPIECE = ["tokenizer.name=sentencepiece", "segmenter.name=jieba"]


def train(output, overrides=(), inputs=(TEXT,), **options):
    config = default_settings(DataConfig, list(overrides))
    options = Options(**{"size": 600, "character_coverage": 1.0, **options})
    return train_vocabulary(config, list(inputs), str(output), options, show)


def contents(folder):
    found = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as handle:
            found[name] = handle.read()
    return found


@pytest.mark.parametrize(
    ("overrides", "options"),
    [
        (WORDPIECE, {}),
        (SENTENCEPIECE, {"model_type": "unigram"}),
        (SENTENCEPIECE, {"model_type": "bpe"}),
    ],
    ids=["wordpiece", "unigram", "bpe"],
)
@pytest.mark.parametrize("do_lower_case", ["true", "false"])
def test_a_vocabulary_spells_its_text(tmp_path, overrides, options, do_lower_case):
    overrides = [*overrides, f"do_lower_case={do_lower_case}"]
    pieces = train(tmp_path / "out", overrides, **options)
    assert pieces[:5] == list(SPECIALS)
    assert len(pieces) <= 600
    files = contents(tmp_path / "out")
    assert files["vocab.txt"].decode().splitlines() == pieces
    paths = [f"vocab_file={tmp_path}/out/vocab.txt"]
    if "spiece.model" in files:
        paths.append(f"tokenizer.model={tmp_path}/out/spiece.model")
    tokenizer = load_tokenizer(default_settings(DataConfig, [*overrides, *paths]))
    with open(TEXT, encoding="utf-8") as handle:
        encoded = tokenizer.encode([line.strip() for line in handle])
    used = {i for ids, _ in encoded for i in ids}
    assert tokenizer.unk not in used
    assert len(used) > 0.7 * len(pieces)
    assert len(tokenizer.reachable_ids) > 0.9 * len(pieces)


@pytest.mark.parametrize("overrides", [WORDPIECE, SENTENCEPIECE], ids=["wordpiece", "unigram"])
def test_the_same_text_gives_the_same_bytes(tmp_path, overrides):
    for i in range(4):
        train(tmp_path / str(i), overrides, [TEXT, SEGMENTED])
        assert contents(tmp_path / str(i)) == contents(tmp_path / "0")


def test_wordpieces_are_characters_and_what_joins_them(tmp_path):
    pieces = train(tmp_path / "out")
    inner = {character for piece in pieces if piece[:2] == "##" for character in piece[2:]}
    assert all(character.isalnum() and not is_cjk(character) for character in inner)
    assert not any(len(piece) > 1 and is_cjk(piece[0]) for piece in pieces)
    assert {"的", "。", "##a"} <= set(pieces)
    assert any(piece.isascii() and len(piece) > 3 for piece in pieces[5:])


# What the package leaves to chance: many pairs of the same frequency.
TIES = {a + b + c: 2 for a in "abcdef" for b in "ghijkl" for c in "mnop"}


def test_ties_are_broken_the_same_way():
    options = Options(size=100)
    assert len({tuple(learn_wordpieces(TIES, options)) for _ in range(5)}) == 1
    shuffled = dict(sorted(TIES.items(), key=lambda item: item[0][::-1]))
    assert learn_wordpieces(shuffled, options) == learn_wordpieces(TIES, options)


def test_words_with_characters_left_out_and_endless_ones_teach_nothing():
    runs = {"ab": 1000, "cd": 1000, "aé": 1, "ef" * 101: 4}
    pieces = learn_wordpieces(runs, Options(size=100, character_coverage=0.9995))
    assert pieces[5:] == [*"abcdef", *(f"##{c}" for c in "bdef"), "ab", "cd"]


def test_of_equally_rare_characters_the_first_in_unicode_stay():
    runs = {"的": 997, "乙": 1, "丁": 1, "丙": 1}
    for order in (runs, dict(reversed(runs.items()))):
        assert learn_wordpieces(order, Options(character_coverage=0.998))[5:] == ["丁", "的"]


words = st.dictionaries(
    st.text("abcxyz19é中。", min_size=1, max_size=6), st.integers(1, 5), min_size=1, max_size=8
)


@given(runs=words, size=st.integers(28, 60))
@settings(max_examples=25)
def test_every_run_is_spelled_and_the_size_kept(runs, size):
    pieces = learn_wordpieces(runs, Options(size=size, character_coverage=1.0))
    assert len(pieces) == len(set(pieces)) <= size
    spelled = WordPiece(pieces, do_lower_case=False).encode(list(runs))
    assert not any(1 in ids for ids, _ in spelled)


def test_counts_beyond_what_the_package_is_fed_are_scaled(monkeypatch):
    runs = {"abcabc": 5000, "abd": 300, "xy": 1, "zw": 2}
    whole = learn_wordpieces(runs, Options(size=40))
    monkeypatch.setattr(vocabulary_training, "_MOST_FED", 600)
    assert (
        sum(text.count("abc") for text in vocabulary_training._repeated({"abcabc": 6000}))
        == 2 * 600
    )
    assert set(learn_wordpieces(runs, Options(size=40))) <= {*whole, "xy", "zw"}


def test_rare_characters_are_left_out(tmp_path):
    (tmp_path / "text.txt").write_text("好的。\n" * 999 + "龘\n", encoding="utf-8")
    inputs = [str(tmp_path / "text.txt")]
    for overrides in (WORDPIECE, SENTENCEPIECE):
        name = overrides[0]
        assert "龘" in train(tmp_path / f"{name} 1", overrides, inputs, size=20)
        rare = train(tmp_path / f"{name} 2", overrides, inputs, size=20, character_coverage=0.999)
        assert "龘" not in rare
        assert "好" in "".join(rare)


@pytest.mark.parametrize("overrides", [WORDPIECE, SENTENCEPIECE], ids=["wordpiece", "unigram"])
def test_a_size_without_room_for_the_characters(tmp_path, overrides):
    with pytest.raises(UserError, match=r"take 4\d\d pieces, more than --size 300: give a larger"):
        train(tmp_path / "out", overrides, size=300)
    assert not os.path.exists(tmp_path / "out")


@pytest.mark.parametrize(
    ("sentence", "boundaries", "expected"),
    [
        ("使用语言模型", [0, 2, 4, 6], ["使用", "语言", "模型"]),
        ("用 GPU 训练", [0, 1, 2, 5, 6, 8], ["用 GPU 训练"]),
        ("我们用 GPU。", [0, 2, 3, 4, 7, 8], ["我们", "用 GPU", "。"]),
        ("好", [], ["好"]),
    ],
)
def test_words_are_cut_with_the_space_before_them(sentence, boundaries, expected):
    assert list(cut_words(sentence, boundaries)) == expected


@given(st.text("好a 。\u3000", min_size=1, max_size=9), st.sets(st.integers(0, 9)))
def test_cutting_loses_nothing(sentence, boundaries):
    parts = list(cut_words(sentence, sorted(boundaries)))
    assert "".join(parts) == sentence
    assert all(parts)


def test_no_piece_holds_parts_of_two_words(tmp_path):
    by_character = train(tmp_path / "char", [SENTENCEPIECE[0], "segmenter.name=char"])
    assert all(len(piece.strip("▁")) <= 1 for piece in by_character[5:])
    running = train(tmp_path / "none", [SENTENCEPIECE[0], "segmenter.name=presegmented"])
    assert any(len(piece) > 1 for piece in running[5:])


def test_sentencepiece_learns_from_a_sample_of_a_large_text(tmp_path, monkeypatch):
    whole = train(tmp_path / "whole", SENTENCEPIECE)
    monkeypatch.setattr(vocabulary_training, "_SAMPLE", 1000)
    sample = train(tmp_path / "sample", SENTENCEPIECE)
    assert 50 < len(sample) < len(whole)
    assert train(tmp_path / "again", SENTENCEPIECE) == sample
    assert train(tmp_path / "other", [*SENTENCEPIECE, "random_seed=1"]) != sample


def test_long_sentences_are_not_left_out(tmp_path):
    (tmp_path / "text.txt").write_text("好，" * 4000 + "完", encoding="utf-8")
    overrides = [SENTENCEPIECE[0], "segmenter.name=presegmented"]
    assert "完" in "".join(train(tmp_path / "out", overrides, [str(tmp_path / "text.txt")]))


def test_damage_while_reading_is_told_as_it_is(tmp_path, monkeypatch):
    whole = read_blocks

    def damaged(blocks, config):
        yield from whole(blocks, config)
        raise UserError("cannot read text.txt: damaged")

    monkeypatch.setattr(vocabulary_training, "read_blocks", damaged)
    for overrides in (WORDPIECE, SENTENCEPIECE):
        with pytest.raises(UserError, match=r"^cannot read text.txt: damaged$"):
            train(tmp_path / "out", overrides)


@pytest.mark.parametrize("name", ["wordpiece", "sentencepiece"])
def test_the_command(tmp_path, capfd, name):
    with gzip.open(tmp_path / "text.txt.gz", "wt", encoding="utf-8") as handle, open(TEXT) as text:
        handle.write(text.read())
    argv = ["vocab", "train", "--config", "configs/data/tiny.yaml", "--set", "segmenter.name=jieba"]
    argv += ["--set", f"tokenizer.name={name}", "--input", str(tmp_path / "text.txt.gz")]
    argv += ["--output", str(tmp_path / "out"), "--character-coverage", "1"]
    assert main([*argv, "--size", "600"]) == 0
    out, err = capfd.readouterr()
    pieces = (tmp_path / "out" / "vocab.txt").read_text(encoding="utf-8").splitlines()
    fewer = "" if len(pieces) == 600 else ", all that this text gives of 600"
    assert out == (
        f"{tmp_path}/out/vocab.txt: {len(pieces)} pieces{fewer}; "
        f"a model needs vocab_size {len(pieces)}\n"
    )
    assert err == ""  # the trainers' own logs are silenced
    before = contents(tmp_path / "out")
    assert main([*argv, "--size", "550"]) == 1
    assert "holds a vocab.txt already: choose another --output" in capfd.readouterr().err
    assert contents(tmp_path / "out") == before


def test_a_model_of_the_users_is_not_written_over(tmp_path):
    (tmp_path / "spiece.model").write_text("precious")
    with pytest.raises(UserError, match=r"spiece\.model is another file"):
        train(tmp_path, SENTENCEPIECE)
    assert contents(tmp_path) == {"spiece.model": b"precious"}


def test_no_text(tmp_path):
    (tmp_path / "empty.txt").write_text(" \n")
    with pytest.raises(UserError, match="there is no text in"):
        train(tmp_path / "out", inputs=[str(tmp_path / "empty.txt")])


@pytest.mark.parametrize("share", ["0.5", "1.1", "x"])
def test_a_coverage_out_of_range_is_wrong_usage(share, capsys):
    argv = ["vocab", "train", "--config", "c", "--input", "i", "--output", "o"]
    with pytest.raises(SystemExit) as exit_code:
        main([*argv, "--character-coverage", share])
    assert exit_code.value.code == 2
    assert "is not a share from 0.98 to 1" in capsys.readouterr().err
