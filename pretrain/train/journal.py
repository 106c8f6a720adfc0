"""The journals of a training: means of the metrics of each step, and evaluations.

metrics.jsonl and evaluations.jsonl get a line of JSON a time, events.out.tfevents.* the same for
TensorBoard. Of several processes the first writes.
"""

import json
import math
import os
import socket
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from data_gen.shared.durations import duration
from pretrain.checkpoint.folder import EVALUATIONS, METRICS, drop_after, read_journal
from pretrain.learning.objective import TOTAL, Evaluation
from pretrain.runtime import files
from pretrain.runtime.devices import is_chief
from pretrain.runtime.log import log
from pretrain.runtime.tensorflow import tf

_SILENCE = 20.0  # seconds without a line, after which the time left is said


class Journal:
    """The files of one process's time with a training, from `step` on."""

    def __init__(self, output: str, step: int) -> None:
        self._output = output
        if not is_chief():
            return
        for name in (METRICS, EVALUATIONS):
            drop_after(output, name, step)
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        self._path = os.path.join(output, name)
        with files.writing(self._path):
            self._events = tf.io.TFRecordWriter(self._path)
        self._event(file_version="brain.Event:2")
        # TensorBoard drops later steps that an earlier process wrote.
        start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
        self._event(step=step + 1, session_log=start)

    def write(self, name: str, step: int, values: Mapping[str, Any]) -> None:
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
        with files.writing(self._path):
            self._events.flush()

    def has(self, name: str, step: int) -> bool:
        """Return True if a file has a line of that step."""
        return any(line["step"] == step for line in read_journal(self._output, name))

    def _event(self, **content: Any) -> None:
        event = tf.compat.v1.Event(wall_time=time.time(), **content)
        with files.writing(self._path):
            self._events.write(event.SerializeToString())


def _flat(values: Mapping[str, Any]) -> Dict[str, float]:
    """Return the numbers in nested values; `{"a": {"b": 1}}` gives `a/b`."""
    found: Dict[str, float] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found.update({f"{key}/{k}": v for k, v in _flat(value).items()})
        elif isinstance(value, (int, float)):
            found[key] = float(value)
    return found


def before_and_after(output: str, evaluation: Evaluation) -> List[str]:
    """Return a line for the held-out data before the first step of a training, and one after its
    last: what it brought. No lines if it was not evaluated at both times.
    """
    lines = [line for line in read_journal(output, EVALUATIONS) if "examples" in line]
    if len(lines) < 2 or lines[0]["step"] > 0:
        return []
    return [
        f"held-out loss {when} (step {line['step']:,}): {evaluation.log_text(line)} on "
        f"{line['examples']:,} examples"
        for when, line in (("before", lines[0]), ("after", lines[-1]))
    ]


class Meter:
    """Averages the metrics between two lines, and says early how long the rest takes."""

    def __init__(
        self,
        journal: Journal,
        step: int,
        batch_size: int,
        length: int,
        least_seconds: Optional[float],
        log_text: Callable[[Mapping[str, float]], str],
    ) -> None:
        """Start at a step.

        least_seconds: time of a step's matrix products at the devices' full speed, if known
        log_text:      the losses in words, `Objective.log_text`
        """
        self._journal, self._size, self._length = journal, batch_size, length
        self._least_seconds, self._log_text = least_seconds, log_text
        self._since = step
        self._sums: Dict[str, Any] = {}
        self._time = time.perf_counter()
        self._compiled: Optional[Tuple[int, float]] = None  # step and time after the first call
        self._silence = _SILENCE

    def add(self, sums: Mapping[str, Any]) -> None:
        """Count the metrics of some steps, float32 by name."""
        self._sums = {name: self._sums[name] + x if self._sums else x for name, x in sums.items()}

    def expect(self, step: int, last_step: int) -> None:
        """Say how long the rest takes, again and again in growing intervals, until the first line
        says it. Call it after each call of the step: the first one compiles and does not count.
        """
        now = time.perf_counter()
        if self._compiled is None:
            self._compiled = step, now
        elif now - self._time > self._silence:
            first, then = self._compiled
            seconds = (now - then) / (step - first)
            log(
                f"step {step:,} of {last_step:,}: {duration(seconds)} a step, "
                f"{duration((last_step - step) * seconds)} left"
            )
            self._silence *= 3

    def restart_clock(self) -> None:
        """Leave out the time since the last line, which was not training."""
        self._time = time.perf_counter()

    def write(self, step: int, last_step: int) -> None:
        """Write the means since the last line."""
        count = step - self._since
        if not count:
            return
        means = {name: float(total) / count for name, total in self._sums.items()}
        seconds = (time.perf_counter() - self._time) / count
        examples = self._size / seconds
        speed: Dict[str, float] = {
            "tokens_per_second": round(examples * self._length),
            "examples_per_second": round(examples, 2),
        }
        used = ""
        if self._least_seconds:
            speed["utilisation"] = round(self._least_seconds / seconds, 4)
            used = f", {self._least_seconds / seconds:.0%} used"
        self._journal.write(METRICS, step, {**means, **speed})
        log(
            f"step {step:,} of {last_step:,}: loss {means[TOTAL]:.3f} ({self._log_text(means)}), "
            f"{speed['tokens_per_second']:,} tokens/s, {examples:,.1f} examples/s{used}, "
            f"{duration((last_step - step) * seconds)} left"
        )
        self._since, self._sums, self._silence = step, {}, math.inf
        self.restart_clock()
