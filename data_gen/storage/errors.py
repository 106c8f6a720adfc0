"""Turn the system's errors of reading and writing into sentences that name the file."""

import errno
from contextlib import contextmanager
from typing import Iterator

from data_gen.shared.errors import UserError


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


def reason(error: Exception) -> str:
    """Describe an error on one line."""
    text = getattr(error, "strerror", None) or " ".join(str(error).split())
    return text or type(error).__name__


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def writing(path: str) -> Iterator[None]:
    """Turn every error of writing a file into a UserError that names it and says what to do.

    Do nothing but writing in the block.
    """
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        raise cannot_write(path, error) from error


def cannot_write(path: str, error: Exception) -> UserError:
    """Return the sentence for an error of writing to `path`."""
    full = getattr(error, "errno", None) in _FULL
    advice = "make room there" if full else "choose another --output"
    return UserError(f"cannot write {path}: {reason(error)}: {advice}")
