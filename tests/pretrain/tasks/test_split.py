import pytest

from data_gen.shared.errors import UserError
from pretrain.tasks.examples import Question, TextExample
from pretrain.tasks.split import split


def texts(numbers):
    return [TextExample(f"line {n}", f"第{n}条评论", None, "1") for n in numbers]


def test_a_share_is_taken_and_both_parts_keep_the_order():
    examples = texts(range(10000))
    kept, taken = split(examples, 0.1, seed=1)
    assert 900 < len(taken) < 1100
    assert sorted(kept + taken, key=_line) == examples
    assert kept == sorted(kept, key=_line)
    assert taken == sorted(taken, key=_line)


def _line(example):
    return int(example.id.split()[1])


def test_the_text_and_the_seed_decide_and_nothing_else():
    examples = texts(range(1000))
    taken = split(examples, 0.2, seed=1)[1]
    assert split(examples[::-1], 0.2, seed=1)[1] == taken[::-1]
    assert split(examples, 0.2, seed=2)[1] != taken
    assert set(taken) < set(split(examples, 0.3, seed=1)[1])


def test_one_text_is_on_one_side():
    pairs = [TextExample(str(n), f"前提{n // 3}", f"假设{n}", "1") for n in range(300)]
    kept, taken = split(pairs, 0.3, seed=1)
    assert not {e.text for e in kept} & {e.text for e in taken}
    questions = [Question(str(n), f"问题{n}", f"段落{n // 3}", (), -1) for n in range(300)]
    kept, taken = split(questions, 0.3, seed=1)
    assert not {e.context for e in kept} & {e.context for e in taken}
    assert taken


def test_neither_part_is_empty():
    with pytest.raises(UserError, match=r"3 examples cannot be split: a share of 0.1"):
        split([TextExample("1", "好", None, "1")] * 3, 0.1, seed=1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        split(texts(range(9)), 1.0, seed=1)
