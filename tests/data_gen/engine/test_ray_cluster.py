"""A real cluster: Ray binds every interface, so it gets a network of its own."""

import os
import subprocess
import sys

import pytest

from data_gen.__main__ import main
from data_gen.shared.extras import install_command
from tests.data_gen.helpers import SEGMENTED, shards

ALONE = ["unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]


def arguments(table, output):
    settings = ["--config", "tests/data/golden.yaml", "--set", f"synonyms.table={table}"]
    return ["build", *settings, "--input", SEGMENTED, "--output", str(output), "--engine", "ray"]


def test_without_the_package_it_is_named(tmp_path, table, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(arguments(table, tmp_path / "out")) == 1
    assert install_command("ray") in capsys.readouterr().err


def test_a_cluster_that_loses_nodes_and_drivers_builds_the_same(tmp_path, table):
    pytest.importorskip("ray")
    try:
        subprocess.run([*ALONE, "ip", "link", "set", "lo", "up"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("unshare with a network of its own is not allowed here")
    cluster = f"{sys.executable} -m tests.data_gen.engine.cluster {tmp_path} {table}"
    inside = f"ip link set lo up && exec {cluster}"
    result = subprocess.run(
        [*ALONE, "bash", "-c", inside], capture_output=True, text=True, timeout=240, check=False
    )
    assert result.returncode == 0, result.stderr
    assert shards(tmp_path / "ray") == shards(tmp_path / "local")
    assert sorted(os.listdir(tmp_path / "ray")) == sorted(os.listdir(tmp_path / "local"))
