"""From input files of any form to shards: the same text gives the same bytes."""

import bz2
import gzip
import lzma
import os
from unittest import mock

import fsspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from data_gen.config import DataConfig
from data_gen.core import script_conversion
from data_gen.core.documents import Document
from data_gen.corpus import blocks, find_files, input_kinds
from data_gen.corpus.blocks import group_into_blocks
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.detection.encodings import CODECS
from data_gen.corpus.duplicates import DuplicateFinder
from data_gen.corpus.forms.formats import FORMATS
from data_gen.corpus.read import read_blocks
from data_gen.shared.dataset.dataset_info import MANIFEST
from data_gen.shared.errors import UserError
from tests.conftest import default_settings
from tests.data_gen.helpers import (
    PACKERS,
    TEXT,
    VOCAB,
    WRITERS,
    as_arrow,
    run,
    scan,
    shards,
    zstd_frames,
)

SETTINGS = (
    "max_seq_length=32",
    "max_predictions_per_seq=8",
    "num_shards=2",
    "segmenter.name=char",
    "masking.corruption=partial_mask",
    "masking.corruption_unit=piece",
    "pair_task=nsp",
)


def settings(*overrides):
    return default_settings(DataConfig, [*SETTINGS, *overrides])


@pytest.fixture(scope="module")
def documents(root):
    """The test's text, a document a line so that every format can say it."""
    with open(f"{root}/{TEXT}", encoding="utf-8") as handle:
        return [["".join(text.split())] for text in handle.read().split("\n\n")]


@pytest.fixture
def small_blocks(monkeypatch):
    """Several blocks in a small text."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 400)


@pytest.fixture(scope="module")
def expected(documents, root, tmp_path_factory):
    """The shards of the text in the plainest form, by the pair task."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "t").write_bytes(WRITERS["text"](documents))
    found = {}
    with mock.patch.object(blocks, "BLOCK_BYTES", 400):
        for task in ("sop", "nsp"):
            config = settings(f"vocab_file={root}/{VOCAB}", f"pair_task={task}")
            found[task] = shards(run(config, folder / task, [str(folder / "t")]).folder)
        assert len(list(group_into_blocks([scan(str(folder / "t"), "t")]))) > 3
    assert found["sop"] != found["nsp"]
    return found


# The documents as files: the format, the bytes, the suffix of the packing.
FILES = {
    **{(name, "", ""): writer for name, writer in WRITERS.items()},
    ("arrow", "file", ""): lambda documents: as_arrow(documents, stream=False),
    ("parquet", "one group", ""): lambda documents: WRITERS["parquet"](
        documents, row_group_size=1 << 20
    ),
    ("json", "lines", ""): WRITERS["jsonl"],
    **{
        ("text", encoding, ""): lambda documents, encoding=encoding: (
            WRITERS["text"](documents).decode().encode(encoding)
        )
        for encoding in ("gb18030", "utf-16")
    },
    **{
        (name, "", packing): lambda documents, name=name, packing=packing: PACKERS[packing](
            WRITERS[name](documents)
        )
        for name in WRITERS
        for packing in ("gz", "zst  ")
        if not FORMATS[name].magic
    },
}


@pytest.mark.parametrize("task", ["sop", "nsp"])
@pytest.mark.parametrize("file", sorted(FILES))
def test_the_same_text_in_any_form_gives_the_same_bytes(
    documents, expected, tmp_path, file, task, small_blocks
):
    form, encoding, packing = file
    name = f"t.{packing.strip()}" if packing else "t"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(FILES[file](documents))
    chosen = [f"corpus.format={form}", f"pair_task={task}"]
    if encoding in CODECS:
        chosen.append(f"corpus.encoding={encoding}")
    info = run(settings(*chosen), tmp_path / "out", [str(tmp_path / "in")])
    assert shards(info.folder) == expected[task]
    assert info.manifest["statistics"]["files"] == {form: 1}
    assert info.manifest["statistics"]["documents"] == len(documents)


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_files_behind_urls_give_the_same_bytes(documents, expected, tmp_path, name, small_blocks):
    fsspec.filesystem("memory").pipe(f"/{tmp_path.name}/t", WRITERS[name](documents))
    config = settings(f"corpus.format={name}", "pair_task=nsp")
    info = run(config, tmp_path / "out", [f"memory://{tmp_path.name}/*"])
    assert shards(info.folder) == expected["nsp"]


def test_bytes_do_not_depend_on_blocks_and_workers_in_packed_json(
    documents, expected, tmp_path, monkeypatch
):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.zst").write_bytes(zstd_frames(WRITERS["jsonl"](documents * 5)))
    config = settings("corpus.format=jsonl", "corpus.drop_duplicates=true", "pair_task=none")
    one = run(config, tmp_path / "one", [str(tmp_path / "in")])
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 500)
    # each block a task, in packed files too
    two = run(config, tmp_path / "two", [str(tmp_path / "in")], workers=2, task_bytes=1)
    assert shards(one.folder) == shards(two.folder)
    assert one.manifest["statistics"]["skipped_documents"]["duplicate"] == 4 * len(documents)
    assert one.manifest["statistics"]["documents"] == len(documents)
    assert set(one.manifest["statistics"]) == set(two.manifest["statistics"])


def ids(files, config):
    return [d.id for block in read_blocks(list(group_into_blocks(files)), config) for d in block]


def test_duplicates_are_dropped_over_files_formats_and_blocks(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("一。\n二。\n\n三。\n\n一。\n \n一。\n二。  \n")
    (tmp_path / "b.jsonl").write_text(
        '{"text": "一。\\n\\n二。"}\n{"text": "四。"}\n{"text": "三。"}\n'
    )
    every = ["a.txt:0", "a.txt:1", "a.txt:2", "a.txt:3", "b.jsonl:0", "b.jsonl:1", "b.jsonl:2"]
    config = CorpusConfig()
    for size in (1, 20, 1000):
        monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
        seen = set()
        found = [scan(str(tmp_path / name), name, config) for name in ("a.txt", "b.jsonl")]
        assert len(ids(found, config)) >= len(every)  # one byte cuts documents in two
        assert sum(file.duplicates for file in found) == 0
        once = [scan(str(tmp_path / name), name, config, seen) for name in ("a.txt", "b.jsonl")]
        assert sum(file.duplicates for file in once) == (5 if size == 1 else 3)
        assert len(seen) == 4
        if size > 1:
            assert ids(found, config) == every
            assert ids(once, config) == ["a.txt:0", "a.txt:1", "a.txt:2", "b.jsonl:1"]


def test_a_long_document_is_a_duplicate_wherever_it_is_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 100)
    long = "".join(f"第{i}行。\n" for i in range(50))
    (tmp_path / "a.txt").write_text(f"{long}\n短。\n\n{long}\n尾。\n")
    file = scan(str(tmp_path / "a.txt"), "a.txt", seen=set())
    found = [
        s
        for block in read_blocks(list(group_into_blocks([file])))
        for d in block
        for s in d.sentences
    ]
    assert found == [*long.split(), "短。", "尾。"]
    assert file.duplicates > 1


@given(st.lists(st.sampled_from("甲乙丙丁")), st.lists(st.sampled_from("甲乙丙丁")))
def test_the_first_of_equal_documents_stays(first, second):
    seen, kept = set(), []
    for texts in (first, second):
        repeats = DuplicateFinder(seen)
        for i, text in enumerate(texts):
            repeats.add(i, i, text)
        dropped = repeats.ordinals()
        assert dropped == sorted(dropped)
        kept += [text for i, text in enumerate(texts) if i not in dropped]
    assert kept == list(dict.fromkeys(first + second))


def test_a_build_drops_and_counts_duplicates(tmp_path, documents):
    once, twice = tmp_path / "once.txt", tmp_path / "a" / "once.txt"
    once.write_bytes(WRITERS["text"](documents))
    twice.parent.mkdir()
    twice.write_bytes(WRITERS["text"](documents + documents))
    plain = run(settings(), tmp_path / "plain", [str(once)])
    kept = run(settings(), tmp_path / "kept", [str(twice)])
    dropped = run(settings("corpus.drop_duplicates=true"), tmp_path / "out", [str(twice)])
    assert shards(dropped.folder) == shards(plain.folder) != shards(kept.folder)
    skipped = dropped.manifest["statistics"]["skipped_documents"]
    assert skipped["duplicate"] == len(documents)
    assert kept.manifest["statistics"]["skipped_documents"]["duplicate"] == 0


@pytest.mark.parametrize(
    "option", ["normalize=[width]", "normalize=[s2t]", "drop_duplicates=true", "format=line"]
)
def test_every_option_is_of_another_build(tmp_path, option):
    pytest.importorskip("opencc")
    run(settings(), tmp_path / "out")
    with pytest.raises(UserError, match="holds another build"):
        run(settings(f"corpus.{option}"), tmp_path / "out")


def test_the_version_of_opencc_is_of_the_build_only_where_it_is_used(tmp_path, monkeypatch):
    pytest.importorskip("opencc")
    plain, traditional = settings(), settings("corpus.normalize=[s2t]")
    first = run(traditional, tmp_path / "out")
    assert first.manifest["opencc"] == script_conversion.opencc_version()
    assert run(plain, tmp_path / "plain").manifest["opencc"] is None
    monkeypatch.setattr(input_kinds, "opencc_version", lambda: "0.0")
    with pytest.raises(UserError, match="holds another build"):
        run(traditional, tmp_path / "out")
    assert os.path.exists(tmp_path / "plain" / MANIFEST)
    run(plain, tmp_path / "plain")


def test_mistakes_in_options_are_found_before_any_work(tmp_path):
    pytest.importorskip("opencc")
    with pytest.raises(UserError, match=r"corpus\.normalize must be some of .*, not nope"):
        run(settings("corpus.normalize=[nope]"), tmp_path / "out", [str(tmp_path / "missing")])
    assert not os.path.exists(tmp_path / "out")


def test_quotes_are_known_pieces_with_the_option(tmp_path):
    (tmp_path / "a.txt").write_text("“好。”他说：‘走吧！’\n真的，ＯＫ。\n" * 20, encoding="utf-8")
    shares = [
        run(settings(*options), tmp_path / f"out{i}", [str(tmp_path / "a.txt")]).manifest[
            "statistics"
        ]["unknown_pieces"]
        for i, options in enumerate([(), ("corpus.normalize=[quotes]",)])
    ]
    assert shares[0] > 0.1
    assert shares[1] == 0


PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("suffix", [*PACK, ".zst"])
def test_the_suffix_below_a_packing_decides_the_format(tmp_path, suffix):
    pack = PACK.get(suffix, zstandard.ZstdCompressor().compress)
    (tmp_path / f"a.jsonl{suffix}").write_bytes(pack('{"text": "好。坏。"}\n'.encode()))
    ((path, name, _),) = find_files.find_inputs([str(tmp_path)])
    (document,) = next(read_blocks(list(group_into_blocks([scan(path, name)]))))
    assert document == Document("a.jsonl:0", ("好。", "坏。"))
