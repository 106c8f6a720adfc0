"""The memory of this process: how much it has used, and Python's search for garbage that refers to
itself. That looks through all objects again and again while modules and data are loaded, and finds
next to nothing.

Python 3.7 syntax: `pretrain` imports this module on TensorFlow 1.15.
"""

import gc
import sys
from contextlib import contextmanager
from typing import Iterator, Optional


def peak_memory() -> Optional[int]:
    """Return the most bytes of memory that this process has had; None on Windows, which does not
    tell.
    """
    try:
        import resource
    except ImportError:
        return None
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used << 10


@contextmanager
def no_search_for_garbage() -> Iterator[None]:
    """Stop the search within the block, if it is on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def leave_out_what_is_there() -> None:
    """Let every later search, and those at the end of the process, pass over all objects so far."""
    gc.freeze()


def search_seldom() -> None:
    """Search after 20,000 new objects, not after each 700 or 2,000."""
    gc.set_threshold(20_000)
