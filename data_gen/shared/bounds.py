"""Bounds of numbers in settings and models. They are wide: no real use comes near them. They stop
what would only hang, or end in another error far from its cause.
"""

from typing import Any

MOST_STEPS = 10**9  # also of epochs, intervals, copies
MOST_SEQUENCES = 10**7  # in a batch
LARGEST = 10**6  # of rates, factors and weights


def require_between(values: Any, names: str, least: float, most: float, group: str = "") -> None:
    """Check attributes of `values`, by their names with spaces between them.

    Raises ValueError for one that is below `least`, above `most`, or NaN; None is let through.
    """
    for name in names.split():
        value = getattr(values, name)
        if value is not None and not least <= value <= most:
            raise ValueError(f"{group}{name} must be between {least:,} and {most:,}, not {value}")
