"""The entry of the table of tasks, and the files of a task in a folder."""

import os
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from data_gen.shared.errors import UserError
from pretrain.tasks.published import Figures
from pretrain.tasks.read_rows import PACKINGS

_SHOWN = 12  # names of files in a sentence


class Task(NamedTuple):
    """A task that a checkpoint is fine-tuned on."""

    title: str
    objective: str  # a name in the trainer's table: "classification" or "span"
    files: Mapping[str, Tuple[str, ...]]  # "train", "dev", "test" -> its names, the best first
    read: Callable[[str], List[Any]]  # path -> TextExamples or Questions, as the objective needs
    measures: Tuple[str, ...]  # the first one chooses the best epoch
    preset: str  # a file of configs/finetune, without .yaml
    labels: Optional[Tuple[str, ...]] = None  # in order; None: those of the training data
    # Model -> measure -> the test part's (maximum, mean) in percent; `published.rows` by size.
    published: Mapping[str, Mapping[str, Figures]] = {}


def find_parts(task: Task, folder: str, asked: Sequence[str] = ("train",)) -> Dict[str, str]:
    """Return the path of each part of a task that the folder has, packed or not: the first of its
    names that is there.

    Raises UserError if one of the parts `asked` is missing.
    """
    try:
        present = sorted(os.listdir(folder))
    except OSError as error:
        raise UserError(f"cannot read the folder {folder}: {error.strerror}") from error
    found = {}
    for part, names in task.files.items():
        paths = [os.path.join(folder, name + end) for name in names for end in ("", *PACKINGS)]
        path = next(filter(os.path.isfile, paths), None)
        if path is not None:
            found[part] = path
    for part in asked:
        if part not in found:
            raise UserError(
                f"{folder} has no {part} part of {task.title}, which is {_listed(task.files[part])}"
                f" (or that with {', '.join(PACKINGS)}); it has "
                f"{_listed(present) if present else 'no files at all'}"
            )
    return found


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
