"""Files that a fine-tuning leaves: `results.json`, and for each run the predictions."""

import json
import os
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.shared.errors import UserError
from pretrain.runtime import files

FORMAT = 1
NAME = "results.json"
# The measures that every example has, and their keys in a line of the predictions.
BY_EXAMPLE = {"accuracy": "right", "exact_match": "exact_match", "f1": "f1"}

Scores = Dict[str, float]  # by measure, from 0 to 1; Matthews' coefficient from -1


class Run(NamedTuple):
    """One run: its seed and the scores of the chosen epoch, by part (`dev`, `test`)."""

    seed: int
    scores: Dict[str, Scores]


class Results(NamedTuple):
    """The runs of one model on one task."""

    folder: str
    task: str
    model: str
    layers: int
    hidden_size: int
    measures: Tuple[str, ...]
    chosen_on: Optional[str]  # the part that the best epoch is chosen on; None: the last counts
    parts: Dict[str, str]  # what tells the examples of each part, as their file's sha256
    runs: Tuple[Run, ...]

    @property
    def seeds(self) -> List[int]:
        """The seeds of the runs."""
        return [run.seed for run in self.runs]

    @property
    def scored_parts(self) -> List[str]:
        """The parts that every run has scores of: `test`, `dev` or both."""
        return [part for part in ("test", "dev") if all(part in run.scores for run in self.runs)]

    @property
    def headline(self) -> Tuple[str, ...]:
        """The measures of the tables: those that every example has; if there are none, the first.

        The score of a task is their mean: EM and F1 are averaged, as in Table X of the paper.
        """
        return tuple(m for m in self.measures if m in BY_EXAMPLE) or self.measures[:1]

    def of(self, part: str, measure: str) -> List[float]:
        """Return the scores of all runs."""
        return [run.scores[part][measure] for run in self.runs]

    def headlines(self, part: str) -> Dict[int, float]:
        """Return the score of the task for each seed: see `headline`."""
        return {
            run.seed: sum(run.scores[part][m] for m in self.headline) / len(self.headline)
            for run in self.runs
        }


def find_results(folders: Sequence[str]) -> List[Results]:
    """Read the results in each folder or in the folders below it, sorted by name.

    Raises UserError for a folder without any, or with unfinished or damaged ones.
    """
    nothing = (
        f"no {NAME} in it: pass the --output folder of a fine-tuning, or a folder that holds some"
    )
    return [read_results(path) for path in find_folders(folders, _folders_with_runs, nothing)]


def find_folders(
    paths: Sequence[str], inside: Callable[[str], Iterator[str]], nothing: str
) -> List[str]:
    """List the folders that `inside` finds in each path, each folder once, in their order.

    nothing: what is wrong with a path that holds none, for the UserError
    """
    found: Dict[str, str] = {}
    for path in paths:
        some = list(inside(path))
        if not some:
            raise UserError(f"{path}: {nothing}")
        for folder in some:
            found.setdefault(folder if files.is_url(folder) else os.path.realpath(folder), folder)
    return list(found.values())


def read_results(folder: str) -> Results:
    """Read the results of one model on one task.

    Raises UserError if they are absent, unfinished, damaged, or of another format.
    """
    path = os.path.join(folder, NAME)
    if not os.path.exists(path):
        if _run_folders(folder):
            raise UserError(f"{folder}: not finished, no {NAME} yet: run the same finetune again")
        raise UserError(f"{folder}: no {NAME}: pass the --output folder of a fine-tuning")
    content = _json(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(
            f"{path}: not format {FORMAT} of `finetune`: read it with the version that wrote it"
        )
    try:
        results = _parse(folder, content)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: damaged ({type(error).__name__}: {error}): run the same finetune again"
        ) from error
    _require_whole(results, content)
    return results


def read_scores(results: Results, part: str, seed: int) -> Dict[str, Scores]:
    """Read the scores of each example of a run: {id: {measure: score}}.

    part: `dev` or `test`
    Raises UserError if the predictions are absent, damaged, or not those of the results.
    """
    path = os.path.join(results.folder, f"run-{seed}", f"predictions-{part}.jsonl")
    if not os.path.exists(path):
        raise UserError(f"{path}: no such file: the tests need it; run the same finetune again")
    measures = [m for m in results.headline if m in BY_EXAMPLE]
    scores: Dict[str, Scores] = {}
    with open(path, encoding="utf-8", errors="replace") as handle:
        for number, line in enumerate(handle, 1):
            try:
                values = json.loads(line)
                row = {m: _share(values[BY_EXAMPLE[m]]) for m in measures}
                name = str(values["id"])
            except (KeyError, TypeError, ValueError):
                raise UserError(
                    f"{path}, line {number}: damaged: run the same finetune again"
                ) from None
            if name in scores:
                raise UserError(f"{path}, line {number}: id {name} is there twice: make ids unique")
            scores[name] = row
    _require_agreement(results, part, seed, scores, path)
    return scores


def _folders_with_runs(folder: str) -> Iterator[str]:
    for path, folders, names in os.walk(folder, followlinks=True):
        runs = _run_folders(path)
        if NAME in names or runs:
            yield path
        folders[:] = sorted(set(folders) - set(runs))


def _run_folders(folder: str) -> List[str]:
    """Names of the folders `run-SEED`."""
    if not os.path.isdir(folder):
        return []
    return [
        name
        for name in os.listdir(folder)
        if name.startswith("run-") and name[4:].isdigit() and os.path.isdir(f"{folder}/{name}")
    ]


def _json(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as handle:
            return json.load(handle)
    except ValueError as error:
        raise UserError(f"{path}: damaged, no JSON: run the same finetune again") from error


def _parse(folder: str, content: Dict[str, Any]) -> Results:
    model, measures = content["model"], tuple(_listed(content["measures"], _text))
    runs = tuple(_listed(content["runs"], lambda run: _run(run, measures)))
    if not measures or len({run.seed for run in runs}) < len(runs):
        raise ValueError("no measures, or a seed twice")
    return Results(
        folder,
        _text(content["task"]),
        _text(model["name"]),
        int(model["layers"]),
        int(model["hidden_size"]),
        measures,
        None if content["chosen_on"] is None else _text(content["chosen_on"]),
        _parts(content["parts"]),
        runs,
    )


def _parts(content: Dict[str, Any]) -> Dict[str, str]:
    """Return what tells the examples of each part. A part that was split from the training part has
    no file of its own: that part's, and their number, which follows from the share, stand for it.
    """

    def told(part: Dict[str, Any]) -> str:
        if part["sha256"] is None:
            return f"{int(part['examples'])} of {_text(content['train']['sha256'])}"
        return _text(part["sha256"])

    return {_text(name): told(part) for name, part in content.items()}


def _run(content: Dict[str, Any], measures: Sequence[str]) -> Run:
    scores = {
        part: {m: _share(content[part][m], least=-1.0) for m in measures}
        for part in ("dev", "test")
        if content.get(part) is not None
    }
    return Run(int(content["seed"]), scores)


def _listed(value: Any, parse: Callable[[Any], Any]) -> List[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{str(value)[:40]} is no list")
    return [parse(entry) for entry in value]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]} is no text")
    return value


def _share(value: Any, least: float = 0.0) -> float:
    if not least <= float(value) <= 1:
        raise ValueError(f"{value} is not a score up to 1")
    return float(value)


def _require_whole(results: Results, content: Dict[str, Any]) -> None:
    asked = content.get("settings", {}).get("runs", 0)
    started = {int(name[4:]) for name in _run_folders(results.folder)} | set(results.seeds)
    wanted = max(1, len(started), asked if isinstance(asked, int) else 0)
    if len(results.runs) < wanted:
        raise UserError(
            f"{results.folder}: not finished, {len(results.runs)} of {wanted} runs: "
            "run the same finetune again"
        )
    if not results.scored_parts:
        raise UserError(f"{results.folder}: some runs have no scores: run the same finetune again")


def _require_agreement(
    results: Results, part: str, seed: int, scores: Dict[str, Scores], path: str
) -> None:
    told = next(run.scores[part] for run in results.runs if run.seed == seed)
    for measure in results.headline if scores else ():
        found = sum(row.get(measure, 0.0) for row in scores.values()) / len(scores)
        if measure in BY_EXAMPLE and abs(found - told[measure]) > 1e-3:
            raise UserError(
                f"{path}: {measure} {found:.4f}, but {NAME} says {told[measure]:.4f}: they are of "
                "different runs; run finetune again into a new folder"
            )
