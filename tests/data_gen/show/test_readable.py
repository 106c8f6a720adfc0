import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.core.columns import Example
from data_gen.shared.dataset.dataset_info import read_info
from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import SPECIALS
from data_gen.show.marks import LEGEND, MarkedText
from data_gen.show.readable import (
    ReadableExample,
    build_vocabulary,
    legend_of,
    mark_segments,
    readable_examples,
)
from data_gen.show.selection import Wanted, selected
from data_gen.show.terminal import coloured, plain, text_lines
from data_gen.tokenization.running_text import join_wordpiece
from data_gen.tokenization.sentence_piece import join_sentencepiece
from tests.data_gen.helpers import GOLDEN

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "使", "用", "语", "言", "法", "模"]
VOCABULARY += ["，", "play", "##ing", "##ed", "the", "cat", "3", ".", "14", "か", "[", "概", "率"]


def example(text, masked=(), b=None, label=0):
    """An example of pieces separated by spaces; `masked` is {position: piece put there}."""
    a, b = text.split(), (b.split() if b else [])
    pieces = ["[CLS]", *a, "[SEP]", *b, *(["[SEP]"] if b else [])]
    ids = [VOCABULARY.index(piece) for piece in pieces]
    labels = tuple(ids[i] for i in sorted(masked))
    for i, piece in dict(masked).items():
        ids[i] = VOCABULARY.index(piece)
    return Example(tuple(ids), len(a) + 2, tuple(sorted(masked)), labels, label)


def read(text, masked=(), similar=True, write=plain, b=None):
    segments = mark_segments(example(text, masked, b), VOCABULARY, similar, join_wordpiece)
    return [f"{name} {''.join(map(write, runs))}" for name, runs in segments]


@pytest.mark.parametrize(
    ("text", "masked", "expected"),
    [
        ("使 用 语 言", {}, "使用语言"),
        ("使 用 语 言", {3: "[MASK]", 4: "[MASK]"}, "使用[语言→MASK]"),
        ("使 用 语 言", {1: "法", 2: "模"}, "[使用→法模]语言"),
        ("使 用 语 言", {1: "使", 2: "用"}, "[=使用]语言"),
        ("使 用 语 言", {1: "[MASK]", 2: "法", 3: "语"}, "[使→MASK][用语→法语]言"),
        ("play ##ing the cat", {}, "playing the cat"),
        ("play ##ing the cat", {1: "cat", 2: "##ed"}, "[playing→cated] the cat"),
        ("play ##ing the cat", {2: "[MASK]"}, "play[ing→MASK] the cat"),
        ("play ##ing the cat", {3: "[MASK]", 4: "[MASK]"}, "playing [the cat→MASK]"),
        ("play ##ing the cat", {2: "the", 3: "使"}, "play[ing the→the使] cat"),
        ("使 the cat 用", {2: "[MASK]"}, "使[the→MASK] cat用"),
        ("3 . 14 か か", {}, "3.14 か か"),
        ("使 用 语", {2: "##ing"}, "使[用→##ing]语"),
        ("使 [UNK] 用", {2: "[MASK]"}, "使[[UNK]→MASK]用"),
        ("使 play ##ing", {2: "[MASK]", 3: "##ing"}, "使[play→MASK][=ing]"),
    ],
)
def test_every_kind_as_plain_text(text, masked, expected):
    assert read(text, masked) == [f"A {expected}"]


@pytest.mark.parametrize(
    ("text", "masked", "similar", "expected"),
    [
        # 语言 -> 语法: the shared piece is of the word that was replaced
        ("语 言 模", {1: "语", 2: "法"}, True, "[语言→语法]模"),
        ("语 言 模", {1: "语", 2: "法"}, False, "[=语][言→法]模"),
        ("语 言 模", {1: "法", 2: "言"}, True, "[语言→法言]模"),
        # two pieces are a word that stayed, and so is a mark
        ("使 用 语 言", {1: "使", 2: "用", 3: "法"}, True, "[=使用][语→法]言"),
        ("语 ， 言", {1: "法", 2: "，"}, True, "[语→法][=，]言"),
        # nothing was replaced beside it
        ("语 言", {1: "语"}, True, "[=语]言"),
        ("语 言", {1: "语", 2: "[MASK]"}, True, "[=语][言→MASK]"),
    ],
)
def test_a_shared_piece_of_a_similar_word(text, masked, similar, expected):
    assert read(text, masked, similar) == [f"A {expected}"]


def test_colours():
    masked = {1: "[MASK]", 2: "法", 3: "言", 4: "言"}
    (line,) = read("使 用 言 言 模", masked, write=coloured)
    assert line == (
        "A \033[30;43m使\033[0m\033[9;31m用\033[0m→\033[32m法\033[0m\033[4;36m言言\033[0m模"
    )


def test_segments_stand_in_the_order_of_the_record():
    assert read("使 用", {4: "[MASK]"}, b="语 言") == ["A 使用", "B [语→MASK]言"]


def test_what_should_not_be_in_a_segment_is_shown():
    odd = Example((2, 2, 5, 3, 6, 6), 4, (), (), 0)
    text = [
        plain(run)
        for _, runs in mark_segments(odd, VOCABULARY, True, join_wordpiece)
        for run in runs
    ]
    assert text == ["[CLS]使", "用用"]
    masked_end = Example((2, 5, 4), 3, (2,), (3,), 0)
    ((_, runs),) = mark_segments(masked_end, VOCABULARY, True, join_wordpiece)
    assert "".join(map(plain, runs)) == "使[[SEP]→MASK]"


@given(st.data())
def test_the_originals_read_as_the_text_and_every_run_has_one_kind(data):
    ids = data.draw(st.lists(st.integers(5, len(VOCABULARY) - 1), min_size=1, max_size=12))
    masked = data.draw(
        st.dictionaries(st.integers(1, len(ids)), st.sampled_from([4, *range(5, len(VOCABULARY))]))
    )
    text = " ".join(VOCABULARY[i] for i in ids)
    whole = example(text, {at: VOCABULARY[i] for at, i in masked.items()})
    ((_, untouched),) = mark_segments(example(text), VOCABULARY, False, join_wordpiece)
    for similar in (False, True):
        ((_, runs),) = mark_segments(whole, VOCABULARY, similar, join_wordpiece)
        assert "".join(run.original for run in runs) == "".join(run.original for run in untouched)
        for run in runs:
            assert run.kind in ("text", "mask", "replaced", "kept")
            assert run.kind not in ("text", "kept") or run.original == run.shown
            assert run.kind != "mask" or set(run.shown.split("[MASK]")) == {""}
            if run.kind == "text":
                assert run.pieces == ()
            else:
                originals, shown = zip(*run.pieces)
                assert ("".join(originals), "".join(shown)) == (run.original, run.shown)
        kinds = [run.kind for run in runs if run.original.strip()]
        assert ("text" in kinds) == (len(masked) < len(ids))


@pytest.mark.parametrize(
    ("corruption", "kinds"),
    [
        ("similar", ["replaced", "kept"]),
        ("partial_mask", ["mask", "replaced", "kept"]),
        ("all_mask", ["mask", "kept"]),
        ("random", ["replaced", "kept"]),
        ("of another version", ["mask", "replaced", "kept"]),
    ],
)
def test_the_legend_has_the_marks_of_the_recipe(corruption, kinds):
    info = read_info(GOLDEN)
    masking = {**info.manifest["config"]["masking"], "corruption": corruption}
    config = {**info.manifest["config"], "masking": masking}
    legend = legend_of(info._replace(manifest={**info.manifest, "config": config}))
    assert [marked.kind for marked, _ in legend] == kinds
    assert ("similar" in "".join(meaning for _, meaning in legend)) == (corruption == "similar")


def labels_shown(pair_task):
    info = read_info(GOLDEN)
    config = {**info.manifest["config"], "pair_task": pair_task}
    info = info._replace(manifest={**info.manifest, "config": config})
    return {shown.label for shown in readable_examples(info, build_vocabulary(info))()}


@pytest.mark.parametrize(
    ("pair_task", "expected"),
    [
        ("sop", {"in order", "swapped"}),
        ("nsp", {"next", "random"}),
        ("none", {""}),
    ],
)
def test_the_label_is_explained_by_the_pair_task(pair_task, expected):
    assert labels_shown(pair_task) == expected


def golden(start, count, colour=False):
    info = read_info(GOLDEN)
    examples = readable_examples(info, build_vocabulary(info))
    shown = selected(examples, Wanted(), start, count)
    return list(text_lines(info, shown, legend_of(info), colour))


def test_the_golden_set_read():
    assert golden(2, 2) == [
        "[old→new] was replaced by a similar word or a random one   "
        "[=kept] stayed, is predicted all the same",
        "",
        "example 2 of 78 · part-00000-of-00002.tfrecord #2 · 44 of 48 pieces · "
        "7 masked (15.9%) · swapped",
        "A 程序[会→向]把日志写[到work→小个]目录下的文件里。",
        "B 如果内存不足，可以减小批次[的大小→buffet重要]，或者累积梯度[。→从]",
        "",
        "example 3 of 78 · part-00000-of-00002.tfrecord #3 · 42 of 48 pieces · "
        "6 masked (14.3%) · swapped",
        "A [UNK]一位老顾客笑着说。老板的儿子在网上开了店，把汤料[卖→为]到了全国各地。",
        "B ，[这就够了。→向楼这nas停]",
    ]


def test_from_any_example_on():
    from_first = golden(1, 78)
    at = random.Random(3).randrange(1, 78)
    assert golden(at, 100)[1:] == from_first[1 + 4 * (at - 1) :]
    assert from_first[-3].startswith("example 78 of 78")


def test_past_the_end():
    with pytest.raises(UserError, match="78 examples: there is none from --start 79"):
        golden(79, 1)


def test_colour_changes_no_text():
    runs = (
        MarkedText("mask", "甲", "[MASK]"),
        MarkedText("text", "乙", "乙"),
        MarkedText("replaced", "丙", "丁"),
    )
    shown = [ReadableExample(7, "shard", 2, 4, 1, "", (("A", runs),))]
    info = read_info(GOLDEN)
    clean = [re.sub("\033\\[[0-9;]*m", "", line) for line in text_lines(info, shown, LEGEND, True)]
    title = "example 7 of 78 · shard #2 · 4 of 48 pieces · 1 masked (25.0%)"
    assert clean[1:] == ["", title, "A 甲乙丙→丁"]
    assert "\033" not in "".join(text_lines(info, shown, LEGEND, False))


def test_the_vocabulary_is_checked(tmp_path):
    info = read_info(GOLDEN)
    other = tmp_path / "vocab.txt"
    other.write_text("\n".join(VOCABULARY), encoding="utf-8")
    with pytest.raises(UserError, match=r"another vocabulary .* with --vocab FILE"):
        build_vocabulary(info, str(other))
    with pytest.raises(UserError, match=r"there is no vocabulary .*missing.txt: .* --vocab FILE"):
        build_vocabulary(info, str(tmp_path / "missing.txt"))
    moved = {**info.manifest, "config": {**info.manifest["config"], "vocab_file": "moved.txt"}}
    moved_info = info._replace(manifest=moved)
    with pytest.raises(UserError, match=r"there is no vocabulary moved\.txt"):
        build_vocabulary(moved_info)
    assert len(build_vocabulary(moved_info, info.manifest["config"]["vocab_file"])) == 21128


def test_pieces_of_sentencepiece_read_as_text(tmp_path):
    """Its spaces are in the pieces: ▁linux after a Chinese word."""
    vocabulary = [*SPECIALS, "后门", "▁linux", "er", "▁"]
    ids = {piece: i for i, piece in enumerate(vocabulary)}
    a = ["[CLS]", "后门", "▁linux", "er", "[SEP]"]
    pieces = tuple(ids[piece] for piece in [*a, "▁", "后门", "[SEP]"])
    example = Example(pieces, len(a), (1,), (ids["后门"],), 0)
    ((_, a), (_, b)) = mark_segments(example, vocabulary, False, join_sentencepiece)
    assert "".join(run.original for run in a) == "后门 linuxer"
    assert "".join(run.shown for run in b) == " 后门"
