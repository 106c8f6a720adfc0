"""How long work tells how far it is."""

import sys
import time
from typing import Any, Callable, Iterable, Iterator

from tqdm import tqdm

# (title, total, results) -> the same results, told of as they come
Show = Callable[[str, int, Iterable[Any]], Iterable[Any]]


def show_progress(title: str, total: int, results: Iterable[Any]) -> Iterator[Any]:
    """A progress bar with rate and time left on a terminal, a line now and then elsewhere."""
    if sys.stderr.isatty():
        yield from tqdm(results, desc=title, total=total)
        return
    last = time.monotonic()
    for i, result in enumerate(results, 1):
        if time.monotonic() - last > 10:
            last = time.monotonic()
            print(f"{title}: {i:,} of {total:,}", file=sys.stderr, flush=True)
        yield result


def tell(message: str) -> None:
    """Say something that is no result, where progress is told."""
    print(message, file=sys.stderr, flush=True)
