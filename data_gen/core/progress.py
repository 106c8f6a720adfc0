"""How long work tells how far it is: to people, or to machines."""

import json
import sys
import time
from typing import Any, Callable, Dict, Iterable, Iterator

from tqdm import tqdm

# (title, total, results) -> the same results, told of as they come
Progress = Callable[[str, int, Iterable[Any]], Iterable[Any]]

_LINE_SECONDS = 10.0  # between lines for people
_JSON_SECONDS = 1.0  # between lines for machines


class _Stage:
    """What of a stage is done, and how fast. Results may say how many documents, bytes and
    instances they stand for.
    """

    def __init__(self, title: str, total: int) -> None:
        self.title, self.total = title, total
        self.done = self.documents = self.bytes = self.instances = 0
        self._start = time.monotonic()

    def add(self, result: Any) -> None:
        self.done += 1
        self.documents += getattr(result, "documents", 0)
        self.bytes += getattr(result, "bytes", getattr(result, "size", 0))  # size: of a file
        self.instances += getattr(result, "instances", 0)

    def facts(self) -> Dict[str, Any]:
        """All of it by name; rates of the stage so far."""
        seconds = max(time.monotonic() - self._start, 1e-9)
        left = (self.total - self.done) * seconds / self.done if self.done else None
        return {
            "stage": self.title,
            "done": self.done,
            "total": self.total,
            "documents": self.documents,
            "bytes": self.bytes,
            "instances": self.instances,
            "seconds": round(seconds, 3),
            "bytes_per_second": round(self.bytes / seconds),
            "instances_per_second": round(self.instances / seconds, 1),
            "seconds_left": None if left is None else round(left, 1),
        }

    def rates(self) -> str:
        """What there is of documents, MB/s and instances/s."""
        facts = self.facts()
        parts = {
            f"{self.documents:,} documents": self.documents,
            f"{facts['bytes_per_second'] / 1e6:.2f} MB/s": self.bytes,
            f"{facts['instances_per_second']:,.0f} instances/s": self.instances,
        }
        return ", ".join(text for text, count in parts.items() if count)


def show_progress(title: str, total: int, results: Iterable[Any]) -> Iterator[Any]:
    """A progress bar with rates and time left on a terminal, a line now and then elsewhere."""
    stage = _Stage(title, total)
    if sys.stderr.isatty():
        with tqdm(results, desc=title, total=total) as bar:
            for result in bar:
                stage.add(result)
                bar.set_postfix_str(stage.rates(), refresh=False)
                yield result
        return
    last = time.monotonic()
    for result in results:
        stage.add(result)
        if time.monotonic() - last > _LINE_SECONDS:
            last = time.monotonic()
            parts = [f"{stage.done:,} of {total:,}", stage.rates()]
            left = f"{stage.facts()['seconds_left']:,.0f} s left"
            say(f"{title}: {', '.join(filter(None, [*parts, left]))}")
        yield result


def log_json(title: str, total: int, results: Iterable[Any]) -> Iterator[Any]:
    """A JSON object a line: about one a second, and one at the end of the stage."""
    stage = _Stage(title, total)
    last = time.monotonic()
    for result in results:
        stage.add(result)
        if time.monotonic() - last > _JSON_SECONDS and stage.done < total:
            last = time.monotonic()
            say(json.dumps(stage.facts(), ensure_ascii=False))
        yield result
    say(json.dumps(stage.facts(), ensure_ascii=False))


def say(message: str) -> None:
    """Say something that is no result, where progress is told."""
    print(message, file=sys.stderr, flush=True)
