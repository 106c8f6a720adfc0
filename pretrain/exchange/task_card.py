"""The sections of a model card that are of a fine-tuned model: its task and its measures.

All facts are read from the files of the run and of the folder above it; without them a section is
empty.
"""

import json
import os
from typing import Any, Dict, List, Sequence, Tuple

from pretrain.checkpoint.folder import FINETUNE, RESULT
from pretrain.exchange.release import Release
from pretrain.runtime import files
from pretrain.tasks.tasks import TASKS


def task_rows(release: Release) -> List[Tuple[str, str]]:
    """Return rows (text, value): the task, and the labels in the order of their numbers."""
    rows = []
    name = _task(release)
    if name:
        rows.append(("task", TASKS[name].title if name in TASKS else name))
    if release.settings.labels:
        rows.append(("labels", ", ".join(f"`{label}`" for label in release.settings.labels)))
    return rows


def measured(release: Release) -> Tuple[str, List[str], List[List[str]]]:
    """Return a sentence about the measures of the run, and the head and the rows of their table;
    no rows if the run has none, or the checkpoint is not that of its chosen epoch.
    """
    result = _read(os.path.join(release.folder, RESULT))
    parts = [part for part in ("dev", "test") if result.get(part)]
    if not parts or result.get("best_step") != release.step:
        return "", [], []
    names = _measures(_task(release), result[parts[0]])
    rows = [[name, *(_number(result[part].get(name)) for part in parts)] for name in names]
    return _chosen(result), ["measure", *parts], rows


def _chosen(result: Dict[str, Any]) -> str:
    epoch, seed = result.get("best_epoch"), result.get("seed")
    epochs = len(result.get("epochs") or [])
    if not epochs:
        return f"One run, seed {seed}; its last epoch counts, {epoch}."
    return f"One run, seed {seed}; epoch {epoch} of {epochs}, chosen on dev, never on test."


def _measures(task: str, figures: Dict[str, Any]) -> Sequence[str]:
    """Return the names of the measures: those of the task, else all that are numbers."""
    if task in TASKS:
        return TASKS[task].measures
    return [name for name, value in figures.items() if isinstance(value, float)]


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else ""


def _task(release: Release) -> str:
    return str(_read(os.path.join(os.path.dirname(release.folder), FINETUNE)).get("task", ""))


def _read(path: str) -> Dict[str, Any]:
    """Read a file of JSON; empty if there is none, or it is damaged."""
    try:
        found = json.loads(files.read_text(path)) if files.exists(path) else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
