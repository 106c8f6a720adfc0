"""Standard input as a file, since text is read twice."""

import atexit
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from functools import cache

from data_gen.shared.errors import writing

STANDARD_INPUT = "-"  # its name
_PREFIX = "macbert-pretraining-stdin-"


@cache
def standard_input() -> str:
    """Return the path of a temporary file with all of standard input, which is read once. It is
    deleted when this process ends. Raises UserError if there is no room for it.
    """
    with writing(tempfile.gettempdir()):
        handle, path = tempfile.mkstemp(prefix=_PREFIX)
        atexit.register(_delete, path)
        with os.fdopen(handle, "wb") as target:
            shutil.copyfileobj(sys.stdin.buffer, target, 1 << 20)
    return path


def shown(path: str) -> str:
    """Return the name of a file for people: that of standard input is no path."""
    return "standard input" if os.path.basename(path).startswith(_PREFIX) else path


def _delete(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
