"""What goes wrong around a build: one sentence, nothing half-written, and the same command goes on
to the same bytes.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from data_gen.__main__ import main
from data_gen.jobs import inputs
from data_gen.shared.dataset.dataset_info import MANIFEST
from data_gen.shared.outputs import LOCK
from data_gen.storage.output_folder import WORK
from tests.data_gen.helpers import SEGMENTED, shards


@pytest.fixture(scope="module")
def whole(tmp_path_factory, table):
    """The shards of a build that nothing happened to."""
    output = tmp_path_factory.mktemp("whole")
    assert run(arguments(table, output)).returncode == 0
    return shards(output)


def arguments(table, output, text=SEGMENTED, workers=1):
    settings = ["--config", "tests/data/golden.yaml", "--set", f"synonyms.table={table}"]
    places = ["--input", str(text), "--output", str(output), "--workers", str(workers)]
    return ["build", *settings, *places]


def run(argv, **options):
    command = [sys.executable, "-m", "tests.data_gen.engine.killer", *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def failed(result, *expected):
    """Check that a command failed with one sentence that holds all of this."""
    assert result.returncode == 1, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("error: ")
    for part in expected:
        assert part in result.stderr
    assert result.stderr.endswith("; run the same command again to resume\n")


def is_whole(output, whole):
    """Whether a folder holds these shards, dataset.json and nothing else."""
    return shards(output) == whole and sorted(os.listdir(output)) == [MANIFEST, *whole]


def half_written(output, whole):
    """Files under a final name that are not as they should be."""
    there = {name: data for name, data in shards(output).items() if not name.endswith(".partial")}
    return [name for name, data in there.items() if data != whole[name]]


def test_a_killed_build_goes_on_to_the_same_bytes(tmp_path, table, whole):
    argv = arguments(table, tmp_path / "out")
    for moment in random.Random(5).sample(range(1, 10), 5):
        killed = run(argv, env={**os.environ, "DIE_AT": f"main {moment}"})
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert not half_written(tmp_path / "out", whole)
        assert MANIFEST not in os.listdir(tmp_path / "out")
    done = run(argv)
    assert done.returncode == 0, done.stderr
    assert is_whole(tmp_path / "out", whole)


def test_what_a_killed_build_left_of_a_shard_is_swept(tmp_path, table, whole):
    argv = arguments(table, tmp_path / "out")
    run(argv, env={**os.environ, "DIE_AT": "main 35"})
    left = [name for name in os.listdir(tmp_path / "out") if name not in (LOCK, WORK, *whole)]
    assert len(left) == 1
    assert left[0].startswith("part-00001-of-00002.tfrecord.")
    # before the next run needs the room
    in_work = tmp_path / "out" / WORK / f"map.run.{16 * '0'}.partial"
    in_work.write_bytes(b"half")
    assert run(argv, env={**os.environ, "DIE_AT": "main 1"}).returncode == -signal.SIGKILL
    assert left[0] not in os.listdir(tmp_path / "out")
    assert not in_work.exists()
    assert run(argv).returncode == 0
    assert is_whole(tmp_path / "out", whole)


def test_a_killed_worker_is_one_sentence(tmp_path, table, whole):
    argv = arguments(table, tmp_path / "out", workers=2)
    failed(
        run(argv, env={**os.environ, "DIE_AT": "worker 2"}),
        "worker was ended by SIGKILL",
        "--workers",
    )
    assert not half_written(tmp_path / "out", whole)
    assert run(argv).returncode == 0
    assert is_whole(tmp_path / "out", whole)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_that_may_not_grow_is_one_sentence(tmp_path, table, whole, workers):
    """As on a full disk, and without one."""
    resource = pytest.importorskip("resource")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (9000, resource.RLIM_INFINITY))

    argv = arguments(table, tmp_path / "out", workers=workers)
    failed(run(argv, preexec_fn=limit), "cannot write", "File too large: make room there")
    assert not half_written(tmp_path / "out", whole)
    assert not [name for name in os.listdir(tmp_path / "out" / WORK) if "partial" in name]
    assert run(argv).returncode == 0
    assert is_whole(tmp_path / "out", whole)


def test_a_full_disk_below_the_heldout_build_leaves_the_first_whole(tmp_path, table):
    """Only the files of the held-out part, which is the larger one, are too large."""
    resource = pytest.importorskip("resource")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (9000, resource.RLIM_INFINITY))

    text = tmp_path / "text.txt"
    text.write_text("今天 天气 很 好 。\n明天 也 很 好 。\n", encoding="utf-8")

    def argv(name):
        return [*arguments(table, tmp_path / name, text), "--heldout", SEGMENTED]

    alone = tmp_path / "alone"
    assert run(argv("alone")).returncode == 0
    output, heldout = tmp_path / "out", tmp_path / "out-heldout"
    result = run(argv("out"), preexec_fn=limit)
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert result.returncode == 1
    assert len(errors) == 1, result.stderr
    assert errors[0].startswith(f"error: cannot write {heldout}")
    assert "make room there; run the same command again to resume" in errors[0]
    assert is_whole(output, shards(alone))
    assert MANIFEST not in os.listdir(heldout)
    assert not half_written(heldout, shards(f"{alone}-heldout"))
    assert run(argv("out")).returncode == 0
    assert is_whole(heldout, shards(f"{alone}-heldout"))


@pytest.fixture
def mounted(tmp_path):
    """Run shell lines in a mount namespace of their own, where this is allowed."""
    if (
        not shutil.which("unshare")
        or subprocess.run(
            ["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(tmp_path)], check=False
        ).returncode
    ):
        pytest.skip("unshare -rm and mount are not allowed here")

    def run_lines(*lines):
        command = ["unshare", "-rm", "bash", "-c", "\n".join(lines)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run_lines


def shell(argv):
    return " ".join(
        f"'{word}'" for word in [sys.executable, "-m", "tests.data_gen.engine.killer", *argv]
    )


def test_a_full_disk_is_one_sentence(mounted, tmp_path, table, whole):
    output, disk, rest = (tmp_path / name for name in ("copy", "disk", "rest"))
    disk.mkdir()
    build = shell(arguments(table, disk / "out"))
    failed(
        mounted(
            f"mount -t tmpfs -o size=100k none {disk}",
            build,
            "code=$?",
            f"ls {disk}/out >{rest}",
            f"mount -o remount,size=9m {disk}",
            f"{build} && cp -r {disk}/out {output}",
            "exit $code",
        ),
        "No space left on device: make room there",
    )
    assert rest.read_text() in ("", *(f"{name}\n" for name in whole))
    assert is_whole(output, whole)


def test_a_read_only_output_is_one_sentence(mounted, tmp_path, table):
    lines = [f"mount -t tmpfs none {tmp_path}", f"mount -o remount,ro {tmp_path}"]
    result = mounted(*lines, shell(arguments(table, tmp_path / "out")))
    expected = f"error: cannot write {tmp_path}/out: Read-only file system: choose another"
    assert (result.returncode, result.stderr) == (1, f"{expected} --output\n")


@pytest.mark.parametrize("below", ["", "/below"])
def test_an_output_that_is_a_file_is_one_sentence(tmp_path, table, capsys, below):
    (tmp_path / "file").write_text("precious")
    assert main(arguments(table, f"{tmp_path}/file{below}")) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: cannot write {tmp_path}/file")
    assert said.endswith(": choose another --output\n")
    assert said.count("\n") == 1
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize("harm", ["vanish", "shrink"])
def test_an_input_that_changes_midway_is_one_sentence(tmp_path, table, capsys, monkeypatch, harm):
    text = tmp_path / "text.txt"
    shutil.copy(SEGMENTED, text)
    scan = inputs.scan_text_files

    def scan_then_harm(*args):
        files = scan(*args)
        if harm == "vanish":
            text.unlink()
        else:
            os.truncate(text, 100)
        return files

    argv = arguments(table, tmp_path / "out", text)
    monkeypatch.setattr(inputs, "scan_text_files", scan_then_harm)
    assert main(argv) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert ("cannot read" if harm == "vanish" else "changed while it was read") in said
    assert str(text) in said
    assert os.listdir(tmp_path / "out") == [WORK]
    monkeypatch.undo()
    shutil.copy(SEGMENTED, text)
    assert main(argv) == 0


@pytest.mark.parametrize(
    ("workers", "module", "number"),
    [
        (1, "tests.data_gen.engine.killer", signal.SIGINT),
        (2, "tests.data_gen.engine.killer", signal.SIGINT),
        (1, "data_gen", signal.SIGTERM),
    ],
)
def test_an_interrupt_is_one_line_and_quick(tmp_path, table, workers, module, number):
    """As a terminal sends it: to every process of the group."""
    argv = arguments(table, tmp_path / "out", workers=workers)
    command = [sys.executable, "-m", module, *argv, "--set", "dupe_factor=3000"]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Where the tests run in the background, a shell has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not os.path.isdir(tmp_path / "out" / WORK):
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.3)
    os.killpg(process.pid, number)
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 130
    assert said == "interrupted; run the same command again to resume\n"


def test_too_little_memory_is_one_sentence(tmp_path, table, capsys, monkeypatch):
    def exhausted(task):
        raise MemoryError

    monkeypatch.setattr("data_gen.jobs.map_and_merge.run_map_task", exhausted)
    assert main(arguments(table, tmp_path / "out")) == 1
    assert capsys.readouterr().err.startswith("error: there is too little memory: use fewer --w")


def test_two_runs_of_one_build_do_not_meet(tmp_path, table, capsys, monkeypatch):
    argv = arguments(table, tmp_path / "out")

    def second(*args):
        monkeypatch.undo()
        assert main(argv) == 1
        assert "is being made by another run: wait for it" in capsys.readouterr().err
        raise KeyboardInterrupt

    monkeypatch.setattr("data_gen.jobs.map_and_merge.run_map_task", second)
    assert main(argv) == 130
    assert main(argv) == 0
