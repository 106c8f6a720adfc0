import bz2
import gzip
import lzma
import os

import pytest

from data_gen.core.documents import Document
from data_gen.corpus import blocks
from data_gen.corpus.blocks import group_into_blocks
from data_gen.corpus.find_files import find_inputs
from data_gen.corpus.forms import decoded
from data_gen.corpus.read import read_blocks
from data_gen.corpus.scan import PLAIN
from data_gen.engine.processes import LocalEngine
from data_gen.jobs.inputs import scan_text_files
from data_gen.shared.errors import UserError
from tests.data_gen.helpers import scan, show

TEXT = "第一句。第二句！\n还有一行\n\n\n  \n另一篇。\n\n最后一篇没有空行"


def write(path, text=TEXT):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def documents(path, name="a.txt"):
    return [d for block in read_blocks(list(group_into_blocks([scan(path, name)]))) for d in block]


def test_documents_end_at_blank_lines_and_at_the_end_of_the_file(tmp_path):
    assert documents(write(tmp_path / "a.txt")) == [
        Document("a.txt:0", ("第一句。", "第二句！", "还有一行")),
        Document("a.txt:1", ("另一篇。",)),
        Document("a.txt:2", ("最后一篇没有空行",)),
    ]


def test_windows_line_ends_and_byte_order_mark_change_nothing(tmp_path):
    plain = documents(write(tmp_path / "a.txt"))
    windows = documents(write(tmp_path / "b.txt", "\ufeff" + TEXT.replace("\n", "\r\n")))
    assert windows == plain


@pytest.mark.parametrize("size", [20, 60, 1 << 20])
def test_blocks_are_whole_documents_whatever_their_size(tmp_path, monkeypatch, size):
    path = write(tmp_path / "a.txt", "\n\n".join(f"第{i}篇。\n第二行。" for i in range(20)))
    whole = documents(path)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
    grouped = list(group_into_blocks([scan(path, "a.txt")]))
    assert documents(path) == whole
    assert len(whole) == 20
    assert (len(grouped) > 1) == (size < 1 << 20)
    assert min(sum(part.size for part in block) for block in grouped) >= min(size, 490)
    # a block can be read alone
    alone = [d for block in reversed(grouped) for d in reversed(next(read_blocks([block])))]
    assert alone[::-1] == whole


def test_small_files_share_a_block_and_each_is_opened_once(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 100)
    files = [scan(write(tmp_path / f"{i}.txt", f"第{i}篇。"), f"{i}.txt") for i in range(30)]
    grouped = list(group_into_blocks(files))
    assert 1 < len(grouped) < 6
    opened = []
    original = decoded.open_text
    monkeypatch.setattr(decoded, "open_text", lambda path: opened.append(path) or original(path))
    found = [d for block in read_blocks(grouped) for d in block]
    assert [d.id for d in found] == [f"{i}.txt:0" for i in range(30)]
    assert len(opened) == 30


def test_a_document_without_end_is_cut_between_lines(tmp_path, monkeypatch):
    path = write(tmp_path / "a.txt", "".join(f"第{i}行。\n" for i in range(100)) + "\n另一篇。")
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 200)
    found = documents(path)
    lines = [f"第{i}行。" for i in range(100)]
    assert [s for d in found for s in d.sentences] == [*lines, "另一篇。"]
    assert max(len(d.sentences) for d in found) < 40
    assert [d.id for d in found] == [f"a.txt:{i}" for i in range(len(found))]


def test_what_is_hidden_and_the_output_are_no_input(tmp_path):
    for name in ("a.txt", ".git/HEAD", "out/part.tfrecord"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(tmp_path / name)
    found = find_inputs([str(tmp_path)], exclude=str(tmp_path / "out"))
    assert [name for _, name, _ in found] == ["a.txt"]


def test_a_name_in_another_encoding_stays_one(tmp_path):
    path = os.path.join(os.fsencode(str(tmp_path)), "中.txt".encode("gb18030"))
    with open(path, "wb") as handle:
        handle.write(TEXT.encode())
    ((_, name, _),) = find_inputs([str(tmp_path)])
    assert name == "\\xd6\\xd0.txt"


def test_what_is_no_file_is_an_error(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):  # reading it would never end
        with pytest.raises(UserError, match="pipe is no regular file"):
            find_inputs([str(path)])


@pytest.mark.parametrize(
    ("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_a_compressed_file_is_the_same_text_under_the_same_name(tmp_path, suffix, compress):
    plain = scan(write(tmp_path / "a.txt"), "a.txt")
    packed = write(tmp_path / ("b.txt" + suffix), compress(TEXT.encode()))
    ((path, name, _),) = find_inputs([packed])
    assert name == "b.txt"
    assert scan(path, "a.txt").sha256 == plain.sha256
    assert documents(path) == documents(str(tmp_path / "a.txt"))


def test_names_are_relative_to_the_common_folder(tmp_path):
    for name in ("x/a.txt", "x/y/b.txt", "x/y/.hidden"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / name)
    by_folder = find_inputs([str(tmp_path / "x")])
    by_glob = find_inputs([str(tmp_path / "**" / "*.txt")])
    assert [name for _, name, _ in by_folder] == ["a.txt", "y/b.txt"]
    assert by_folder == by_glob


def test_invalid_utf8_names_file_and_line(tmp_path):
    path = write(tmp_path / "a.txt", "好。\n".encode() + "坏".encode("gb18030") + b"\n")
    with pytest.raises(UserError, match=r"a\.txt, line 2 is not UTF-8 \(byte 1\)"):
        scan(path, "a.txt")


def test_a_truncated_compressed_file_is_an_error(tmp_path):
    path = write(tmp_path / "a.txt.gz", gzip.compress((TEXT * 100).encode())[:-20])
    with pytest.raises(UserError, match="cannot read"):
        scan(path, "a.txt")


def test_a_pattern_without_files_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no input matches"):
        find_inputs([str(tmp_path / "*.txt")])


def test_the_same_text_plain_and_packed_is_refused(tmp_path):
    write(tmp_path / "a.txt")
    write(tmp_path / "a.txt.gz", gzip.compress(TEXT.encode()))
    with pytest.raises(UserError, match=r"/a\.txt and .*/a\.txt\.gz are the same text twice"):
        find_inputs([str(tmp_path)])


@pytest.mark.parametrize("size", [1, 1 << 20])
@pytest.mark.parametrize("other", [TEXT[:5], TEXT[:-2] + TEXT[-1:] * 2, "又" + TEXT])
def test_an_input_that_changes_while_it_is_read_is_an_error(tmp_path, monkeypatch, size, other):
    """Also one that is as long as before, and text all the same."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
    path = write(tmp_path / "a.txt")
    group = list(group_into_blocks([scan(path, "a.txt")]))
    write(tmp_path / "a.txt", other)
    with pytest.raises(UserError, match=r"a\.txt changed while it was read"):
        list(read_blocks(group))


def test_an_archive_is_no_text(tmp_path):
    path = write(tmp_path / "a.txt", b"ustar\0\0root\n")
    with pytest.raises(UserError, match=r"a\.txt is no text, but binary data"):
        scan(path, "a.txt")


def test_linked_folders_are_read_once(tmp_path):
    (tmp_path / "real").mkdir()
    write(tmp_path / "real" / "a.txt")
    (tmp_path / "in").mkdir()
    os.symlink(tmp_path / "real", tmp_path / "in" / "linked")
    os.symlink(tmp_path / "in", tmp_path / "real" / "back")
    assert [name for _, name, _ in find_inputs([str(tmp_path / "in")])] == ["a.txt"]


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path, monkeypatch):
    write(tmp_path / "a.txt")
    (tmp_path / "closed").mkdir()
    original = os.scandir

    def scandir(path):  # permissions do not stop the superuser
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(UserError, match=r"cannot read the folder .*closed: Permission denied"):
        find_inputs([str(tmp_path)])


class Backwards:
    """Ends the last task first."""

    def run(self, function, tasks):
        return reversed([function(task) for task in tasks])


def test_workers_scan_much_text_to_the_same_files(tmp_path):
    for i in range(7):
        (tmp_path / f"{i}.txt").write_text(f"第{i}篇。\n" * (i + 1))
    alone = scan_text_files([str(tmp_path)], PLAIN, None, LocalEngine(1), show)
    tasks = []

    def watched(title, total, results, amount):
        tasks.append(total)
        return results

    for engine in (LocalEngine(2), Backwards()):
        found = scan_text_files([str(tmp_path)], PLAIN, None, engine, watched, 100, most_tasks=3)
        assert found.files == alone.files
    assert tasks == [3, 3]
    (tmp_path / "5.txt").write_bytes(b"\xff")
    with pytest.raises(UserError, match=r"5\.txt, line 1 is not UTF-8"):
        scan_text_files([str(tmp_path)], PLAIN, None, LocalEngine(2), show, 100)
