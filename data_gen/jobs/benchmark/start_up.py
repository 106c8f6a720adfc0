"""The cost of starting a command: interpreter and imports."""

import re
import subprocess
import sys
from collections import Counter
from typing import List, NamedTuple, Tuple

from data_gen.jobs import build_dataset as build
from data_gen.jobs.benchmark.child import child_seconds

_SLOWEST = 5
_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\w+)")


class StartUp(NamedTuple):
    """CPU seconds of the interpreter alone and of `--help`, and what a build imports."""

    python: float
    help: float
    modules: int
    slowest: List[Tuple[str, float]]  # packages, with the seconds (not CPU) of their own modules


def start_up() -> StartUp:
    """Measure the start of `python -m data_gen`, twice: the first run may have to compile."""
    command = [sys.executable, "-m", "data_gen", "--help"]
    imports = [
        sys.executable,
        "-X",
        "importtime",
        "-c",
        f"import data_gen.__main__, {build.__name__}",
    ]
    child_seconds(command)
    told = subprocess.run(  # noqa: S603  # our own code alone
        imports, check=True, capture_output=True
    ).stderr.decode(errors="replace")
    found = _LINE.findall(told)
    packages: Counter[str] = Counter()
    for microseconds, package in found:
        packages[package] += int(microseconds)
    return StartUp(
        child_seconds([sys.executable, "-c", ""]),
        child_seconds(command),
        len(found),
        [(name, spent / 1e6) for name, spent in packages.most_common(_SLOWEST)],
    )
