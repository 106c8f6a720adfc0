"""Do a list of tasks, each exactly once: a manifest beside its output says that it is done."""

import os
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence, cast

from data_gen.core.progress import Progress
from data_gen.engine.processes import Engine
from data_gen.shared.errors import UserError
from data_gen.storage.folders import list_names
from data_gen.storage.reading import is_file, read_json
from data_gen.storage.writing import write_json


class TaskResult(NamedTuple):
    """What a task tells: its manifest, and how much that was."""

    name: str  # the end of the task's stem
    manifest: Dict[str, Any]
    documents: int
    bytes: int  # of text, or of the shard
    instances: int


def run_once(stem: str, work: Callable[[], Dict[str, Any]]) -> Dict[str, Any]:
    """The manifest of a task, which is done unless it was: by an attempt that could not tell
    before its node was lost, or by its copy.
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
    """Run the tasks whose manifest is missing; return all manifests, in the order of the tasks."""
    there = set(list_names(work))
    names = [os.path.basename(task.stem) for task in tasks]
    missing = [task for task, name in zip(tasks, names) if f"{name}.json" not in there]
    with resumable():
        new = {
            done.name: done.manifest for done in show(title, len(missing), engine.run(run, missing))
        }
    return [
        new[name] if name in new else read_json(os.path.join(work, f"{name}.json"))
        for name in names
    ]


@contextmanager
def resumable() -> Iterator[None]:
    """Say of an error that what was done before is kept."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{error}; the same command then goes on from what is whole") from error
