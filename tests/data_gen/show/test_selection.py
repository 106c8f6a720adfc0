import pytest

from data_gen.shared.dataset.dataset_info import read_info
from data_gen.shared.errors import UserError
from data_gen.show.marks import KINDS, MarkedText
from data_gen.show.readable import ReadableExample, build_vocabulary, readable_examples
from data_gen.show.selection import Wanted, holds, selected, simplified
from tests.data_gen.helpers import GOLDEN


@pytest.fixture(scope="module")
def examples():
    info = read_info(GOLDEN)
    return readable_examples(info, build_vocabulary(info))


def numbers(examples, wanted=Wanted(), start=1, count=100, seed=None):  # noqa: B008
    return [one.number for one in selected(examples, wanted, start, count, seed)]


def marked(kind, *pieces):
    original, shown = ("".join(texts) for texts in zip(*pieces))
    return MarkedText(kind, original, shown, pieces)


def text(original):
    return MarkedText("text", original, original)


EXAMPLE = ReadableExample(1, "", 1, 9, 4, "", (
    ("A", (text("使用"), marked("replaced", ("语", "语"), ("言", "法")), text("模型 Café"))),
    ("B", (marked("mask", ("来", "[MASK]")), text("预测"), marked("kept", ("概", "概")))),
))  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted("语言模型"), True),  # as it was
        (Wanted("语法模"), True),  # as the model sees it
        (Wanted("言法"), False),
        (Wanted("模型来"), False),  # of two segments
        (Wanted("用 语 言"), True),  # the records hold no white space
        (Wanted("CAFE"), True),
        (Wanted("[MASK]预测"), True),
        (Wanted(kind="mask"), True),
        (Wanted(pieces=2), True),
        (Wanted(pieces=3), False),
        (Wanted(kind="kept", pieces=1), True),
        (Wanted(kind="kept", pieces=2), False),
        (Wanted("语言", "replaced"), True),
        (Wanted("用语", "replaced"), True),  # a part of it is marked
        (Wanted("使用", "replaced"), False),
        (Wanted("语言", "mask"), False),
        (Wanted("语法", "replaced", 2), True),
        (Wanted("语法", "replaced", 1), False),
        (Wanted("来", pieces=1), True),
    ],
)
def test_what_an_example_holds(wanted, found):
    assert holds(EXAMPLE, wanted) == found


def test_a_text_is_found_at_its_second_place():
    run = marked("kept", ("词", "词"))
    example = EXAMPLE._replace(segments=(("A", (text("词词"), run)),))
    assert holds(example, Wanted("词词", "kept"))
    assert not holds(example, Wanted("词词词词", "kept"))


def test_found_examples_are_all_that_hold_the_text(examples):
    found = numbers(examples, Wanted("老顾客"))
    every = [one.number for one in examples() if "老顾客" in str(one.segments)]
    assert found == every
    assert 1 < len(found) < 78


def test_kinds_and_sizes_of_the_golden_build(examples):
    by_kind = {kind: numbers(examples, Wanted(kind=kind)) for kind in KINDS if kind != "mask"}
    assert all(by_kind.values())
    with pytest.raises(
        UserError, match="none of its 78 examples holds a stretch that is marked as mask"
    ):
        numbers(examples, Wanted(kind="mask"))
    for one in selected(examples, Wanted(kind="replaced", pieces=3), 1, 5):
        assert any(
            run.kind == "replaced" and len(run.pieces) == 3
            for _, runs in one.segments
            for run in runs
        )


def test_from_a_place_on(examples):
    every = numbers(examples, Wanted("。"))
    assert numbers(examples, Wanted("。"), start=40, count=3) == [n for n in every if n >= 40][:3]


def test_random_examples_are_the_same_for_a_seed_and_no_two_alike(examples):
    first = numbers(examples, count=10, seed=1)
    assert first == numbers(examples, count=10, seed=1)
    assert first == sorted(set(first))
    assert first != numbers(examples, count=10, seed=2)
    assert numbers(examples, count=1000, seed=3) == list(range(1, 79))
    drawn = [n for seed in range(300) for n in numbers(examples, count=1, seed=seed)]
    assert len(set(drawn)) > 70  # 78 less some that chance leaves out


def test_random_found_examples_come_round(examples):
    every = numbers(examples, Wanted("。"))
    found = numbers(examples, Wanted("。"), seed=5)
    at = every.index(found[0])
    assert found == every[at:] + every[:at]
    firsts = {numbers(examples, Wanted("。"), count=1, seed=seed)[0] for seed in range(20)}
    assert len(firsts) > 5


@pytest.mark.parametrize(
    ("wanted", "start", "sentence"),
    [
        (Wanted("未必存在"), 1, "none of its 78 examples holds “未必存在”$"),
        (Wanted("未必", "kept", 2), 1, "“未必” at a stretch of 2 pieces that is marked as kept"),
        (Wanted(pieces=40), 1, "holds a stretch of 40 pieces that is marked$"),
        (Wanted("未必"), 70, "none of its 78 examples from --start 70 on holds"),
        (Wanted(), 79, "holds 78 examples: there is none from --start 79"),
    ],
)
def test_where_there_is_none(examples, wanted, start, sentence):
    with pytest.raises(UserError, match=sentence):
        numbers(examples, wanted, start)


def test_simplified():
    assert simplified(" Ｌ é\u3000É 词\n") == "ｌee词"
