"""Lines for the terminal."""

import sys

from pretrain.runtime.devices import is_chief


def log(line: str) -> None:
    """Print a line on stderr at once: stdout is for results. Of several processes the first
    prints.
    """
    if is_chief():
        print(line, file=sys.stderr, flush=True)
