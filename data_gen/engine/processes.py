"""Run pure tasks: in this process, or in several.

A task is a picklable argument of a module-level function. Results come back as they finish; data
goes through files.
"""

import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Callable, Iterable, Iterator, Optional, Protocol, TypeVar

from data_gen.shared.errors import UserError

_MOST_ON_WINDOWS = 61  # processes that one there can wait for

Task = TypeVar("Task")
Result = TypeVar("Result")


class Engine(Protocol):
    """A runner of the tasks of a command."""

    def expect(self, tasks: int, load: Callable[[Task], object], argument: Task) -> None:
        """Announce tasks, so that workers can start, and `load(argument)`, in the background."""

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the result of every task, in any order. The first error ends the run."""


class LocalEngine:
    """Processes of this machine. With one worker everything runs in this process."""

    def __init__(self, workers: int = 0) -> None:
        """Use `workers` processes, 0 for one a core. They live as long as the engine."""
        self.workers = workers or os.cpu_count() or 1
        if sys.platform == "win32":
            self.workers = min(self.workers, _MOST_ON_WINDOWS)
        self._processes: Optional[_Processes] = None

    def expect(self, tasks: int, load: Callable[[Task], object], argument: Task) -> None:
        """Start workers, and let them load, while this process goes on."""
        if self.workers > 1 and tasks > 1:
            for _ in range(min(self.workers, tasks)):
                self._started().submit(load, argument)

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the result of every task, in any order. The first error ends the run.

        Raises UserError where a worker was killed.
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
            self._end()  # nobody waits for tasks that are under way
            if isinstance(error, BrokenProcessPool):
                raise UserError(
                    "a worker was killed, perhaps for want of memory: use fewer --workers"
                ) from error
            raise

    def _started(self) -> "_Processes":
        self._processes = self._processes or _Processes(self.workers)
        return self._processes

    def _end(self) -> None:
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

    def submit(self, function: Callable[[Task], Result], task: Task) -> "Future[Result]":
        with _interrupts_held():  # a process may be started
            return self._pool.submit(function, task)

    def kill(self) -> None:
        self._theirs.close()
        self._pool.shutdown()


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
