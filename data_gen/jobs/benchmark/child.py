"""The CPU time of another program."""

import os
import subprocess
from typing import Sequence


def child_seconds(command: Sequence[str]) -> float:
    """Run a command, without a GPU, and return its CPU seconds, those of its children included; 0
    on Windows, which does not tell.

    Raises subprocess.CalledProcessError where it fails, with its stderr.
    """
    before = _children()
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(  # noqa: S603  # our own code, and what the user names
        command, check=True, capture_output=True, env=environment
    )
    return _children() - before


def _children() -> float:
    """Return the CPU seconds of all processes that this one started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system
