import pytest

from data_gen.shared.errors import UserError
from pretrain.tasks.examples import TextExample
from pretrain.tasks.read_texts import read_classification, read_pairs


def error(read, path):
    with pytest.raises(UserError) as caught:
        read(path)
    return str(caught.value)[len(path) :]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("chnsenticorp.tsv", "label\ttext_a\n1\t服务很好\n0\t房间太小\n"),
        ("waimai.csv", "label,review\n1,服务很好\n0,房间太小\n"),
        ("headless.tsv", "line\tlabel\n服务很好\t1\n房间太小\t0\n"),
        ("own.csv", "点评,标签\n服务很好,1\n房间太小,0\n"),
        ("tnews.json", '{"label": 1, "label_desc": "a", "sentence": "服务很好", "keywords": "好"}\n'
                       '{"label": "0", "label_desc": "b", "sentence": "房间太小", "keywords": ""}'),
    ],
)  # fmt: skip
def test_classification(write, name, content):
    found = read_classification(write(name, content))
    assert [(e.text, e.second, e.label) for e in found] == [
        ("服务很好", None, "1"),
        ("房间太小", None, "0"),
    ]


def test_classification_without_a_header_has_the_label_last(write):
    found = read_classification(write("a.tsv", "服务很好\t好评\n房间太小\t差评\n"))
    assert found == [
        TextExample("line 1", "服务很好", None, "好评"),
        TextExample("line 2", "房间太小", None, "差评"),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lcqmc.txt", "怎么开通\t如何开通\t1\n多少钱\t在哪里\t0\n"),
        ("lcqmc.tsv", "text_a\ttext_b\tlabel\n怎么开通\t如何开通\t1\n多少钱\t在哪里\t0\n"),
        ("lcqmc.csv", "怎么开通,如何开通,1\n多少钱,在哪里,0\n"),
        ("bq.csv", "\ufeffsentence1,sentence2,label\n怎么开通,如何开通,1\n多少钱,在哪里,0\n"),
        ("bq.tsv", "sentence1\tsentence2\tlabel\n怎么开通\t如何开通\t1\n多少钱\t在哪里\t0\n"),
        ("bq.txt", "怎么开通\t如何开通\t1\n多少钱\t在哪里\t0\n"),
        ("own.tsv", "label\t问\t答\n1\t怎么开通\t如何开通\n0\t多少钱\t在哪里\n"),
        ("afqmc.json", '{"sentence1": "怎么开通", "sentence2": "如何开通", "label": "1"}\n'
                       '{"sentence1": "多少钱", "sentence2": "在哪里", "label": "0"}\n'),
    ],
)  # fmt: skip
def test_pairs(write, name, content):
    found = read_pairs(write(name, content))
    assert [(e.text, e.second, e.label) for e in found] == [
        ("怎么开通", "如何开通", "1"),
        ("多少钱", "在哪里", "0"),
    ]


def test_a_test_part_has_no_labels(write):
    assert read_classification(write("a.txt", "服务很好\n"))[0].label is None
    assert read_pairs(write("b.tsv", "怎么开通\t如何开通\n"))[0].label is None
    path = write("c.json", '{"id": 0, "sentence1": "怎么开通", "sentence2": "如何开通"}')
    assert read_pairs(path) == [TextExample("line 1", "怎么开通", "如何开通", None)]
    assert read_classification(write("d.csv", "text,label\n好,\n"))[0].label is None


def test_labels_of_json_are_strings(write):
    lines = [f'{{"text": "好", "label": {label}}}' for label in ("3", "true", "false", '" a "')]
    found = read_classification(write("a.json", "\n".join(lines)))
    assert [example.label for example in found] == ["3", "true", "false", "a"]


@pytest.mark.parametrize(
    ("read", "content", "begins"),
    [
        (read_classification, "好\t1\n \t0\n", ", line 2 has an empty text: leave the line out"),
        (read_pairs, "好\t很好\t1\n好\t\t0\n", ", line 2 has an empty text_b"),
        (read_classification, "text\tlabel\n好\t1\n坏\t\n", ", line 3 has no label, but other li"),
        (read_classification, "", " holds no example"),
        (read_classification, "text\tlabel\n", " holds no example"),
        (read_classification, "id\tlabel\tx\n1\t1\t好\n", " has the columns id, label, x: name"),
        (read_pairs, "label\ttext\n1\t好\n", " has the columns label, text: name those of the te"),
        (read_classification, "a\tb\t好\n", " has 3 columns without names: write a first line th"),
    ],
)
def test_errors_name_the_line(write, read, content, begins):
    assert error(read, write("a.tsv", content)).startswith(begins)


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ('{"label": "1"}', ", line 2 has no text: write it or leave the line out"),
        ('{"text": 5, "label": "1"}', ", line 2 has text 5, which must be a string"),
        ('{"text": "好", "label": ["1"]}', ", line 2 has a label that is a list"),
        ('{"text": "好", "label": null}', ", line 2 has no label, but other lines have one"),
        ('{"text": "好\\ud800", "label": "1"}', ", line 2 has half a character"),
    ],
)
def test_errors_of_json_name_the_line(write, line, begins):
    path = write("a.jsonl", '{"text": "坏", "label": "0"}\n' + line)
    assert error(read_classification, path).startswith(begins)
