"""Times for people to read."""


def duration(seconds: float) -> str:
    """Write a time in seconds, minutes, hours or days."""
    for unit, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            amount = seconds / unit
            return f"{amount:.3g} {name}" if amount < 1000 else f"{amount:,.0f} {name}"
    return f"{seconds:.3g} s"
