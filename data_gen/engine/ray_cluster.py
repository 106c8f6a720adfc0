"""Run tasks on a Ray cluster, on all machines that have joined it.

Data goes through storage that every node sees: shared folders, or URLs. A node needs the driver's
versions of Python and Ray and the packages of the extra `data`; this package is sent to it.
"""

import logging
import os
import statistics
import sys
import time
from contextlib import contextmanager, suppress
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Set

from data_gen.engine.processes import Result, Task
from data_gen.shared.errors import UserError
from data_gen.shared.extras import import_extra

# Times that a task is begun anew when its worker or its node is lost. An error of ours ends the
# run at once.
_RETRIES = 20
_SLOWER = 3  # times the median of the stage: so long may a task run until it is copied
_LOOK = 1.0  # seconds between looks at the clock


class _Attempt(NamedTuple):
    """A task that was handed out."""

    number: int
    start: float


class _Failure(NamedTuple):
    """A UserError on a node."""

    text: str


class RayEngine:
    """The CPUs of a Ray cluster."""

    def __init__(self, address: str = "auto", workers: int = 0, patience: float = 30.0) -> None:
        """Join the cluster at `address`, host:port, or that of this machine (auto).

        workers: most tasks at once; 0 is one a CPU
        patience: seconds below which no task is taken for a straggler

        Raises UserError where it cannot be joined.
        """
        self._ray = _joined(address)
        self._workers = workers
        self._patience = patience

    def expect(self, tasks: int, load: Callable[[Task], object], argument: Task) -> None:
        """Do nothing: the cluster starts its processes."""

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the result of every task, in any order. The first error ends the run.

        When no task is left to begin, those that run long are begun a second time elsewhere; the
        first result counts. Raises UserError where the cluster gives a task up.
        """
        stage = _Stage(self._ray, function, list(tasks))
        try:
            while not stage.done():
                stage.submit(self._workers or _cpus(self._ray), self._patience)
                yield from stage.results()
        finally:
            stage.cancel(list(stage.running))


class _Stage:
    """The tasks of one run."""

    def __init__(self, ray: Any, function: Callable[[Any], Any], tasks: Sequence[Any]) -> None:
        self._ray = ray
        self._call = ray.remote(_call).options(
            num_cpus=1, max_retries=_RETRIES, retry_exceptions=False, scheduling_strategy="SPREAD"
        )
        self._function = function
        self._tasks = tasks
        self._begun = 0  # tasks
        self._copied: Set[int] = set()
        self._seconds: List[float] = []  # of the tasks that are done
        self.running: Dict[Any, _Attempt] = {}

    def done(self) -> bool:
        """Return True if all tasks have results."""
        return self._begun == len(self._tasks) and not self.running

    def submit(self, slots: int, patience: float) -> None:
        """Hand out tasks until `slots` are running."""
        while self._begun < len(self._tasks) and len(self.running) < slots:
            self._begin(self._begun)
            self._begun += 1
        if self._begun == len(self._tasks) and self._seconds:
            late = time.monotonic() - max(_SLOWER * statistics.median(self._seconds), patience)
            slow = {one.number for one in self.running.values() if one.start < late} - self._copied
            for number in sorted(slow)[: max(slots - len(self.running), 0)]:
                self._copied.add(number)
                self._begin(number)

    def _begin(self, number: int) -> None:
        ref = self._call.remote(self._function, self._tasks[number], os.getcwd())
        self.running[ref] = _Attempt(number, time.monotonic())

    def results(self) -> Iterator[Any]:
        """Yield the results that come within a second."""
        done, _ = self._ray.wait(list(self.running), timeout=_LOOK)
        for ref in done:
            attempt = self.running.pop(ref)
            result = _result(self._ray, ref)
            self._seconds.append(time.monotonic() - attempt.start)
            self.cancel([r for r, one in self.running.items() if one.number == attempt.number])
            yield result

    def cancel(self, refs: Sequence[Any]) -> None:
        """End attempts at once."""
        for ref in refs:
            del self.running[ref]
            with suppress(Exception):
                self._ray.cancel(ref, force=True)


def _cpus(ray: Any) -> int:
    """Count the CPUs of all nodes; at least 1, so that a cluster that grows on demand does."""
    return max(1, int(ray.cluster_resources().get("CPU", 0)))


def _joined(address: str) -> Any:
    """Join the cluster. Returns the package ray."""
    ray = import_extra("ray", "ray", "--engine ray")
    if not ray.is_initialized():
        environment = {
            "py_modules": [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))],
            "env_vars": {"TOKENIZERS_PARALLELISM": "false"},
        }
        try:
            with _silence():
                ray.init(
                    address,
                    runtime_env=environment,
                    log_to_driver=False,
                    logging_level=logging.CRITICAL,
                )
        except Exception as error:  # Ray has many kinds
            raise UserError(
                f"cannot join the Ray cluster {address}: {_first_line(error)}: start it, and name "
                "it with --ray-address, as scripts/build_ray.sh does"
            ) from error
        _print_no_logs(ray)
    return ray


def _print_no_logs(ray: Any) -> None:
    """Keep Ray from printing the last lines of a lost node's log on stdout, among our results.

    There is no setting for it: `log_to_driver=False` does not cover these lines. So a private
    function is replaced; a Ray that has it no longer prints them, which harms nothing.
    """
    with suppress(AttributeError):
        ray._private.worker.print_to_stdstream = lambda *args, **kwargs: None


@contextmanager
def _silence() -> Iterator[None]:
    """Keep from stderr what Ray's C++ part writes there while it connects, a line a second."""
    sys.stderr.flush()
    with open(os.devnull, "wb") as nowhere:
        stderr = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _call(function: Callable[[Any], Any], task: Any, folder: str) -> Any:
    """Do a task on a node, in the driver's folder if it is there: paths may be relative to it."""
    import ray

    with suppress(OSError):
        os.chdir(folder)
    try:
        return function(task)
    except UserError as error:
        return _Failure(
            f"{error} (on the node {ray.util.get_node_ip_address()}; every node must see input, "
            "output and models, in shared folders or behind URLs)"
        )


def _result(ray: Any, ref: Any) -> Any:
    try:
        result = ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise UserError(f"Ray gave a task up: {_first_line(error)}") from error
    if isinstance(result, _Failure):
        raise UserError(result.text)
    return result


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".:")
