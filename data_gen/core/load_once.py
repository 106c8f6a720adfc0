"""What a process loads once: models and tables cannot be sent to a worker, each loads its own."""

from functools import wraps
from typing import Callable, List, Tuple, TypeVar

Key = TypeVar("Key")
Loaded = TypeVar("Loaded")


def keep_last(load: Callable[[Key], Loaded]) -> Callable[[Key], Loaded]:
    """Keep what was loaded last, until something else is asked for. Settings are compared, they
    cannot be hashed.
    """
    kept: List[Tuple[Key, Loaded]] = []

    @wraps(load)
    def get(key: Key) -> Loaded:
        if not kept or kept[0][0] != key:
            kept.clear()  # first: two models need not fit into memory
            kept.append((key, load(key)))
        return kept[0][1]

    return get
