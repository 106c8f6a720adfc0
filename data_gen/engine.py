"""Runs pure tasks: in this process, or in several.

A task is a picklable argument of a module-level function. Results come back as they finish; data
goes through files.
"""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Callable, Iterable, Iterator, Protocol, Sequence, Set, TypeVar

from data_gen.settings import UserError

Task = TypeVar("Task")
Result = TypeVar("Result")


class Engine(Protocol):
    """What runs the tasks of a command."""

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the result of every task, in any order. The first error ends the run."""


class LocalEngine:
    """Processes of this machine. With one worker everything runs in this process."""

    def __init__(self, workers: int = 0) -> None:
        """Use `workers` processes; 0 is one a core."""
        self.workers = workers or os.cpu_count() or 1

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the result of every task, in any order. The first error ends the run.

        Raises UserError where a worker was killed.
        """
        tasks = list(tasks)
        if self.workers == 1 or len(tasks) <= 1:
            yield from map(function, tasks)
            return
        try:
            yield from _in_processes(function, tasks, min(self.workers, len(tasks)))
        except BrokenProcessPool as error:
            raise UserError(
                "a worker was killed, perhaps for want of memory: use fewer --workers"
            ) from error


def _in_processes(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[Result]:
    # Spawned, not forked: the tokenizer's threads and a forked lock of theirs would hang.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    with ours, theirs, ProcessPoolExecutor(workers, context, _end_with_pipe, (ours,)) as pool:
        with _interrupts_held():
            pending: Set[Future[Result]] = {pool.submit(function, task) for task in tasks}
        try:
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            theirs.close()  # nobody waits for tasks that are under way
            raise


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back; processes that are started meanwhile never see it.

    A terminal sends it to all processes, and this one answers for all.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _end_with_pipe(pipe: Connection) -> None:
    """End this worker, whatever it is at, when the other end of the pipe is closed: by its parent,
    or with it. A killed build must not go on writing.
    """

    def watch() -> None:
        pipe.poll(None)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
