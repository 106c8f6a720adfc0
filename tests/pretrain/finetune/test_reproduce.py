"""scripts/reproduce_results.sh, from data to the table."""

import os
import re
import subprocess
import sys

import pytest

from tests.pretrain.small_model import write_model

pytest.importorskip("tokenizers")


@pytest.fixture
def reproduce(root, tmp_path):
    model = write_model(tmp_path / "small")

    def run(*arguments):
        environment = {
            **os.environ,
            "PYTHON": sys.executable,
            "RUNS": "1",
            "SETS": "max_seq_length=16 train_batch_size=2 num_train_epochs=1 learning_rate=0.01",
        }
        return subprocess.run(
            ["bash", os.path.join(root, "scripts", "reproduce_results.sh"), model, *arguments],
            capture_output=True,
            env=environment,
            check=False,
        )

    return run


def test_reproduce_results(reproduce, tmp_path):
    for task, line in (("chnsenticorp", "{}\t天地{}\n"), ("lcqmc", "天{1}\t地\t{0}\n")):
        folder = tmp_path / "data" / task
        folder.mkdir(parents=True)
        for part in ("train", "dev", "test"):
            lines = [line.format(n % 2, "日月水火"[n]) for n in range(4)]
            head = "label\ttext_a\n" if task == "chnsenticorp" else ""
            (folder / f"{part}.tsv").write_text(head + "".join(lines), encoding="utf-8")
    result = reproduce(str(tmp_path / "data"), str(tmp_path / "out"))
    assert result.returncode == 0, result.stderr.decode()
    said, left_out = result.stdout.decode(), result.stderr.decode()
    table = [line for line in said.splitlines() if line.startswith("|")][-3:]
    assert table[0] == "| model | chnsenticorp | lcqmc | AVG |"
    assert re.search(r"\d+\.\d \(\d+\.\d\)", table[2]), table
    assert "no folder" in left_out
    assert "cmrc2018: the task is left out" in left_out
    again = reproduce(str(tmp_path / "data"), str(tmp_path / "out"))
    assert [x for x in again.stdout.decode().splitlines() if x.startswith("|")][-3:] == table


def test_no_data(reproduce, tmp_path):
    (tmp_path / "data").mkdir()
    result = reproduce(str(tmp_path / "data"), str(tmp_path / "out"))
    assert result.returncode == 1
    assert "has none of the tasks' folders" in result.stderr.decode()
