"""Stop a training that is asked to: by SIGTERM, the sign of a machine about to be taken away, or by
Ctrl-C. Both save; a second Ctrl-C quits at once.

Python handles a signal between two instructions of its own, so not while TensorFlow waits for a
file. A thread hears of each signal at once, and saves if the input hangs. Any other command ends
after Ctrl-C, whatever it waits for.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from typing import Any, Callable, Iterable, Iterator, List, Optional, TypeVar

from pretrain.runtime.log import log

Element = TypeVar("Element")

_PATIENCE = 2.0  # seconds that a file may be waited for, once the command is to stop
_AFTER_CTRL_C = 130  # exit code, as shells have it


class Stop:
    """The wish that a training stops: none yet, or the signal that brought it."""

    def __init__(self) -> None:
        self._number: Optional[int] = None
        self._since: Optional[float] = None  # the time from which on the input is waited for
        self._saving = threading.Lock()  # while the thread holds it, the training does not go on
        # Writes what is to be kept, called where the input hangs.
        self.save: Callable[[], None] = lambda: None

    def __bool__(self) -> bool:
        return self._number is not None

    @property
    def reason(self) -> str:
        """The signal, for people. One that came to another process was SIGTERM."""
        return "Ctrl-C" if self.by_ctrl_c else "SIGTERM"

    @property
    def by_ctrl_c(self) -> bool:
        """True if a user wants it."""
        return self._number == signal.SIGINT

    def ask(self, number: int, frame: Any = None) -> None:
        """Note a signal; the handler of Python. The first one counts."""
        if self._number is None:
            self._number = number

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Note that the block waits for the input and changes nothing."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            with self._saving:
                self._since = None

    def watch(self, signals: socket.socket) -> None:
        """Act on signals as they come, their numbers as bytes; the work of the thread."""
        seen: List[int] = []
        asked = 0.0
        with contextlib.suppress(OSError):  # closed: the training has ended
            while True:
                try:
                    number = signals.recv(1)
                except socket.timeout:
                    self._end_if_hanging(asked)
                    continue
                if not number:
                    return
                if number[0] not in (signal.SIGTERM, signal.SIGINT):  # someone else's
                    continue
                if seen and number[0] == signal.SIGINT:
                    _quit()
                if not seen:
                    self.ask(number[0])
                    asked = time.monotonic()
                    signals.settimeout(0.1)
                    if self.by_ctrl_c:
                        log("Ctrl-C: saving after this step; Ctrl-C again quits at once")
                seen.append(number[0])

    def _end_if_hanging(self, asked: float) -> None:
        with self._saving:
            if self._since is None or time.monotonic() - max(self._since, asked) < _PATIENCE:
                return
            try:
                self.save()
                _exit(_AFTER_CTRL_C if self.by_ctrl_c else 0)
            except Exception as error:
                print(f"error: {error}", file=sys.stderr, flush=True)
            finally:
                _exit(1)


def end_after_ctrl_c() -> None:
    """Let Ctrl-C end this process two seconds later at most, also while its main thread waits for a
    file, or for threads that do. A training has its own way meanwhile, see `stoppable`. Nothing
    that is being written is lost by it: an output is whole or absent.
    """
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno())
    # The thread keeps `theirs` open.
    threading.Thread(target=_end_late, args=(ours, theirs), daemon=True).start()


def _end_late(signals: socket.socket, sender: socket.socket) -> None:
    while signals.recv(1)[0] != signal.SIGINT:
        pass
    time.sleep(_PATIENCE)
    print("interrupted; run the same command again to resume", file=sys.stderr, flush=True)
    _exit(_AFTER_CTRL_C)


def end_now(code: int) -> None:
    """End the process with the exit code of a command that failed: at the usual end Python and
    TensorFlow wait for threads, which may wait for a file that never comes.
    """
    sys.stderr.flush()
    _exit(code)


def _quit() -> None:
    print("quit; the same command resumes from the last checkpoint", file=sys.stderr, flush=True)
    _exit(_AFTER_CTRL_C)


def _exit(code: int) -> None:
    """End the process, although its main thread hangs."""
    sys.stdout.flush()
    os._exit(code)


_current: List[Stop] = []  # signals are of the process: the training that they are for, if any


@contextlib.contextmanager
def stoppable() -> Iterator[Stop]:
    """Give the wish to stop that SIGTERM and Ctrl-C set during the block. In another than the main
    thread, which gets no signals, nothing sets it.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    # A shell has what runs in the background ignore Ctrl-C.
    numbers = [signal.SIGTERM, *([signal.SIGINT] if _heeds_ctrl_c() else [])]
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = [signal.signal(number, stop.ask) for number in numbers]
    fd = signal.set_wakeup_fd(theirs.fileno())
    thread = threading.Thread(target=stop.watch, args=(ours,), daemon=True)
    thread.start()
    _current.append(stop)
    try:
        yield stop
    finally:
        _current.pop()
        signal.set_wakeup_fd(fd)
        for number, handler in zip(numbers, before):
            signal.signal(number, handler)
        theirs.close()
        thread.join()
        ours.close()


def _heeds_ctrl_c() -> bool:
    return signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


def waited_for(elements: Iterable[Element]) -> Iterator[Element]:
    """Yield the same elements. A training that is to stop waits for none that never comes."""
    stop = _current[-1] if _current else Stop()
    with stop.waiting():
        iterator = iter(elements)
    while True:
        with stop.waiting():
            try:
                element = next(iterator)
            except StopIteration:
                return
        yield element
