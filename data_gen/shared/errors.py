"""The error that is meant for the user, and the system's errors of writing as one."""

import errno
from contextlib import contextmanager
from typing import Iterator

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # a disk, a share of it, or a file


class UserError(Exception):
    """Something that the user can put right; the text says how. Ends a command with exit code 1."""


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
    full = getattr(error, "errno", None) in FULL
    advice = "make room there" if full else "choose another --output"
    return UserError(f"cannot write {path}: {reason(error)}: {advice}")


def reason(error: Exception) -> str:
    """Describe an error on one line."""
    text = getattr(error, "strerror", None) or " ".join(str(error).split())
    return text or type(error).__name__
