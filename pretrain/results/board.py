"""Results arranged for comparison: models by tasks, all of a task on the same examples."""

import os
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.shared.errors import UserError
from pretrain.results.files import Results


class Board(NamedTuple):
    """Models in the order given, tasks in the order met, and a model's results on a task."""

    models: Tuple[str, ...]
    tasks: Tuple[str, ...]
    cells: Dict[Tuple[str, str], Results]  # (model, task); a model may lack a task
    parts: Dict[str, str]  # the part that a task's scores are from

    def of_task(self, task: str) -> List[Tuple[str, Results]]:
        """List the models that have a task, with their results."""
        return [(m, self.cells[m, task]) for m in self.models if (m, task) in self.cells]


def make_board(results: Sequence[Results], part: Optional[str] = None) -> Board:
    """Arrange results.

    part: `dev` or `test`; None takes test where all models of a task have it, otherwise dev
    Raises UserError if models of a task were scored on different examples or parts.
    """
    names = _model_names(results)
    cells = {(name, entry.task): entry for name, entry in zip(names, results)}
    tasks = tuple(dict.fromkeys(entry.task for entry in results))
    board = Board(tuple(dict.fromkeys(names)), tasks, cells, {})
    for task in tasks:
        board.parts[task] = _common_part(task, board.of_task(task), part)
    return board


def _model_names(results: Sequence[Results]) -> List[str]:
    """Name each model by its checkpoint; where a task has it twice, by the folder above the task's.

    So two settings of a fine-tuning can be compared, too.
    """
    pairs = [(entry.model, entry.task) for entry in results]
    twice = {model for model, task in pairs if pairs.count((model, task)) > 1}
    return [_folder_name(e) if e.model in twice else e.model for e in results]


def _folder_name(entry: Results) -> str:
    above, name = os.path.split(os.path.normpath(entry.folder))
    return above if name == entry.task and above else os.path.normpath(entry.folder)


def _common_part(task: str, entries: List[Tuple[str, Results]], wanted: Optional[str]) -> str:
    shared = [
        part
        for part in entries[0][1].scored_parts
        if all(part in entry.scored_parts for _, entry in entries)
    ]
    if not shared or (wanted and wanted not in shared):
        raise UserError(
            f"{task}: not all models have scores of {wanted or 'the same part'}: fine-tune all "
            "of them with the same --data"
        )
    part = wanted or shared[0]
    (first, of_first), others = entries[0], entries[1:]
    for model, entry in others:
        if entry.parts.get(part) != of_first.parts.get(part) or entry.measures != of_first.measures:
            raise UserError(
                f"{task}: {first} ({of_first.folder}) and {model} ({entry.folder}) were scored on "
                f"different {part} examples: fine-tune both with the same --data"
            )
    return part
