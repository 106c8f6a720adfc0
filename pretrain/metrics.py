"""What a training prints and writes down: means of the metrics of each step."""

import json
import os
import sys
import time
from typing import Any, List

from data_gen.settings import UserError
from pretrain.checkpoint import write_text
from pretrain.devices import Tensor

METRICS = "metrics.jsonl"

NAMES = ("loss", "masked_lm_loss", "pair_loss", "gradient_norm", "learning_rate")


class Meter:
    """Averages metrics between two lines of the log and of metrics.jsonl."""

    def __init__(self, output: str, step: int, tokens_per_step: int) -> None:
        self._path = os.path.join(output, METRICS)
        self._tokens = tokens_per_step
        self._since = step
        self._sums: List[Any] = []
        self._time = time.perf_counter()
        _drop_after(self._path, step)

    def add(self, metrics: List[Tensor]) -> None:
        """Count the metrics of one step, in the order of `NAMES`."""
        self._sums = [a + b for a, b in zip(self._sums, metrics)] if self._sums else metrics

    def write(self, step: int, last_step: int) -> None:
        """Write the means since the last line. Raises UserError where one is no number."""
        count = step - self._since
        if not count:
            return
        means = {name: float(total) / count for name, total in zip(NAMES, self._sums)}
        for name, value in means.items():
            if not abs(value) < float("inf"):
                raise UserError(
                    f"{name} is {value} at or before step {step}: the last checkpoint is from "
                    "before it; lower learning_rate or lengthen the warm-up, in a new --output"
                )
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
        self._since, self._sums, self._time = step, [], time.perf_counter()


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
    """Print a line on stderr at once: stdout is for results."""
    print(line, file=sys.stderr, flush=True)
