import json

import pytest

from data_gen.shared.errors import UserError
from pretrain.tasks.examples import Question
from pretrain.tasks.squad import find_answer, read_questions

CONTEXT = "《战国无双3》是由光荣和ω-force开发的。光荣是日本公司。"


def entry(name, *answers, question="由谁开发？"):
    return {
        "id": name,
        "question": question,
        "answers": [{"text": text, "answer_start": start} for text, start in answers],
    }


def squad(*entries, context=CONTEXT):
    article = {"title": "战国无双3", "paragraphs": [{"context": context, "qas": list(entries)}]}
    return json.dumps({"version": "v1.0", "data": [article]}, ensure_ascii=False)


def test_questions(write):
    content = squad(
        entry("DEV_0_QUERY_0", ("光荣和ω-force", 9), ("光荣", 9)),
        entry("DEV_0_QUERY_1", ("日本公司", 24), question=""),  # as TRIAL_20_QUERY_0
        entry("TEST_1"),
        {"id": 4, "question": "谁？"},
    )
    assert read_questions(write("dev.json", content)) == [
        Question("DEV_0_QUERY_0", "由谁开发？", CONTEXT, ("光荣和ω-force", "光荣"), 9),
        Question("DEV_0_QUERY_1", "", CONTEXT, ("日本公司",), CONTEXT.index("日本公司")),
        Question("TEST_1", "由谁开发？", CONTEXT, (), -1),
        Question("4", "谁？", CONTEXT, (), -1),
    ]


@pytest.mark.parametrize(
    ("answer", "start", "found"),
    [
        ("光荣", 9, 9),
        ("光荣", 23, 23),
        ("光荣", 10, 9),  # off by one: the nearest
        ("光荣", 8, 9),
        ("光荣", 16, 9),
        ("光荣", 17, 23),
        ("光荣", 999, 23),
        ("光荣", -1, 9),  # CMRC 2018 does not say: the first
        ("世嘉", 10, -1),
        ("世嘉", -1, -1),
    ],
)
def test_an_answer_is_found_where_it_stands(answer, start, found):
    assert find_answer(CONTEXT, answer, start) == found


@pytest.mark.parametrize(
    ("content", "begins"),
    [
        (squad(entry("A"), entry("A")), " has two questions with the id A"),
        (squad(entry("A", (" ", 10))), ", question A has an empty context or answer: leave it out"),
        (squad(entry("A"), context=""), ", question A has an empty context or answer"),
        (squad(entry("A", question=None)), ", question A has None, which must be a string"),
        (squad(entry("A", question="\ud800")).replace("\ud800", "\\ud800"),
         ", question A has half a character"),
        (squad(), " holds no question"),
        ('[{"context_id": "TRAIN_1", "context_text": "战国"}]', " is not in the form of SQuAD, {"),
        ('{"data": [{"title": "战国"}]}', " is not in the form of SQuAD: something has no 'paragr"),
        ('{"data":\n [', ", line 2 is not JSON (Expecting value)"),
    ],
)  # fmt: skip
def test_errors_name_the_question(write, content, begins):
    path = write("dev.json", content)
    with pytest.raises(UserError) as caught:
        read_questions(path)
    assert str(caught.value)[len(path) :].startswith(begins)
