"""The error that is meant for the user, the near misses that it names, and the system's errors of
writing as one.
"""

import difflib
import errno
from contextlib import contextmanager
from typing import Iterable, Iterator

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # a disk, a share of it, or a file


class UserError(Exception):
    """Something that the user can put right; the text says how. Ends a command with exit code 1."""


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """Return the end of a sentence that names what is nearest to `word`; empty if nothing is.

    >>> did_you_mean("bild", ["build", "show"])
    '; did you mean build?'
    """
    found = difflib.get_close_matches(word, list(known), n=3, cutoff=cutoff)
    ratios = [difflib.SequenceMatcher(a=name, b=word).ratio() for name in found]
    near = [name for name, ratio in zip(found, ratios) if ratio > ratios[0] - 0.03]
    return "; did you mean {}?".format(" or ".join(near)) if near else ""


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
