"""Run a list of tasks, each exactly once: the manifest of a task marks it as done."""

import os
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence, cast

from data_gen.core.progress import Amount, Progress
from data_gen.engine.processes import Engine
from data_gen.shared.errors import UserError
from data_gen.storage.folders import list_names
from data_gen.storage.reading import is_file, read_json
from data_gen.storage.writing import write_json


class TaskResult(NamedTuple):
    """The manifest of a task, and the amount of its work for the report of progress."""

    name: str  # the end of the task's stem
    manifest: Dict[str, Any]
    amount: Amount  # with bytes of text, or of the shard


def run_once(stem: str, work: Callable[[], Dict[str, Any]]) -> Dict[str, Any]:
    """Run a task unless its manifest exists already, from an earlier attempt or a speculative copy.
    Return the manifest.
    """
    path = f"{stem}.json"
    if is_file(path):
        return cast(Dict[str, Any], read_json(path))
    manifest = work()
    write_json(path, manifest)
    return manifest


def run_tasks(
    title: str,
    work: str,
    tasks: Sequence[Any],
    run: Callable[[Any], TaskResult],
    engine: Engine,
    show: Progress,
) -> List[Dict[str, Any]]:
    """Run the tasks whose manifest is missing. Return all manifests, in the order of the tasks."""
    there = set(list_names(work))
    names = [os.path.basename(task.stem) for task in tasks]
    missing = [task for task, name in zip(tasks, names) if f"{name}.json" not in there]
    with resumable():
        results = show(title, len(missing), engine.run(run, missing), lambda done: done.amount)
        new = {done.name: done.manifest for done in results}
    return [
        new[name] if name in new else read_json(os.path.join(work, f"{name}.json"))
        for name in names
    ]


@contextmanager
def resumable() -> Iterator[None]:
    """Add to a UserError of the block that finished work is kept, and how to resume."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{error}; run the same command again to resume") from error
