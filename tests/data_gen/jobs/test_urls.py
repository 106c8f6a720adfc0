"""Builds behind URLs: the bytes of a local one."""

import json
import os
import posixpath
import urllib.request

import fsspec
import pytest

from data_gen.__main__ import main
from data_gen.config import DataConfig
from data_gen.engine.processes import LocalEngine
from data_gen.jobs import build_synonyms, map_and_merge
from data_gen.jobs.build_dataset import TABLE, build
from data_gen.jobs.inputs import resolve_inputs
from data_gen.shared.dataset.dataset_info import MANIFEST
from data_gen.shared.errors import UserError
from data_gen.shared.settings import load_settings
from data_gen.storage.dataset_folder import read_dataset
from data_gen.storage.folders import delete_folder, list_names, make_folder
from data_gen.storage.output_folder import WORK
from data_gen.storage.reading import is_file, read_json
from data_gen.storage.remote_files import local_copy, open_range
from data_gen.storage.writing import atomic_file, write_json
from tests.data_gen.helpers import SEGMENTED, shards, show

GOLDEN = "tests/golden/dataset"


@pytest.fixture
def memory(monkeypatch, tmp_path):
    """A URL below which there is nothing yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    filesystem.pseudo_dirs[:] = [""]
    yield "memory://a/b"
    filesystem.store.clear()


@pytest.fixture(scope="module")
def server():
    """The address of an emulated S3."""
    pytest.importorskip("s3fs")
    moto = pytest.importorskip("moto.server")
    emulator = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    emulator.start()
    host, port = emulator.get_host_and_port()
    yield f"http://{host}:{port}"
    emulator.stop()


@pytest.fixture
def bucket(server, monkeypatch, tmp_path):
    """An empty folder of an empty bucket."""
    settings = {
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": server,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    urllib.request.urlopen(urllib.request.Request(f"{server}/moto-api/reset", method="POST"))
    fsspec.filesystem("s3").mkdir("bucket")
    yield "s3://bucket/a"
    fsspec.filesystem("s3").clear_instance_cache()


@pytest.fixture(params=["memory", "bucket"])
def url(request):
    return request.getfixturevalue(request.param)


def golden(table, *overrides):
    return load_settings(
        DataConfig, "tests/data/golden.yaml", [f"synonyms.table={table}", *overrides]
    )


def run(config, output, workers=1):
    inputs = resolve_inputs(config, [SEGMENTED])
    return build(inputs, output, LocalEngine(workers), show)


def remote_shards(url):
    filesystem, inner = fsspec.core.url_to_fs(url)
    filesystem.invalidate_cache()
    return {
        posixpath.basename(path): filesystem.cat_file(path)
        for path in sorted(filesystem.ls(inner, detail=False))
        if ".tfrecord" in path
    }


def test_a_build_behind_a_url_has_the_same_bytes(url, table, capsys):
    info = run(golden(table), url)
    assert info == read_dataset(url)
    assert remote_shards(url) == shards(GOLDEN)
    assert list_names(url) == [MANIFEST, *shards(GOLDEN)]
    assert run(golden(table), url) == info
    with pytest.raises(UserError, match="holds another build"):
        run(golden(table, "random_seed=1"), url)
    assert main(["stats", url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sentences"] == 51
    assert main(["show", url, "-n", "1", "--start", "78"]) == 0
    shown = capsys.readouterr().out
    assert main(["show", GOLDEN, "-n", "1", "--start", "78"]) == 0
    assert capsys.readouterr().out == shown


def test_processes_build_into_a_bucket(bucket, table):
    run(golden(f"{bucket}/table.safetensors") if put(table, bucket) else None, bucket, workers=2)
    assert remote_shards(bucket) == shards(GOLDEN)


def put(table, folder):
    """Put a table behind a URL."""
    filesystem, inner = fsspec.core.url_to_fs(folder)
    filesystem.put_file(table, f"{inner}/table.safetensors")
    return True


def test_a_build_behind_a_url_goes_on_after_a_crash(url, table, monkeypatch):
    def interrupted(task):
        raise KeyboardInterrupt

    monkeypatch.setattr(map_and_merge, "run_merge_task", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(golden(table), url)
    assert list_names(url) == [WORK]
    with pytest.raises(UserError, match=r"another, unfinished build \(\w.* (there|differs)"):
        run(golden(table, "random_seed=1"), url)
    monkeypatch.undo()
    done = []
    map_task = map_and_merge.run_map_task
    monkeypatch.setattr(map_and_merge, "run_map_task", lambda task: done.append(map_task(task)))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", os.environ.get("AWS_ENDPOINT_URL_S3", ""))
    run(golden(table), url)
    assert not done
    assert remote_shards(url) == shards(GOLDEN)


def test_a_table_made_by_a_build_lies_beside_its_shards(url, vectors, tmp_path, monkeypatch):
    monkeypatch.setattr(build_synonyms, "toolkit_vectors", lambda: vectors)
    config = load_settings(DataConfig, "tests/data/golden.yaml")
    local = run(config, str(tmp_path / "local"))
    run(config, url)
    assert remote_shards(url) == shards(local.folder)
    assert list_names(url) == sorted(os.listdir(local.folder))
    with open(local_copy(f"{url}/{TABLE}"), "rb") as fetched:
        assert fetched.read() == (tmp_path / "local" / TABLE).read_bytes()


def test_records_behind_a_url_are_never_touched(url, table):
    write_json(f"{url}/mine.tfrecord", {})
    with pytest.raises(UserError, match="holds TFRecords but no dataset"):
        run(golden(table), url)
    assert list_names(url) == ["mine.tfrecord"]


def test_a_file_url_is_a_folder_of_this_machine(tmp_path, table):
    info = run(golden(table), f"file://{tmp_path}/out")
    assert info.folder == str(tmp_path / "out")
    assert shards(tmp_path / "out") == shards(GOLDEN)
    assert read_dataset(f"file://{tmp_path}/out").shards == info.shards


def write_half(url):
    with atomic_file(url) as handle:
        handle.write(b"half" * 2_000_000)
        raise RuntimeError


def test_nothing_half_written_is_left(url):
    with pytest.raises(RuntimeError):
        write_half(f"{url}/file")
    assert list_names(url) == []
    write_json(f"{url}/file", {"词": 1})
    with pytest.raises(RuntimeError):
        write_half(f"{url}/file")
    assert read_json(f"{url}/file") == {"词": 1}


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_a_range_of_a_file(url, size):
    data = bytes(range(256)) * (size // 256 + 1)
    with atomic_file(f"{url}/file") as handle:
        handle.write(data)
    with open_range(f"{url}/file", 3, size) as handle:
        assert handle.read(size - 3) == data[3:size]


def test_folders_behind_a_url(url):
    make_folder(f"{url}/c")
    for name in ("c/x", "c/d/y", "z"):
        write_json(f"{url}/{name}", {})
    assert list_names(f"{url}/c") == ["d", "x"]
    delete_folder(f"{url}/c")
    delete_folder(f"{url}/c")
    assert list_names(url) == ["z"]


def test_what_others_write_is_seen(bucket, server):
    write_json(f"{bucket}/x", {})
    assert list_names(bucket) == ["x"]
    boto3 = pytest.importorskip("boto3")
    boto3.client("s3", endpoint_url=server).put_object(Bucket="bucket", Key="a/y", Body=b"{}")
    assert is_file(f"{bucket}/y")
    assert read_json(f"{bucket}/y") == {}
    assert not is_file(f"{bucket}/z")


def test_a_copy_is_fetched_once_and_anew_when_it_changed(url):
    write_json(f"{url}/x", {"a": 1})
    first = local_copy(f"{url}/x")
    assert local_copy(f"{url}/x") == first
    assert read_json(first) == {"a": 1}
    write_json(f"{url}/x", {"a": 2})
    assert read_json(local_copy(f"{url}/x")) == {"a": 2}


def test_a_bucket_that_is_not_there_is_one_sentence(bucket, table, capsys):
    argv = ["build", "--config", "tests/data/golden.yaml", "--set", f"synonyms.table={table}"]
    assert main([*argv, "--input", SEGMENTED, "--output", "s3://nowhere/x", "--workers", "1"]) == 1
    no_lock, said = capsys.readouterr().err.splitlines()
    assert no_lock.startswith("s3://nowhere/x: no lock can be had there")
    assert said.startswith("error: cannot write s3://nowhere/x/")
    assert main(["stats", "s3://nowhere/x"]) == 1
    assert "no finished build is there" in capsys.readouterr().err
