"""Runs pure tasks: in this process, or in several.

A task is a picklable argument of a module-level function. Results come back as they finish; data
goes through files.
"""

import multiprocessing
import os
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Callable, Iterable, Iterator, Set, TypeVar

from data_gen.settings import UserError

Task = TypeVar("Task")
Result = TypeVar("Result")


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
        # Spawned, not forked: the tokenizer's threads and a forked lock of theirs would hang.
        context = multiprocessing.get_context("spawn")
        workers = min(self.workers, len(tasks))
        with ProcessPoolExecutor(
            workers, mp_context=context, initializer=_end_with, initargs=(os.getpid(),)
        ) as pool:
            pending: Set[Future[Result]] = {pool.submit(function, task) for task in tasks}
            try:
                while pending:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            except BrokenProcessPool as error:
                raise UserError(
                    "a worker was killed, perhaps for want of memory: run the same command "
                    "again, it goes on from "
                    "what is whole; with fewer --workers it needs less memory"
                ) from error
            finally:
                for future in pending:
                    future.cancel()


def _end_with(parent: int) -> None:
    """End this worker when its parent is gone: a killed build must not go on writing."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
