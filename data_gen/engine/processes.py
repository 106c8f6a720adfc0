"""Run pure tasks: in this process, or in several.

A task is a picklable argument of a module-level function. Results come back as they finish; data
goes through files.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Callable, Iterable, Iterator, Optional, Protocol, Sequence, Set, TypeVar

from data_gen.shared.errors import UserError

_MOST_ON_WINDOWS = 61  # processes that one there can wait for

Task = TypeVar("Task")
Result = TypeVar("Result")

_ENDING_SECONDS = 3  # that the processes of a broken pool may take to end


class Engine(Protocol):
    """A runner of the tasks of a command."""

    def expect(self, tasks: int, load: Callable[[Task], object], argument: Task) -> None:
        """Announce tasks, so that workers can start, and `load(argument)`, in the background."""

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the result of every task, in any order. The first error ends the run."""


class LocalEngine:
    """Processes of this machine. With one worker everything runs in this process."""

    def __init__(self, workers: int = 0) -> None:
        """Use `workers` processes, 0 for one a core. They live until `close`."""
        self.workers = workers or os.cpu_count() or 1
        if sys.platform == "win32":
            self.workers = min(self.workers, _MOST_ON_WINDOWS)
        self._processes: Optional[_Processes] = None

    def expect(self, tasks: int, load: Callable[[Task], object], argument: Task) -> None:
        """Start workers, and let them load, while this process goes on."""
        if self.workers > 1 and tasks > 1:
            with suppress(BrokenProcessPool):  # `run` reports it
                for _ in range(min(self.workers, tasks)):
                    self._started().submit(load, argument)

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the result of every task, in any order. The first error ends the run.

        Raises UserError where a worker died, with the signal that ended it.
        """
        tasks = list(tasks)
        if self.workers == 1 or len(tasks) <= 1:
            yield from map(function, tasks)
            return
        try:
            processes = self._started()
            pending = {processes.submit(function, task) for task in tasks}
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException as error:
            died = ""
            if isinstance(error, BrokenProcessPool) and self._processes:
                died = _how_it_died(self._processes.exit_codes())
            self.close()  # nobody waits for tasks that are under way
            if died:
                raise UserError(died) from error
            raise

    def _started(self) -> "_Processes":
        self._processes = self._processes or _Processes(self.workers)
        return self._processes

    def close(self) -> None:
        """End the workers at once, and wait for that: what an executor leaves to the end of the
        interpreter may meet a closed pipe there, and then a traceback follows the result.
        """
        if self._processes:
            self._processes.kill()
        self._processes = None


class _Processes:
    """A pool whose processes end at once when they are killed or this process ends. No more are
    started than there are tasks for.
    """

    def __init__(self, workers: int) -> None:
        # Spawned, not forked: the tokenizer's threads and a forked lock of theirs would hang.
        context = multiprocessing.get_context("spawn")
        self._ours, self._theirs = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(workers, context, _end_with_pipe, (self._ours,))
        self._workers: Set[BaseProcess] = set()

    def submit(self, function: Callable[[Task], Result], task: Task) -> "Future[Result]":
        with _interrupts_held():  # a process may be started
            submitted = self._pool.submit(function, task)
        self._workers.update(multiprocessing.active_children())
        return submitted

    def exit_codes(self) -> Sequence[int]:
        """Return the exit codes of the processes that have ended, negative ones for signals."""
        # The pool's own thread may have reaped one without having noted its code yet.
        last = time.monotonic() + _ENDING_SECONDS
        while any(w.exitcode is None for w in self._workers) and time.monotonic() < last:
            time.sleep(0.02)
        return [code for code in (worker.exitcode for worker in self._workers) if code is not None]

    def kill(self) -> None:
        self._theirs.close()
        self._pool.shutdown()


def _how_it_died(exit_codes: Sequence[int]) -> str:
    """Say how a worker died, from the exit codes of all: the pool ends the others with SIGTERM."""
    own = [code for code in exit_codes if code not in (0, -signal.SIGTERM)]
    # A signal came first: a worker whose pipe is closed after it ends itself with 1.
    code = min(own, default=-signal.SIGTERM)
    how = f"ended with exit code {code}"
    with suppress(ValueError):
        how = f"was ended by {signal.Signals(-code).name}"
    if how.endswith("SIGKILL"):
        return f"a worker {how}, perhaps for want of memory: use fewer --workers"
    if how.endswith("SIGTERM"):
        return f"a worker {how}: give the command again, it goes on where it was"
    return (
        f"a worker {how} within a package that it uses, as a damaged model may cause: fetch or "
        "make the models again; --workers 1 shows what the package says"
    )


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back during the block, but on Windows. Processes that are started in it never see
    Ctrl-C.

    A terminal sends it to all processes, and this one answers for all.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _end_with_pipe(pipe: Connection) -> None:
    """End this worker at once when the other end of the pipe is closed, by its parent or because
    the parent ended. A killed build must not go on writing.
    """

    def watch() -> None:
        pipe.poll(None)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
