"""What a training prints and writes down: means of the metrics of each step, and evaluations.

metrics.jsonl and evaluations.jsonl hold a line of JSON a time, events.out.tfevents.* the same for
TensorBoard. Of several processes the first writes.
"""

import json
import os
import socket
import time
from typing import Any, Dict, Optional, Sequence

import numpy as np

from pretrain.checkpoint.folder import EVALUATIONS, METRICS
from pretrain.runtime import files
from pretrain.runtime.devices import is_chief
from pretrain.runtime.log import log
from pretrain.runtime.tensorflow import tf


class Journal:
    """The files of one process's time with a training, from `step` on."""

    def __init__(self, output: str, step: int) -> None:
        self._output = output
        if not is_chief():
            return
        for name in (METRICS, EVALUATIONS):
            _drop_after(os.path.join(output, name), step)
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        self._events = tf.io.TFRecordWriter(os.path.join(output, name))
        self._event(file_version="brain.Event:2")
        # TensorBoard drops what an earlier process wrote of later steps.
        start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
        self._event(step=step + 1, session_log=start)

    def write(self, name: str, step: int, values: Dict[str, Any]) -> None:
        """Add a line to a file, and its numbers to TensorBoard's by `file/name`."""
        if not is_chief():
            return
        line = json.dumps({"step": step, **values}) + "\n"
        files.append_text(os.path.join(self._output, name), line)
        kind = name.split(".")[0]
        value = tf.compat.v1.Summary.Value
        numbers = [
            value(tag=f"{kind}/{key}", simple_value=number) for key, number in _flat(values).items()
        ]
        self._event(step=step, summary=tf.compat.v1.Summary(value=numbers))
        self._events.flush()

    def has(self, name: str, step: int) -> bool:
        """Whether a file has a line of that step."""
        path = os.path.join(self._output, name)
        lines = files.read_text(path).splitlines() if files.exists(path) else []
        return any(_step(line) == step for line in lines)

    def _event(self, **content: Any) -> None:
        event = tf.compat.v1.Event(wall_time=time.time(), **content)
        self._events.write(event.SerializeToString())


def _flat(values: Dict[str, Any]) -> Dict[str, float]:
    """The numbers in nested values; `{"a": {"b": 1}}` gives `a/b`."""
    found: Dict[str, float] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found.update({f"{key}/{k}": v for k, v in _flat(value).items()})
        elif isinstance(value, (int, float)):
            found[key] = float(value)
    return found


class Meter:
    """Averages the metrics between two lines."""

    def __init__(
        self, journal: Journal, step: int, batch_size: int, length: int, work: Optional[float]
    ) -> None:
        """`work` is the least seconds that a step's products take on these devices, if known."""
        self._journal, self._size, self._length = journal, batch_size, length
        self._work = work
        self._since = step
        self._sums: Any = 0.0
        self._time = time.perf_counter()

    def add(self, sums: "np.ndarray") -> None:
        """Count the metrics of some steps."""
        self._sums = self._sums + sums

    def restart_clock(self) -> None:
        """Leave out what was not training."""
        self._time = time.perf_counter()

    def write(self, step: int, last_step: int, names: Sequence[str]) -> None:
        """Write the means since the last line, by these names."""
        count = step - self._since
        if not count:
            return
        means = {name: float(total) / count for name, total in zip(names, self._sums)}
        seconds = (time.perf_counter() - self._time) / count
        examples = self._size / seconds
        speed: Dict[str, float] = {
            "tokens_per_second": round(examples * self._length),
            "examples_per_second": round(examples, 2),
        }
        used = ""
        if self._work:
            speed["utilisation"] = round(self._work / seconds, 4)
            used = f", {self._work / seconds:.0%} used"
        self._journal.write(METRICS, step, {**means, **speed})
        log(
            f"step {step:,} of {last_step:,}: loss {means['loss']:.3f} "
            f"(words {means['masked_lm_loss']:.3f}, pairs {means['pair_loss']:.3f}), "
            f"{speed['tokens_per_second']:,} tokens/s, {examples:,.1f} examples/s{used}, "
            f"{(last_step - step) * seconds / 60:.1f} min left"
        )
        self._since, self._sums = step, 0.0
        self.restart_clock()


def _drop_after(path: str, step: int) -> None:
    """Remove the lines of steps that a crash took back, so that each step is there once."""
    if files.exists(path):
        lines = files.read_text(path).splitlines(keepends=True)
        files.write_text(path, "".join(line for line in lines if _step(line) <= step))


def _step(line: str) -> float:
    """The step of a line; infinite for one that a crash cut short."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
