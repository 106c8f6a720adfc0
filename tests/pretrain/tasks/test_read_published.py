import json

import pytest

from data_gen.shared.errors import UserError
from pretrain.tasks.examples import TextExample
from pretrain.tasks.read_published import read_cluewsc, read_ocnli, read_xnli


def wsc(text, noun, noun_at, pronoun, pronoun_at, **other):
    target = {
        "span1_text": noun,
        "span1_index": noun_at,
        "span2_text": pronoun,
        "span2_index": pronoun_at,
    }
    return json.dumps({"target": target, "text": text, "idx": 0, **other}, ensure_ascii=False)


def test_xnli_as_google_publishes_it(write):
    train = write(
        "multinli.train.zh.tsv",
        "premise\thypo\tlabel\n"
        "他 说 “ 好 ” 。\t他 没 说话\tcontradictory\n他来了\t他来\tentailment\n",
    )
    assert read_xnli(train) == [
        TextExample("line 2", "他 说 “ 好 ” 。", "他 没 说话", "contradiction"),
        TextExample("line 3", "他来了", "他来", "entailment"),
    ]
    dev = write(
        "xnli.dev.tsv",
        "language\tgold_label\tsentence1\tsentence2\tlabel1\tsentence1_tokenized\n"
        'ar\tneutral\tوقال "\tاتصل\tneutral\tوقال\n'
        "zh\tneutral\t我回来了。\t他打了电话。\tentailment\t我 回来 了 。\n",
    )
    assert read_xnli(dev) == [TextExample("line 3", "我回来了。", "他打了电话。", "neutral")]


def test_xnli_as_three_columns(write):
    path = write("dev.tsv", "text_a\ttext_b\tlabel\n我回来了。\t他打了电话。\tneutral\n")
    assert read_xnli(path) == [TextExample("line 2", "我回来了。", "他打了电话。", "neutral")]


def test_xnli_without_chinese(write):
    path = write("dev.tsv", "language\tgold_label\tsentence1\tsentence2\nen\tneutral\ta\tb\n")
    with pytest.raises(UserError, match=r"dev.tsv holds no pair of the language zh"):
        read_xnli(path)


def test_ocnli_leaves_out_and_counts_what_has_no_label(write, capsys):
    rows = [
        {"sentence1": "二十年了", "sentence2": "很久", "label": label, "label0": "neutral", "id": 1}
        for label in ("entailment", "-", "neutral", "-")
    ]
    path = write("train.json", "\n".join(json.dumps(row) for row in rows))
    assert [(e.id, e.label) for e in read_ocnli(path)] == [
        ("line 1", "entailment"),
        ("line 3", "neutral"),
    ]
    assert "left out 2 of 4 pairs" in capsys.readouterr().err
    with pytest.raises(UserError, match="no example with a label other than -"):
        read_ocnli(write("dev.json", json.dumps(rows[1])))


# The marks of CLUE's baselines, computed with their arithmetic.
@pytest.mark.parametrize(
    ("line", "marked"),
    [
        (wsc("裂开的伤口涂满尘土，我把它们剔除。", "伤口", 3, "它们", 12),
         "裂开的_伤口_涂满尘土，我把[它们]剔除。"),
        (wsc("他对胡雪岩说话。", "胡雪岩", 2, "他", 0), "[他]对_胡雪岩_说话。"),
        (wsc("母亲问我：这小蹄子她说什么?", "小蹄子", 6, "她", 9),
         "母亲问我：这_小蹄子_[她]说什么?"),
    ],
)  # fmt: skip
def test_cluewsc_marks_both_spans(write, line, marked):
    path = write("dev.json", line.replace('"idx"', '"label": "true", "idx"'))
    assert read_cluewsc(path) == [TextExample("line 1", marked, None, "true")]


def test_cluewsc_without_labels(write):
    assert read_cluewsc(write("test.json", wsc("他来了", "来", 1, "他", 0)))[0].label is None


@pytest.mark.parametrize(
    "line",
    [
        wsc("他来了", "来", 2, "他", 0),  # another place
        wsc("他来了", "", 2, "他", 0),
        wsc(None, "来", 1, "他", 0),
        '{"text": "他来了"}',
    ],
)
def test_cluewsc_whose_spans_are_wrong(write, line):
    path = write("dev.json", wsc("他来了", "来", 1, "他", 0) + "\n" + line)
    with pytest.raises(UserError, match=r"dev.json, line 2 is not of CLUEWSC"):
        read_cluewsc(path)
