"""Outputs that one command at a time writes: their locks, and the names of unfinished files.

The locks are the system's own, so a command that is killed leaves none. They are held by a file,
because Windows cannot lock a folder.
"""

import errno
import os
import re
import secrets
import shutil
import sys
import warnings
from contextlib import ExitStack, contextmanager, suppress
from typing import Iterable, Iterator, Optional

from data_gen.shared.errors import UserError, writing

LOCK = ".lock"  # within a folder that several commands write into, one after the other

_WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)
_PARTIAL = re.compile(r"\.[0-9a-f]{16}\.partial")  # behind the name that the file is to have


def lock_within(folder: str) -> str:
    """Return the path of the lock of a folder that is there."""
    return os.path.join(folder, LOCK)


def lock_beside(path: str) -> str:
    """Return the path of the lock of a file or folder that is to be made."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}{LOCK}")


@contextmanager
def only_writer(output: str, lock: str) -> Iterator[bool]:
    """Hold the lock of an output during the block. Yields True; False, and says so on stderr, if
    there are no locks there: behind a URL, or in a file system without them.

    lock: the path of its file, which is deleted afterwards
    Raises UserError if another process holds it.
    """
    with ExitStack() as stack:
        held = None
        if "://" not in lock:
            with writing(output):
                held = stack.enter_context(_held(lock))
        if held is False:
            raise UserError(
                f"{output} is being made by another run: wait for it, or choose another --output"
            )
        if held is None:
            print(
                f"{output}: no lock can be had there, so start no second run with this --output",
                file=sys.stderr,
                flush=True,
            )
        yield bool(held)


@contextmanager
def _held(path: str) -> Iterator[Optional[bool]]:
    """Hold a lock. Yields True; False if another process holds it; None without locks."""
    from filelock import FileLock, Timeout, UnixFileLock, WindowsFileLock

    # Any other is a mere file, which outlives a process that is killed. Its module takes .02 s.
    if not issubclass(FileLock, (UnixFileLock, WindowsFileLock)):
        yield None
        return
    lock = FileLock(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # newer ones warn that they take a mere file
            lock.acquire(timeout=0)
    except Timeout:
        yield False if _has_locks(os.path.dirname(path)) else None
        return
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
        yield None
        return
    except (NotImplementedError, Warning):
        yield None
        return
    ours = os.path.exists(path)  # a lock whose file was deleted meanwhile guards nothing
    try:
        yield ours
    finally:
        if ours:
            with suppress(OSError):  # while it is held; Windows deletes it when it is released
                os.unlink(path)
        lock.release()


def _has_locks(folder: str) -> bool:
    """Return True if a file of our own can be locked in a folder: what refuses every lock looks
    like a lock that is held.
    """
    from filelock import FileLock, Timeout

    path = os.path.join(folder, f"{LOCK}.{secrets.token_hex(8)}")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
        lock.release()
    except (Timeout, OSError):
        return False
    finally:
        with suppress(OSError):
            os.unlink(path)
    return True


def partial_name(path: str) -> str:
    """Return a random path, beside `path`, for what is to get that name when it is whole."""
    return f"{path}.{secrets.token_hex(8)}.partial"


def sweep(folder: str, names: Iterable[str], ours: "re.Pattern[str]") -> None:
    """Delete the partial files and folders that killed writers left in a folder with these names,
    if the whole one would have a name that matches `ours`.
    """
    for name in names:
        partial = _PARTIAL.search(name)
        if partial and partial.end() == len(name) and ours.fullmatch(name[: partial.start()]):
            delete(os.path.join(folder, name))


def delete(path: str) -> None:
    """Delete a file or a folder of ours, if it is there and can be deleted."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            os.unlink(path)
