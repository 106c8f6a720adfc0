from unittest import mock

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.config import DataConfig
from data_gen.core.documents import Document
from data_gen.corpus import blocks
from data_gen.corpus.blocks import group_into_blocks
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.formats import FORMATS, DocumentCursor, Format, Line, format_of
from data_gen.corpus.read import read_blocks
from data_gen.corpus.scan import scan
from data_gen.shared.dataset_info import read_info
from data_gen.shared.errors import UserError
from tests.conftest import default_settings
from tests.data_gen.helpers import WRITERS, run, shards

DOCUMENTS = [["数学", "a < b && c &lt; d。", "<doc>不是标记。"], ["另一篇。"], ["三。", "四！五？"]]


@pytest.fixture
def read(tmp_path):
    def run(text, name="a.txt", **settings):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
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
    documents=st.lists(lines, max_size=12),
    name=st.sampled_from(sorted(FORMATS)),
    size=st.integers(1, 200),
)
def test_parts_can_be_read_alone_in_every_format(documents, name, size):
    """Whatever the size of the blocks, nothing is lost and no document is joined with another."""
    url, config = "memory://property/a.txt", CorpusConfig(format=name)
    fsspec.filesystem("memory").pipe("/property/a.txt", WRITERS[name](documents).encode())
    whole = parse(url, "a.txt", config)
    with mock.patch.object(blocks, "BLOCK_BYTES", size):
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


def test_a_document_is_cut_only_past_two_blocks_in_every_format(read, monkeypatch):
    documents = [["一。"] * 30, ["二。"] * 3, ["三。"] * 3, ["四。"] * 3]
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 150)  # 30 lines are 210 bytes and more, with marks
    for name in ("text", "wikiextractor"):
        found = sentences(read(WRITERS[name](documents), format=name))
        assert found == documents, name
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 40)
    for name in ("text", "wikiextractor"):
        found = sentences(read(WRITERS[name](documents), format=name))
        assert len(found) > 4
        assert found[-3:] == documents[1:], name


@pytest.mark.parametrize(
    ("setting", "name", "expected"),
    [
        ("auto", "a.txt", "text"),
        ("auto", "wiki_00", "text"),
        ("auto", "x/a.jsonl", "jsonl"),
        ("auto", "a.NDJSON", "jsonl"),
        ("line", "a.jsonl", "line"),
    ],
)
def test_the_setting_then_the_suffix_decide_the_format(setting, name, expected):
    assert format_of(setting, name) is FORMATS[expected]


def test_the_field_is_named(read):
    assert sentences(read('{"content": "好。", "text": 3}', format="jsonl", field="content")) == [
        ["好。"]
    ]


def test_lines_without_text_are_no_documents(read):
    empty = '{"text": ""}\n\n{"text": " \\n\\u3000"}\n{"text": "好。"}\n'
    assert read(empty, format="jsonl") == [Document("a.txt:0", ("好。",))]
    assert read("\n\n好。\n \n", format="line") == [Document("a.txt:0", ("好。",))]
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
        default_settings(DataConfig, ["corpus.format=csv"])


def test_a_cursor_gives_ordinals_in_order():
    cursor = DocumentCursor(FORMATS["text"], "text")
    assert cursor.read_lines("\n一\n二 \n \n三\n") == [(0, 0, "一"), (0, 0, "二"), (1, 1, "三")]
    assert (cursor.count, cursor.open) == (2, True)
    cursor.cut()
    assert cursor.read_lines("四\n\n") == [(1, 2, "四")]
    assert (cursor.count, cursor.whole, cursor.open) == (3, 2, False)


@given(st.lists(st.sampled_from(["", "一", " ", "\ufeff二", "三 ", "\ufeff"])), st.randoms())
def test_a_cursor_gives_the_same_for_lines_at_once_and_one_by_one(lines, random):
    text = FORMATS["text"]
    at_once, one_by_one = DocumentCursor(text, "text"), DocumentCursor(text, "text")
    general = DocumentCursor(text._replace(parse=lambda *line: text.parse(*line)), "text")
    cut = random.randrange(len(lines) + 1)
    found = []
    for some in (lines[:cut], lines[cut:]):
        found.append(at_once.read_lines("".join(f"{line}\n" for line in some)))
        assert found[-1] == [one for line in some for one in one_by_one.read_lines(f"{line}\n")]
        assert found[-1] == general.read_lines("".join(f"{line}\n" for line in some))
        states = [(c.count, c.whole, c.open) for c in (at_once, one_by_one, general)]
        assert len(set(states)) == 1
        for cursor in (at_once, one_by_one, general):
            cursor.cut()


def test_a_format_is_one_entry_of_the_table(tmp_path, monkeypatch):
    """A build reads a new format, named by the setting or by the suffix of the files."""

    def dashed(line, field):
        return Line(starts=True) if line == "---" else Line(line.removeprefix(field))

    monkeypatch.setitem(FORMATS, "dashed", Format(dashed, suffixes=(".dash",)))
    text = "---\n> 今天天气很好。\n> 我们去公园。\n---\n> 语言模型。\n" * 30
    plain = "今天天气很好。\n我们去公园。\n\n语言模型。\n\n" * 30
    small = ["max_seq_length=32", "max_predictions_per_seq=8", "segmenter.name=char"]
    small += ["masking.corruption=partial_mask", "corpus.field='> '"]
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
