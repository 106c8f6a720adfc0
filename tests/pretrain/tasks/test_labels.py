import pytest

from data_gen.shared.errors import UserError
from pretrain.tasks.examples import TextExample
from pretrain.tasks.labels import labels_of, require_labels


def examples(*labels):
    return [TextExample(f"line {n}", "好", None, label) for n, label in enumerate(labels, start=1)]


def test_labels_are_sorted_and_numbers_by_value():
    assert labels_of(examples("neutral", "entailment", "neutral"), "a") == ("entailment", "neutral")
    assert labels_of(examples("10", "2", "1", "10"), "a") == ("1", "2", "10")


def test_training_data_has_labels_and_more_than_one():
    with pytest.raises(UserError, match=r"a.tsv: all 3 examples have the label 1: training needs"):
        labels_of(examples("1", "1", "1"), "a.tsv")
    with pytest.raises(UserError, match=r"a.tsv, line 2 has no label"):
        labels_of(examples("1", None, "0"), "a.tsv")


def test_a_column_of_texts_is_no_column_of_labels():
    texts = [f"第{n}条评论" for n in range(30)]
    with pytest.raises(
        UserError, match=r"a.tsv has 30 labels for 30 examples, such as \"第0条评论\""
    ):
        labels_of(examples(*texts), "a.tsv")
    assert len(labels_of(examples(*(texts * 2)), "a.tsv")) == 30


def test_the_other_parts_have_the_labels_of_the_training_data():
    require_labels(examples("1", "0"), ("0", "1"), "dev.tsv")
    with pytest.raises(UserError) as caught:
        require_labels(examples("1", "2"), ("0", "1"), "dev.tsv")
    assert str(caught.value) == (
        'dev.tsv, line 2 has the label "2", which is none of the 2 labels of the task (0, 1): '
        "mend it or leave it out"
    )
    with pytest.raises(UserError, match=r"dev.tsv, line 1 has no label"):
        require_labels(examples(None), ("0", "1"), "dev.tsv")
