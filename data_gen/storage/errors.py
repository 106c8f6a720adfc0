"""Turn the errors of reading into sentences that name the file."""

from contextlib import contextmanager
from typing import Iterator

from data_gen.shared.errors import UserError, reason


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turn every error of opening or reading a file into a UserError that names it.

    Do nothing but reading in the block: each storage and each compression has errors of its own,
    so all are caught.
    """
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        raise UserError(f"cannot read {path}: {reason(error)}") from error
