import gzip
import os
import random
import re
import sys

import fsspec
import pytest

from data_gen.corpus.blocks import group_into_blocks
from data_gen.corpus.find_files import find_inputs
from data_gen.corpus.read import read_blocks
from data_gen.shared.errors import UserError
from data_gen.shared.extras import install_command
from data_gen.storage.locations import list_files, relative_names, within
from data_gen.storage.reading import open_text
from tests.data_gen.helpers import PACKERS, scan

TEXT = "".join(f"第{i}篇。\n还有一句！\n\n" for i in range(2000)).encode()


@pytest.fixture
def memory():
    """An empty memory:// file system: a function that fills it."""
    filesystem = fsspec.filesystem("memory")

    def write(**files):
        for path, content in files.items():
            filesystem.pipe(path, content)

    filesystem.store.clear()
    filesystem.pseudo_dirs[:] = [""]
    yield lambda files: write(**files)
    filesystem.store.clear()


def documents(path):
    files = [scan(path, "a.txt")]
    return [d for block in read_blocks(list(group_into_blocks(files))) for d in block]


@pytest.mark.parametrize("kind", sorted(PACKERS))
@pytest.mark.parametrize("place", ["disk", "memory"])
def test_packed_files_hold_the_same_text(tmp_path, memory, monkeypatch, kind, place):
    monkeypatch.setattr("data_gen.corpus.blocks.BLOCK_BYTES", 10000)
    suffix, packed = kind.strip(), PACKERS[kind](TEXT)
    if place == "disk":
        (tmp_path / f"a.txt.{suffix}").write_bytes(packed)
        path = str(tmp_path / f"a.txt.{suffix}")
    else:
        memory({f"/x/a.txt.{suffix}": packed})
        path = f"memory://x/a.txt.{suffix}"
    (tmp_path / "b.txt").write_bytes(TEXT)
    with open_text(path) as handle:
        assert handle.read() == TEXT
    plain = scan(str(tmp_path / "b.txt"), "a.txt")
    info = scan(path, "a.txt")
    assert info.sha256 == plain.sha256
    assert [part[1:] for part in info.parts] == [part[1:] for part in plain.parts]
    assert len(info.parts) > 5
    assert documents(path) == documents(str(tmp_path / "b.txt"))
    last = next(read_blocks([(info.parts[-1],)]))  # seeks over all that lies before
    assert last == documents(path)[-len(last) :]


@pytest.mark.parametrize("kind", sorted(PACKERS))
@pytest.mark.parametrize("damage", ["short", "wrong"])
def test_a_damaged_packed_file_is_an_error(tmp_path, kind, damage):
    noise = random.Random(1).randbytes(40000).hex().encode()  # some blocks, whatever the method
    packed = PACKERS[kind](noise)
    middle = len(packed) // 2
    path = tmp_path / f"a.txt.{kind.strip()}"
    path.write_bytes(packed[:middle] + (b"" if damage == "short" else b"\xff" * middle))
    with pytest.raises(UserError, match=r"^cannot read .*a\.txt\.") as error:
        scan(str(path), "a.txt")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", sorted(PACKERS))
@pytest.mark.parametrize("damage", ["short", "flipped", "overwritten", "followed"])
def test_nothing_after_the_first_stream_is_lost(tmp_path, kind, damage):
    """Wikipedia's dumps are files of many streams, as `cat a.bz2 b.bz2` makes them."""
    noise = [random.Random(i).randbytes(40000).hex().encode() for i in range(2)]
    first, second = map(PACKERS[kind], noise)
    middle = len(second) // 2
    path = tmp_path / f"a.txt.{kind.strip()}"
    path.write_bytes(first + second)
    with open_text(str(path)) as handle:
        assert handle.read() == b"".join(noise)
    damaged = {
        "short": second[:middle],
        "flipped": second[:middle] + bytes([second[middle] ^ 1]) + second[middle + 1 :],
        "overwritten": b"\xff" * len(second),
        "followed": second + b"what is this?",
    }
    if damage == "flipped" and kind.strip() == "zst":
        pytest.skip("these frames have no checksum, which the format leaves open")
    path.write_bytes(first + damaged[damage])
    with pytest.raises(UserError, match=r"^cannot read .*a\.txt\.") as error:
        scan(str(path), "a.txt")
    assert "\n" not in str(error.value)


def test_zeros_between_the_streams_of_an_xz_file_are_no_damage(tmp_path):
    (tmp_path / "a.xz").write_bytes(PACKERS["xz"](TEXT) + b"\0" * 8 + PACKERS["xz"](TEXT))
    with open_text(str(tmp_path / "a.xz")) as handle:
        assert handle.read() == 2 * TEXT


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst"])
def test_a_packed_file_goes_forward_only(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(PACKERS[kind](TEXT))
    with open_text(str(path)) as handle:
        assert handle.seek(50000) == handle.tell() == 50000
        assert handle.read(10) == TEXT[50000:50010]
        handle.seek(len(TEXT))
        assert handle.read() == b""
        with pytest.raises(OSError, match="forward only"):
            handle.seek(0)


@pytest.mark.parametrize("package", ["zstandard", "fsspec.core"])
def test_a_missing_package_is_named(tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / "a.zst").write_bytes(b"")
    path = str(tmp_path / "a.zst") if package == "zstandard" else "s3://bucket/a.txt"
    with pytest.raises(
        UserError, match=f"package {package[:6]}.*{re.escape(install_command('data'))}"
    ):
        scan(path, "a.txt")


FILES = ("a.txt", "b/c.txt.gz", "b/.hidden.txt", ".git/x.txt", "b/d.json", "e[1].txt")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("", ["a.txt", "b/c.txt", "b/d.json", "e[1].txt"]),
        ("/", ["a.txt", "b/c.txt", "b/d.json", "e[1].txt"]),
        ("/*.txt", ["a.txt", "e[1].txt"]),
        ("/*", ["a.txt", "b/c.txt", "b/d.json", "e[1].txt"]),
        ("/**/*.txt*", ["a.txt", "b/c.txt", "e[1].txt"]),
        ("/b", ["c.txt", "d.json"]),
        ("/b/c.txt.gz", ["c.txt"]),
        ("/b/.hidden.txt", [".hidden.txt"]),
        ("/e[1].txt", ["e[1].txt"]),
        ("/none", None),
        ("/none*", None),
    ],
)
def test_urls_are_found_and_named_as_files_are(tmp_path, memory, pattern, names):
    for name in FILES:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"")
        memory({f"/in/{name}": b""})
    for root in (str(tmp_path / "in"), f"file://{tmp_path}/in", "memory://in"):
        if names is None:
            with pytest.raises(UserError, match="no input matches"):
                find_inputs([root + pattern])
            continue
        found = find_inputs([root + pattern])
        assert [name for _, name, _ in found] == names
        for path, _, _ in found:
            with open_text(path):
                pass
        assert all(path.startswith("memory://in/") == (root[:3] == "mem") for path, _, _ in found)


@pytest.mark.parametrize("url", ["", "file://"])
def test_a_name_that_exists_is_that_file_and_no_pattern(tmp_path, url):
    for name in ("e[1].txt", "e1.txt", "[ab]/x.txt", "a/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert find_inputs([f"{url}{tmp_path}/e[1].txt"]) == [
        (f"{tmp_path}/e[1].txt", "e[1].txt", True)
    ]
    assert find_inputs([f"{url}{tmp_path}/[ab]"]) == [(f"{tmp_path}/[ab]/x.txt", "x.txt", False)]
    assert len(find_inputs([f"{url}{tmp_path}/e*.txt"])) == 2


def test_a_file_url_is_the_file(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"")
    assert find_inputs([f"file://{tmp_path}/a.txt", str(tmp_path)]) == [
        (str(tmp_path / "a.txt"), "a.txt", True)
    ]


def test_names_stay_apart_where_local_files_and_urls_are_mixed(tmp_path, memory):
    memory({"/in/a.txt.gz": gzip.compress(TEXT), "/in/b/c.txt": TEXT})
    (tmp_path / "in" / "b").mkdir(parents=True)
    for name in ("a.txt", "b/c.txt"):
        (tmp_path / "in" / name).write_bytes(TEXT)
    found = find_inputs(["memory://in", str(tmp_path / "in")])
    assert [name for _, name, _ in found] == [
        "a.txt",
        "b/c.txt",
        "memory://in/a.txt",
        "memory://in/b/c.txt",
    ]
    assert find_inputs([str(tmp_path / "in"), "memory://in/*", "memory://in/b"]) == found


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["s3://x/a", "s3://x/b/a"], ["a", "b/a"]),
        (["s3://x/a", "s3://y/a"], ["x/a", "y/a"]),
        (["s3://x/a", "gs://x/a"], ["s3://x/a", "gs://x/a"]),
        (["/x/y/a", "/x/z/a", "s3://x/a"], ["y/a", "z/a", "s3://x/a"]),
        (["/a", "/b/c"], ["a", "b/c"]),
        (["s3://x/a"], ["a"]),
    ],
)
def test_names_are_relative_to_the_common_folder_of_one_storage(paths, names):
    assert list(relative_names(paths).values()) == names


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        ("x/a", "x", True),
        ("x/a", "./x/", True),
        ("xy/a", "x", False),
        ("x/a", None, False),
        ("s3://b/x/a", "s3://b/x", True),
        ("s3://b/x/a", "gs://b/x", False),
        ("s3://b/x/a", "b/x", False),
    ],
)
def test_within_a_folder(path, folder, expected):
    assert within(path, folder) is expected


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nope://a/*.txt", "cannot read nope://a/.*: Protocol not known: nope"),
        ("zip://a.txt::file:///b.zip", "chains several URLs"),
    ],
)
def test_an_url_that_cannot_be_opened_is_one_sentence(url, reason):
    with pytest.raises(UserError, match=reason):
        list(list_files(url))


def test_the_package_of_a_protocol_is_named(monkeypatch):
    def missing(url):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    with pytest.raises(UserError, match=r"s3://b: Install s3fs to access S3: pip install .*\[s3\]"):
        list(list_files("s3://b"))


def test_a_host_stays_in_the_url(monkeypatch, memory):
    """Paths of file systems such as sftp leave it out."""
    memory({"/in/a.txt": b"", "/in/b.txt": b""})
    filesystem = fsspec.filesystem("memory")
    monkeypatch.setattr("fsspec.core.url_to_fs", lambda url: (filesystem, "/in"))
    assert list(list_files("sftp://me@host/in/")) == [
        "sftp://me@host/in/a.txt",
        "sftp://me@host/in/b.txt",
    ]


def test_a_file_that_vanished_is_an_error(tmp_path, memory):
    for path in (str(tmp_path / "a.txt"), "memory://in/a.txt"):
        with pytest.raises(UserError, match=rf"cannot read {path}: "):
            scan(path, "a.txt")
    assert not os.path.exists(tmp_path / "a.txt")
