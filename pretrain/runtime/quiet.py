"""Keep TensorFlow's log lines of information and warnings from the terminal.

Some are written before TF_CPP_MIN_LOG_LEVEL is heeded, whatever it says. So the file that C++ calls
stderr becomes a pipe to a process that drops them and passes on all else; Python's own stderr stays
as it is. A process and no thread: it also passes on what TensorFlow says when it aborts.
"""

import contextlib
import io
import os
import subprocess
import sys
from typing import Any

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_ERRORS_ONLY = 2
_STDERR = 2

_FILTER = r"""
import re, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
noise = re.compile(
    rb"[IW]\d{4} \d\d:\d\d:\d+\.\d+ +\d+ [\w./-]+:\d+\] "
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IW] "
    rb"|WARNING: All log messages before absl::InitializeLog"
    rb"|(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: )?E.*"
    rb"(Unable to register cu(DNN|BLAS|FFT) |failed call to cuInit|oneDNN supports DT_STRING only)"
    rb"|To enable the following instructions: "
    rb"|Skipping registering GPU devices"
)
for line in sys.stdin.buffer:
    if not noise.match(line):
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
"""


def quiet() -> None:
    """Drop these lines from now on, unless the user asks for them by TF_CPP_MIN_LOG_LEVEL. To be
    called before TensorFlow is imported, once.
    """
    os.environ.setdefault(_LEVEL, str(_ERRORS_ONLY))
    asked = os.environ[_LEVEL]
    # Where something else has taken stderr, such as a test, it sees what it is to see.
    if (asked.isdigit() and int(asked) < _ERRORS_ONLY) or not _writes_to_stderr(sys.stderr):
        return
    with contextlib.suppress(OSError):  # without a stderr, or too many processes
        _filter()


def _writes_to_stderr(stream: Any) -> bool:
    """Return True if a stream of Python's writes to the file that C++ calls stderr."""
    try:
        return isinstance(stream, io.TextIOWrapper) and stream.fileno() == _STDERR
    except (OSError, ValueError):  # it is closed, or no file
        return False


def _filter() -> None:
    if not sys.executable:
        return
    sys.stderr.flush()
    terminal = os.dup(_STDERR)
    process = subprocess.Popen(  # noqa: S603  # our own code alone
        [sys.executable, "-I", "-S", "-c", _FILTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    if process.stdin is None:
        return
    old: Any = sys.stderr
    # Of the same class, which may have its own way with a reader that is gone.
    sys.stderr = type(old)(
        open(terminal, "wb", closefd=False),  # noqa: SIM115 - for the rest of this process
        encoding=old.encoding,
        errors=old.errors,
        line_buffering=True,
    )
    os.dup2(process.stdin.fileno(), _STDERR)
    process.stdin.close()
    process.returncode = 0  # it ends after this process; nobody waits for it
