"""A Ray cluster in a network of its own, for test_ray.py: `python -m tests.data_gen.cluster FOLDER
TABLE` starts a head without CPUs and nodes of one CPU, and tries what may happen to them.
"""

import contextlib
import glob
import os
import signal
import subprocess
import sys
import time

import pytest

from data_gen.engine.ray_cluster import RayEngine
from data_gen.shared.errors import UserError
from tests.conftest import ROOT
from tests.data_gen.helpers import SEGMENTED

HEAD = "127.0.0.1:6379"
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": ROOT,
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "0123456789abcdef" * 4,
    # a lost node is noticed in a second, not in fifteen
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_failure_threshold": "2",
}
RAY = [os.path.join(os.path.dirname(sys.executable), "ray"), "start", "--disable-usage-stats"]
RAY += ["--object-store-memory", "80000000", "--node-ip-address=127.0.0.1"]


def start(*arguments):
    """Start a node; returns the process id of its raylet, without which it is lost."""
    before = raylets()
    subprocess.run(
        [*RAY, *arguments], env=ENVIRONMENT, check=True, timeout=60, stdout=subprocess.DEVNULL
    )
    (new,) = raylets() - before
    return new


def raylets():
    found = set()
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError), open(path, "rb") as handle:
            if handle.read().split(b"\0")[0].endswith(b"/raylet"):
                found.add(int(path.split("/")[2]))
    return found


def wait_for(pattern, count, process=None):
    while len(glob.glob(pattern)) < count:
        assert process is None or process.poll() is None, f"ended before {pattern}"
        time.sleep(0.02)


def build(table, output, *arguments, **environment):
    settings = [f"synonyms.table={table}", "dupe_factor=4000", "num_shards=24"]
    overrides = [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "tests.data_gen.engine.killer", "build", "--input", SEGMENTED]
    command += ["--config", "tests/data/golden.yaml", *overrides, "--output", output, *arguments]
    return subprocess.Popen(
        command,
        env={**ENVIRONMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def slow_at_first(path):
    """Sleeps long where nobody else was before."""
    if path:
        try:
            os.mkdir(path)
        except FileExistsError:
            return path
        time.sleep(1000)
    return path


def refuse(task):
    raise UserError("cannot read it")


def divide(task):
    return 1 / task


def try_engine(folder):
    slow = os.path.join(folder, "slow")
    engine = RayEngine(HEAD, patience=0.5)
    assert sorted(engine.run(slow_at_first, ["", "", slow])) == ["", "", slow]
    for function, kind, text in (
        (refuse, UserError, r"cannot read it \(on the node 127.0.0.1; every node must see"),
        (divide, ZeroDivisionError, "division by zero"),
    ):
        with pytest.raises(kind, match=text):
            list(engine.run(function, [0, 0]))


def try_builds(folder, table, nodes):
    output = os.path.join(folder, "ray")
    ray = ["--engine", "ray", "--ray-address", HEAD]
    refused = build(table, output, *ray, RAY_AUTH_TOKEN="f" * 64, RAY_NUM_REDIS_GET_RETRIES="1")
    said = refused.communicate()[1]
    assert refused.returncode == 1, said
    assert said.startswith(f"error: cannot join the Ray cluster {HEAD}: "), said
    assert said.count("\n") == 1, said

    driver = build(table, output, *ray)
    wait_for(f"{output}/.data_gen/map-*.json", 2, driver)
    driver.kill()
    driver.communicate()
    driver = build(table, output, *ray)
    wait_for(f"{output}/.data_gen/map-*.json", 5, driver)
    os.kill(nodes[0], signal.SIGKILL)
    start("--address", HEAD, "--num-cpus=1")
    wait_for(f"{output}/.data_gen/merge-*.json", 3, driver)
    os.kill(nodes[1], signal.SIGKILL)
    printed, said = driver.communicate()
    assert (driver.returncode, printed.count("\n")) == (0, 1), printed + said
    assert all(line.startswith(("map: ", "merge: ")) for line in said.splitlines()), said
    local = build(table, os.path.join(folder, "local"), "--workers", "1")
    local.communicate()
    assert local.returncode == 0


def main(folder, table):
    os.environ.update(ENVIRONMENT)
    start("--head", "--port=6379", "--num-cpus=0", "--include-dashboard=false")
    nodes = [start("--address", HEAD, "--num-cpus=1") for _ in range(2)]
    try_engine(folder)
    try_builds(folder, table, nodes)


if __name__ == "__main__":
    main(*sys.argv[1:])
