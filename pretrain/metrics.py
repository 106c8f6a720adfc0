"""What a training prints and writes down: means of the metrics of each step."""

import json
import os
import sys
import time
from typing import Any, Sequence

import numpy as np

from pretrain.checkpoint import write_text
from pretrain.devices import is_chief

METRICS = "metrics.jsonl"


class Meter:
    """Averages metrics between two lines of the log and of metrics.jsonl; of several processes the
    first writes.
    """

    def __init__(self, output: str, step: int, tokens_per_step: int) -> None:
        self._path = os.path.join(output, METRICS)
        self._tokens = tokens_per_step
        self._since = step
        self._sums: Any = 0.0
        self._time = time.perf_counter()
        if is_chief():
            _drop_after(self._path, step)

    def add(self, sums: "np.ndarray") -> None:
        """Count the metrics of some steps."""
        self._sums = self._sums + sums

    def write(self, step: int, last_step: int, names: Sequence[str]) -> None:
        """Write the means since the last line, by these names."""
        count = step - self._since
        if not count or not is_chief():
            return
        means = {name: float(total) / count for name, total in zip(names, self._sums)}
        seconds = time.perf_counter() - self._time
        rate = self._tokens * count / seconds
        line = {"step": step, **means, "tokens_per_second": round(rate)}
        with open(self._path, "a", encoding="utf-8") as handle:
            handle.write(json.dumps(line) + "\n")
        left = (last_step - step) * seconds / count
        log(
            f"step {step:,} of {last_step:,}: loss {means['loss']:.3f} "
            f"(words {means['masked_lm_loss']:.3f}, pairs {means['pair_loss']:.3f}), "
            f"{rate:,.0f} tokens/s, {left / 60:.1f} min left"
        )
        self._since, self._sums, self._time = step, 0.0, time.perf_counter()


def _drop_after(path: str, step: int) -> None:
    """Remove the lines of steps that a crash took back, so that each step is there once."""
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as handle:
        lines = handle.readlines()
    kept = [line for line in lines if _step(line) <= step]
    if kept != lines:
        write_text(path, "".join(kept))


def _step(line: str) -> float:
    """The step of a line; infinite for one that a crash cut short."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")


def log(line: str) -> None:
    """Print a line on stderr at once: stdout is for results. Of several processes the first
    speaks.
    """
    if is_chief():
        print(line, file=sys.stderr, flush=True)
