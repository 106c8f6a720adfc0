"""The standard streams of a command: any encoding, and readers that go away.

Python 3.7 syntax: `pretrain` imports this module on TensorFlow 1.15.
"""

import contextlib
import io
import os
import select
import sys
from typing import Any, Callable, TextIO

from data_gen.shared.memory import leave_out_what_is_there


def run_program(main: Callable[[], int]) -> int:
    """Run a command as a process of its own, which ends with it. Returns its exit code."""
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _Unbreakable(
            sys.stderr.buffer,
            encoding=sys.stderr.encoding,
            errors="backslashreplace",
            line_buffering=True,
        )
    try:
        return main()
    finally:
        leave_out_what_is_there()  # .05 CPU s of the end of the process; .5 with TensorFlow


def print_in_any_encoding() -> None:
    """Let characters that a console lacks, one of GBK or ASCII, be printed as escapes. A stream
    that is closed from the start (`>&-`) goes nowhere.
    """
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            reconfigure: Any = stream.reconfigure  # type: ignore[attr-defined,unused-ignore]
            reconfigure(errors="backslashreplace")


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # as long as the process


def utf8_text(argument: str) -> str:
    """Return the text of an argument that was given in UTF-8, in whatever locale; as it is if it is
    no UTF-8. For texts and words only: a path is what the locale says.
    """
    try:
        argument.encode("utf-8")
        return argument
    except UnicodeEncodeError:  # bytes that the locale does not know
        try:
            return os.fsencode(argument).decode("utf-8")
        except UnicodeError:
            return argument


class _Unbreakable(io.TextIOWrapper):
    """A stderr that goes nowhere when its reader is gone: what is said along the way must not end
    the work.
    """

    def write(self, text: str) -> int:
        """Write, or drop the text."""
        try:
            return super().write(text)
        except BrokenPipeError:
            _to_nowhere(self)
            return len(text)

    def flush(self) -> None:
        """Flush, or drop what is left."""
        try:
            super().flush()
        except BrokenPipeError:
            _to_nowhere(self)


def _to_nowhere(stream: Any) -> None:
    """Send what is still to be written nowhere, so that the end of the process is quiet, too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def reader_is_gone() -> bool:
    """Return True if nobody reads stdout any more: `| head` has seen enough."""
    try:
        output = sys.stdout.fileno()
    except (OSError, ValueError):  # it is no file
        return False
    if not _is_broken(output):
        return False
    _to_nowhere(sys.stdout)
    return True


def drop_output() -> str:
    """Send what is still to be printed nowhere. Returns the name of the file that stdout was."""
    path = "/proc/self/fd/1"
    name = os.readlink(path) if os.path.islink(path) else "the results"
    with contextlib.suppress(OSError, ValueError):  # it is no file
        _to_nowhere(sys.stdout)
    return name


def _is_broken(descriptor: int) -> bool:
    if not hasattr(select, "poll"):  # Windows
        try:
            sys.stdout.flush()
        except OSError:
            return True
        return False
    poll = select.poll()
    poll.register(descriptor, 0)  # errors are told unasked
    return bool(poll.poll(0))
