import io
import json
import sys
from unittest import mock

import fsspec
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.config import DataConfig
from data_gen.core.documents import Document
from data_gen.corpus import blocks
from data_gen.corpus.blocks import group_into_blocks
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.forms import columns, decoded, json_array, table
from data_gen.corpus.forms.decoded import read_lines
from data_gen.corpus.forms.form import END, Form
from data_gen.corpus.forms.formats import FORMATS
from data_gen.corpus.read import read_blocks
from data_gen.shared.dataset.dataset_info import read_info
from data_gen.shared.errors import UserError
from tests.conftest import default_settings
from tests.data_gen.helpers import WRITERS, as_arrow, run, scan, shards

DOCUMENTS = [["数学", "a < b && c &lt; d。", "<doc>不是标记。"], ["另一篇。"], ["三。", "四！五？"]]


@pytest.fixture
def read(tmp_path):
    def run(text, name="a.txt", **settings):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return parse(str(path), name, CorpusConfig(**settings))

    return run


def parse(path, name, config):
    files = [scan(path, name, config)]
    return [d for block in read_blocks(list(group_into_blocks(files)), config) for d in block]


def sentences(documents):
    return [list(document.sentences) for document in documents]


def test_every_format_is_tested():
    assert set(WRITERS) == set(FORMATS)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_same_documents_come_out_of_every_format(read, name):
    expected = [["数学", *DOCUMENTS[0][1:]], ["另一篇。"], ["三。", "四！", "五？"]]
    if name == "line":  # lines of one document cannot be told apart there
        expected[0] = ["数学a < b && c &lt; d。", "<doc>不是标记。"]
    found = read(WRITERS[name](DOCUMENTS), format=name)
    assert sentences(found) == expected
    assert [document.id for document in found] == ["a.txt:0", "a.txt:1", "a.txt:2"]


lines = st.lists(st.text("中文<&b。\t", min_size=1).filter(str.strip), min_size=1, max_size=4)


@given(
    documents=st.lists(lines, min_size=1, max_size=12),
    name=st.sampled_from(sorted(FORMATS)),
    size=st.integers(1, 200),
    chunk=st.integers(1, 50),
)
def test_parts_can_be_read_alone_in_every_format(documents, name, size, chunk):
    """Whatever the size of the blocks, nothing is lost and no document is joined with another."""
    url, config = "memory://property/a.txt", CorpusConfig(format=name)
    fsspec.filesystem("memory").pipe("/property/a.txt", WRITERS[name](documents))
    whole = parse(url, "a.txt", config)
    with (
        mock.patch.object(blocks, "BLOCK_BYTES", size),
        mock.patch.object(decoded, "CHUNK", chunk),
        mock.patch.object(json_array, "CHUNK", chunk),
        mock.patch.object(table, "_BATCH", chunk),
    ):
        parts = scan(url, "a.txt", config).parts
        alone = [next(read_blocks([(part,)], config)) for part in reversed(parts)][::-1]
    assert [d.id for part in alone for d in part] == [
        f"a.txt:{i}" for i in range(sum(map(len, alone)))
    ]
    assert [len(part) > 0 for part in alone] == [True] * len(parts)
    assert len(whole) == len(documents)
    pieces = iter([list(d.sentences) for part in alone for d in part])
    for document in whole:  # a long one may come in several pieces
        found = []
        while len(found) < len(document.sentences):
            found += next(pieces)
        assert found == list(document.sentences)
    assert next(pieces, None) is None


def test_a_document_is_cut_only_past_two_blocks_and_alike_in_every_format(read, monkeypatch):
    documents = [["一。"] * 30, ["二。"] * 3, ["三。"] * 3, ["四。"] * 3]
    whole = sorted(set(WRITERS) - {"line"})  # there lines of one document cannot be told apart
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 150)  # 30 lines are 210 bytes
    for name in whole:
        assert sentences(read(WRITERS[name](documents), format=name)) == documents, name
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 40)  # 7 bytes a line: past 80 after 12 of them
    expected = [["一。"] * 12, ["一。"] * 12, ["一。"] * 6, *documents[1:]]
    for name in whole:
        assert sentences(read(WRITERS[name](documents), format=name)) == expected, name


def test_the_field_is_named(read):
    assert sentences(read('{"content": "好。", "text": 3}', format="jsonl", field="content")) == [
        ["好。"]
    ]


@pytest.mark.parametrize(
    ("record", "field", "text"),
    [
        ({"data": {"text": "好。"}}, "data.text", "好。"),
        ({"data": {"text": "坏。"}, "data.text": "好。"}, "data.text", "好。"),
        ({"a": {"b": {"c": "好。"}}}, "a.b.c", "好。"),
        ({"正文": "好。"}, "正文", "好。"),
    ],
)
def test_fields_of_nested_records_are_dotted(read, record, field, text):
    for form, written in (
        ("jsonl", json.dumps(record).encode()),
        ("json", json.dumps([record]).encode()),
        ("parquet", as_parquet_of([record])),
    ):
        assert sentences(read(written, format=form, field=field)) == [[text]]


def as_parquet_of(rows, **options):
    written = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), written, **options)
    return written.getvalue()


@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "tsv", "parquet", "arrow"])
def test_a_missing_field_is_named_with_those_that_exist(read, form):
    written = WRITERS[form]([["好。"]])
    with pytest.raises(
        UserError, match=r'has no field "body" \(it has (id, text|text, id)\): .*corpus.field'
    ):
        read(written, format=form, field="body")


def test_a_missing_nested_field_is_named_with_those_that_exist(read):
    with pytest.raises(UserError, match=r'no field "data.body" \(it has id, data.text, data.n\)'):
        read('{"id": 1, "data": {"text": "好。", "n": 2}}', format="jsonl", field="data.body")
    rows = [{"id": 1, "data": {"text": "好。", "n": 2}}]
    with pytest.raises(UserError, match=r'no field "text" \(it has id, data.text, data.n\)'):
        read(as_parquet_of(rows), format="parquet")
    with pytest.raises(UserError, match=r'has int64 in the column "data.n", which must be strings'):
        read(as_parquet_of(rows), format="parquet", field="data.n")


def test_lines_without_text_are_no_documents(read):
    empty = '{"text": ""}\n\n{"text": " \\n\\u3000"}\n{"text": "好。"}\n'
    assert read(empty, format="jsonl") == [Document("a.txt:0", ("好。",))]
    assert read("\n\n好。\n \n", format="line") == [Document("a.txt:0", ("好。",))]
    assert read(
        as_parquet_of([{"text": None}, {"text": ""}, {"text": "好。"}]), format="parquet"
    ) == [Document("a.txt:0", ("好。",))]
    bare = '<doc id="1">\n\n</doc>\n<doc id="2">\n好。\n</doc>\n'
    assert read(bare, format="wikiextractor") == [Document("a.txt:0", ("好。",))]


def test_a_missing_end_mark_joins_nothing(read):
    text = '<doc id="1">\n一。\n<doc id="2">\n二。\n'
    assert sentences(read(text, format="wikiextractor")) == [["一。"], ["二。"]]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "is not JSON"),
        ("[" * 100000, "is not JSON"),
        ('["text"]', "no fields at all"),
        ('{"title": "", "body": ""}', r'has no field "text" \(it has title, body\).*corpus.field'),
        ('{"text": null}', 'has null in the field "text"'),
        ('{"text": ["a"]}', "must be a string"),
        ('{"text": "\\ud83d"}', "half a character"),
    ],
)
def test_a_bad_line_of_json_is_named(read, line, reason):
    with pytest.raises(UserError, match=rf"a\.jsonl, line 3 .*{reason}") as error:
        read('{"text": "好。"}\n\n' + line + "\n", name="a.jsonl")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"text": "好。"},\n', "line 2 ends within its array, so the file is cut short"),
        ('[{"text": "好。"}\n{"text": "好。"}\n', "ends within its array"),
        ('[\n{"text": "好。"},\n{"text": "好', "line 3 is not JSON"),
        ('[\n{"text": "好。"},\n{"text" "好。"}]', "line 3 is not JSON"),
        ('[\n{"text": "好。"},\n3]', "line 3 has no field"),
        ('["好。", "坏。"]', 'line 1 has no field "text" \\(it has no fields at all\\)'),
        ('[{"text": "好。"}]\n[{"text": "坏。"}]', "a \\[ too many"),
        ('[{"text": "好。"}]]', "a \\] too many"),
        ('[{"text": "\\ud83d"}]', "half a character"),
        ("[" * 100000, "a \\[ too many"),
        ('[{"a":' * 100000, "is not JSON"),
    ],
)
def test_a_bad_array_is_named(read, text, reason):
    with pytest.raises(UserError, match=rf"a\.json, .*{reason}") as error:
        read(text, name="a.json", format="json")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("chunk", [1, 2, 5, 17, 1 << 18])
@pytest.mark.parametrize("form", sorted(WRITERS))
def test_pieces_that_are_read_at_once_make_no_difference(read, form, chunk, monkeypatch):
    written = WRITERS[form](DOCUMENTS)
    whole = sentences(read(written, format=form))
    monkeypatch.setattr(decoded, "CHUNK", chunk)
    monkeypatch.setattr(json_array, "CHUNK", chunk)
    monkeypatch.setattr(table, "_BATCH", chunk)
    assert sentences(read(written, format=form)) == whole


def test_objects_over_several_lines_need_no_array(read):
    text = '{\n "text": "好。"\n}\n\n{\n "text": "坏。"\n}'
    assert sentences(read(text, name="a.json")) == [["好。"], ["坏。"]]


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        (
            "a.csv",
            'id,text\n1,"他说：""好。""\n真的，"\n\n2,三。\n',
            [['他说："好。"', "真的，"], ["三。"]],
        ),
        ("a.csv", "text;id\r\n好，坏。;1\r\n", [["好，坏。"]]),
        ("a.csv", "\ufefftext\n好。\n坏。", [["好。"], ["坏。"]]),
        ("a.csv", "id,text\n1,\n2,好。\n", [["好。"]]),
        ("a.tsv", 'text\tid\n"好。"他说\t1\n他说"好。\t2\n', [['"好。"', "他说"], ['他说"好。']]),
        ("a.tsv", 'id\ttext\n1\t"一。\n二""。"\n3\t"三\n', [["一。", '二"。'], ['"三']]),
        ("a.tsv", 'text\n"好。\n坏。\n', [['"好。'], ["坏。"]]),
    ],
)
def test_tables_are_read_by_column(read, name, text, found):
    assert sentences(read(text, name=name)) == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("id,text\n1,好。\n2,一,二\n", "line 3 has 3 columns, where the first line names 2"),
        ('id,text\n1,"好。\n2,坏。\n', "line 2 is no row of a table"),
        ("text,text\n好。,坏。\n", 'line 1 names two columns "text"'),
        ("id,text\n只有一格\n", "line 2 has 1 columns"),
    ],
)
def test_a_bad_table_is_named(read, text, reason):
    with pytest.raises(UserError, match=rf"a\.csv, {reason}"):
        read(text, name="a.csv")


def test_one_row_group_is_many_blocks(read, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 5000)
    monkeypatch.setattr(columns, "_BATCH", 1000)
    documents = [[f"第{i}篇。" * 20] for i in range(300)]
    for form, written in (
        ("parquet", WRITERS["parquet"](documents, row_group_size=1 << 20)),
        ("arrow", as_arrow(documents, stream=False)),
    ):
        found = read(written, format=form)
        assert [document.id for document in found] == [f"a.txt:{i}" for i in range(300)]
        assert sentences(found)[299] == ["第299篇。"] * 20


@pytest.mark.parametrize("damage", [slice(0, 300), slice(100, None)])
def test_a_damaged_parquet_file_is_one_sentence(read, damage):
    written = WRITERS["parquet"]([["好。"]] * 20)
    with pytest.raises(UserError, match=r"cannot read .*a\.txt: ") as error:
        read(written[damage], format="parquet")
    assert "\n" not in str(error.value)


def test_without_pyarrow_the_extra_is_named(read, monkeypatch):
    written = WRITERS["parquet"]([["好。"]])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    sentence = r"a\.txt needs the package pyarrow, which is missing: pip install .*\[parquet\]"
    with pytest.raises(UserError, match=sentence):
        read(written)


def test_text_outside_of_wikiextractors_marks_is_an_error(read):
    with pytest.raises(UserError, match=r"a\.txt, line 4 is not between <doc id="):
        read('<doc id="1">\n一。\n</doc>\n{"text": "二。"}\n', format="wikiextractor")


def test_a_file_that_changed_after_the_scan_is_an_error(tmp_path):
    path, config = tmp_path / "a.jsonl", CorpusConfig()
    path.write_text('{"text": "好。"}\n')
    group = list(group_into_blocks([scan(str(path), "a.jsonl", config)]))
    for change in (b"x" * 100, b"\xff" * 100):
        path.write_bytes(change)
        with pytest.raises(UserError, match="changed while it was read"):
            list(read_blocks(group, config))


def test_an_unknown_format_is_refused():
    with pytest.raises(UserError, match=r"corpus\.format must be one of auto, text, line, jsonl"):
        default_settings(DataConfig, ["corpus.format=xls"])


def test_a_format_is_one_entry_of_the_table(tmp_path, monkeypatch):
    """A build reads a new format, named by the setting or by the suffix of the files."""

    def dashed(source, place):
        for batch in read_lines(source, place):
            lines = [END if line == "---" else line.removeprefix("> ") for line in batch.lines]
            yield batch._replace(lines=lines)

    monkeypatch.setitem(FORMATS, "dashed", Form(dashed, suffixes=(".dash",)))
    text = "---\n> 今天天气很好。\n> 我们去公园。\n---\n> 语言模型。\n" * 30
    plain = "今天天气很好。\n我们去公园。\n\n语言模型。\n\n" * 30
    small = ["max_seq_length=32", "max_predictions_per_seq=8", "segmenter.name=char"]
    small += ["masking.corruption=partial_mask"]
    for folder, name, content in (
        ("named", "a", text),
        ("by_suffix", "a.dash", text),
        ("plain", "a", plain),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(content, encoding="utf-8")
        form = "dashed" if folder == "named" else "auto"
        config = default_settings(DataConfig, [*small, f"corpus.format={form}"])
        run(config, tmp_path / f"out-{folder}", [str(tmp_path / folder)])
    documents = read_info(str(tmp_path / "out-by_suffix")).manifest["statistics"]["documents"]
    assert documents == 60
    # the same documents, named alike, are masked alike
    assert shards(tmp_path / "out-named") == shards(tmp_path / "out-plain")
    with pytest.raises(UserError, match=r"must be one of auto, text, .*dashed, not dotted"):
        default_settings(DataConfig, ["corpus.format=dotted"])
