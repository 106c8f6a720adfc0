"""The runs that a report is about, read as far as they are there: a training may be in progress."""

import dataclasses
import os
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.shared.errors import UserError
from pretrain.checkpoint.folder import (
    EVALUATIONS,
    FINETUNE,
    METRICS,
    RUN,
    read_journal,
    read_run,
)
from pretrain.config import TrainConfig
from pretrain.learning.stages import StageConfig
from pretrain.report.numbers import finite, is_step
from pretrain.results.files import NAME, Results, find_folders, read_results
from pretrain.runtime import files

Line = Dict[str, Any]  # of a journal


class StageOf(NamedTuple):
    """A stage of a training: steps `[first_step, last_step)`, sequences a step, pieces of each."""

    first_step: int
    last_step: int
    batch_size: int
    length: Optional[int]

    @property
    def tokens(self) -> Optional[int]:
        """Pieces of a step, padding included."""
        return self.batch_size * self.length if self.length else None


class Run(NamedTuple):
    """A training: its journals, each step once and in order, and its run.json."""

    name: str
    folder: str
    steps: Tuple[Line, ...]
    evaluations: Tuple[Line, ...]
    about: Dict[str, Any]  # empty if there is none
    stages: Tuple[StageOf, ...]  # none if they are not known

    @property
    def last_step(self) -> int:
        """The last step that is written down."""
        return max((line["step"] for line in (*self.steps[-1:], *self.evaluations[-1:])), default=0)

    @property
    def settings(self) -> Dict[str, Any]:
        """The settings of run.json."""
        return _dict(self.about.get("config"))

    def tokens(self, step: float) -> Optional[float]:
        """Return the pieces seen up to a step, padding included; None if that is not known."""
        seen = 0.0
        for number, stage in enumerate(self.stages):
            if stage.tokens is None:
                return None
            last = number == len(self.stages) - 1
            end = step if last else min(step, stage.last_step)
            seen += max(0.0, end - stage.first_step) * stage.tokens
        return seen if self.stages else None

    def seconds(self) -> float:
        """Return the time of the steps that are written down, without evaluations; 0 if it is not
        known.
        """
        total, before = 0.0, 0.0
        for line in self.steps:
            speed, after = finite(line.get("tokens_per_second")), self.tokens(line["step"])
            if speed and after is not None:
                total += (after - before) / speed
                before = after
        return total


class Found(NamedTuple):
    """All that a report is about, and sentences on what is left out."""

    runs: Tuple[Run, ...]
    results: Tuple[Results, ...]
    notes: Tuple[str, ...]


def find(paths: Sequence[str]) -> Found:
    """Read the trainings and the fine-tunings in each folder and below it.

    Raises UserError for a path without any, and if nothing is written down yet.
    """
    nothing = (
        "it holds no training and no fine-tuning: give the --output of `train` or of `finetune`, "
        "or a folder that holds some"
    )
    folders = find_folders(paths, _folders, nothing)
    results, notes = _finetunings([folder for folder in folders if _is_finetuning(folder)])
    runs = [_read(folder, name) for folder, name in _named(folders) if not _is_finetuning(folder)]
    started = [run for run in runs if run.steps or run.evaluations]
    notes += [
        f"{run.folder}: no step is written down yet: try again later"
        for run in runs
        if run not in started
    ]
    if not started and not results:
        raise UserError(notes[0])
    return Found(tuple(started), tuple(results), tuple(notes))


def _folders(path: str) -> Iterator[str]:
    """List the folders of trainings and of fine-tunings, `path` itself and those in it. The runs of
    a fine-tuning are parts of it.
    """
    if files.is_url(path):
        if _is_training(files.names(path)):
            yield path.rstrip("/")
        return
    if os.path.isfile(path):
        raise UserError(f"{path} is a file: give the folder that it lies in")
    for folder, inside, names in os.walk(path):
        finetuning = _is_finetuning(folder)
        if finetuning or _is_training(names):
            yield folder
        inside[:] = [] if finetuning else sorted(inside)


def _is_training(names: Sequence[str]) -> bool:
    return METRICS in names or EVALUATIONS in names or RUN in names


def _is_finetuning(folder: str) -> bool:
    there = [os.path.exists(os.path.join(folder, name)) for name in (FINETUNE, NAME, RUN, METRICS)]
    return any(there[:2]) and not any(there[2:])


def _finetunings(folders: Sequence[str]) -> Tuple[List[Results], List[str]]:
    """Read the results of fine-tunings, and say which have none yet."""
    results, notes = [], []
    for folder in folders:
        try:
            results.append(read_results(folder))
        except UserError as error:
            notes.append(str(error))
    return results, notes


def _named(folders: Sequence[str]) -> Iterator[Tuple[str, str]]:
    """Name each folder by the end of its path that the others do not have."""
    parts = [
        folder.split("://")[-1].split("/")
        if files.is_url(folder)
        else os.path.abspath(folder).strip(os.sep).split(os.sep)
        for folder in folders
    ]
    for folder, own in zip(folders, parts):
        length = 1
        while length < len(own) and sum(other[-length:] == own[-length:] for other in parts) > 1:
            length += 1
        yield folder, "/".join(own[-length:]) or folder


def _read(folder: str, name: str) -> Run:
    about = read_run(folder)
    return Run(
        name,
        folder,
        _in_order(read_journal(folder, METRICS)),
        _in_order(read_journal(folder, EVALUATIONS)),
        about,
        _stages(about),
    )


def _in_order(lines: Sequence[Line]) -> Tuple[Line, ...]:
    """Return the lines with each step once: those that come again were taken back by a crash."""
    kept: List[Line] = []
    for line in lines:
        if is_step(line["step"]):
            while kept and kept[-1]["step"] >= line["step"]:
                kept.pop()
            kept.append(line)
    return tuple(kept)


def _stages(about: Dict[str, Any]) -> Tuple[StageOf, ...]:
    """Read the stages of a run.json; none from one that another version wrote otherwise."""
    settings, data = _dict(about.get("config")), about.get("data_statistics") or []
    known = [field.name for field in dataclasses.fields(TrainConfig)]
    try:
        values = {name: settings[name] for name in known if name in settings}
        values["stages"] = [StageConfig(**stage) for stage in settings.get("stages") or []]
        stages = TrainConfig(**values).resolved_stages() if settings else []
        lengths = [stage.max_seq_length for stage in stages]
        lengths = [own or _length(data, number) for number, own in enumerate(lengths)]
        return tuple(
            StageOf(stage.first_step, stage.last_step, stage.train_batch_size, length)
            for stage, length in zip(stages, lengths)
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return ()


def _length(data: Any, stage: int) -> Optional[int]:
    of_stage = _dict(data[stage]) if isinstance(data, list) and stage < len(data) else {}
    length = of_stage.get("max_seq_length")
    return length if isinstance(length, int) else None


def _dict(value: Any) -> Dict[str, Any]:
    return value if isinstance(value, dict) else {}
