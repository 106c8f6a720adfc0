"""Progress reports of long work: for people, or for programs."""

import json
import sys
import time
from typing import Any, Callable, Dict, Iterable, Iterator, NamedTuple, Protocol, TypeVar

Result = TypeVar("Result")

_LINE_SECONDS = 10.0  # between lines for people
_JSON_SECONDS = 1.0  # between lines for programs


class Amount(NamedTuple):
    """The amount of work that a result stands for."""

    documents: int = 0
    bytes: int = 0
    instances: int = 0


def no_amount(result: object) -> Amount:
    """Count results only."""
    return Amount()


class Progress(Protocol):
    """A report of progress."""

    def __call__(
        self,
        title: str,
        total: int,
        results: Iterable[Result],
        amount: Callable[[Result], Amount] = no_amount,
    ) -> Iterable[Result]:
        """Yield the same results, and report each as it comes."""


class _Stage:
    """The state of a stage: the work that is done, and its speed."""

    def __init__(self, title: str, total: int) -> None:
        self.title, self.total = title, total
        self.done = self.documents = self.bytes = self.instances = 0
        self._start = time.monotonic()

    def add(self, amount: Amount) -> None:
        self.done += 1
        self.documents += amount.documents
        self.bytes += amount.bytes
        self.instances += amount.instances

    def facts(self) -> Dict[str, Any]:
        """Return all numbers by name; rates are means of the stage so far."""
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
        """Return documents, MB/s and instances/s, without those that are 0."""
        facts = self.facts()
        parts = {
            f"{self.documents:,} documents": self.documents,
            f"{facts['bytes_per_second'] / 1e6:.2f} MB/s": self.bytes,
            f"{facts['instances_per_second']:,.0f} instances/s": self.instances,
        }
        return ", ".join(text for text, count in parts.items() if count)


def show_progress(
    title: str,
    total: int,
    results: Iterable[Result],
    amount: Callable[[Result], Amount] = no_amount,
) -> Iterator[Result]:
    """Show a bar with rates and time left on a terminal; print a line now and then elsewhere."""
    stage = _Stage(title, total)
    if sys.stderr.isatty():
        from tqdm import tqdm  # takes longer than all of `--help`

        with tqdm(results, desc=title, total=total) as bar:
            for result in bar:
                stage.add(amount(result))
                bar.set_postfix_str(stage.rates(), refresh=False)
                yield result
        return
    last = time.monotonic()
    for result in results:
        stage.add(amount(result))
        if time.monotonic() - last > _LINE_SECONDS:
            last = time.monotonic()
            parts = [f"{stage.done:,} of {total:,}", stage.rates()]
            left = f"{stage.facts()['seconds_left']:,.0f} s left"
            say(f"{title}: {', '.join(filter(None, [*parts, left]))}")
        yield result


def log_json(
    title: str,
    total: int,
    results: Iterable[Result],
    amount: Callable[[Result], Amount] = no_amount,
) -> Iterator[Result]:
    """Print a JSON object a line: about one a second, and one at the end of the stage."""
    stage = _Stage(title, total)
    last = time.monotonic()
    for result in results:
        stage.add(amount(result))
        if time.monotonic() - last > _JSON_SECONDS and stage.done < total:
            last = time.monotonic()
            say(json.dumps(stage.facts(), ensure_ascii=False))
        yield result
    say(json.dumps(stage.facts(), ensure_ascii=False))


def note(show: Progress, message: str) -> None:
    """Tell the user something beside the progress, in the form of the progress."""
    say(json.dumps({"note": message}, ensure_ascii=False) if show is log_json else message)


def say(message: str) -> None:
    """Print a message that is no result, on stderr."""
    print(message, file=sys.stderr, flush=True)
