"""The memory that this process has used."""

import sys
from typing import Optional


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
