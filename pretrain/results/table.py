"""Tables of results: one model's runs beside the paper's rows, and models by tasks."""

from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from pretrain.results.board import Board
from pretrain.results.files import Results
from pretrain.results.layout import Table
from pretrain.results.statistics import summary

# A published model's scores in percent, by measure: (maximum, mean if told).
PublishedRow = Mapping[str, Tuple[float, Optional[float]]]
# (task, layers, hidden_size) -> {model: row}; none where the paper has no model of that size.
Published = Callable[[str, int, int], Mapping[str, PublishedRow]]

TITLES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "matthews": "Matthews",
    "exact_match": "EM",
    "f1": "F1",
}
_PAPER = "(paper)"
_AVERAGE = "AVG: over the tasks; EM and F1 are averaged first, as in Table X of the paper."


def seed_table(results: Results, part: str, published: Published) -> Table:
    """Make the table of one model on one task: a row for each seed, `max (mean) +- sd`, and the
    paper's rows of the same size.
    """
    rows = [
        (f"seed {run.seed}", *(f"{100 * run.scores[part][m]:.2f}" for m in results.measures))
        for run in results.runs
    ]
    cells = (_cell(results.of(part, m), digits=2) for m in results.measures)
    rows.append(("max (mean) +- sd", *cells))
    paper = published(results.task, results.layers, results.hidden_size)
    for model, row in paper.items():
        rows.append((f"{model} {_PAPER}", *(_published_cell(row, [m]) for m in results.measures)))
    title = f"{results.task}, {results.model}"
    header = (title, *(TITLES.get(m, m) for m in results.measures))
    return Table(header, tuple(rows), (f"{_origin(part, results)}.", *_paper_notes(bool(paper))))


def matrix(board: Board, published: Published) -> Table:
    """Make the table of models by tasks in the form of HFL's README, with the average of the models
    that have all tasks; the paper's rows come along if all models have one size and all scores are
    of test.
    """
    several = len(board.tasks) > 1
    rows = [_model_row(board, model, several) for model in board.models]
    paper = list(_published_rows(board, published, several))
    header = ("model", *(_task_title(board, task) for task in board.tasks))
    counts = sorted({len(entry.runs) for entry in board.cells.values()})
    runs = f"{counts[0]} to {counts[-1]} runs" if len(counts) > 1 else _runs(counts[0])
    notes = [f"Percent: maximum (mean) +- standard deviation of {runs}.", *_origins(board)]
    notes += [_AVERAGE] if several else []
    columns = (*header, "AVG") if several else header
    return Table(columns, tuple(rows + paper), (*notes, *_paper_notes(bool(paper))))


def _model_row(board: Board, model: str, several: bool) -> Tuple[str, ...]:
    cells, scores = [model], []
    for task in board.tasks:
        entry = board.cells.get((model, task))
        if entry is None:
            cells.append("-")
            continue
        part = board.parts[task]
        cells.append(" / ".join(_cell(entry.of(part, m)) for m in entry.headline))
        each = [summary(entry.of(part, m)) for m in entry.headline]
        scores.append((100 * _mean([s.max for s in each]), 100 * _mean([s.mean for s in each])))
    return (*cells, *_average(scores, board, several))


def _published_rows(board: Board, published: Published, several: bool) -> Iterator[Tuple[str, ...]]:
    sizes = {(entry.layers, entry.hidden_size) for entry in board.cells.values()}
    if len(sizes) > 1 or set(board.parts.values()) != {"test"}:
        return
    by_task = {task: published(task, *next(iter(sizes))) for task in board.tasks}
    headlines = {task: board.of_task(task)[0][1].headline for task in board.tasks}
    for model in dict.fromkeys(model for rows in by_task.values() for model in rows):
        cells, scores = [f"{model} {_PAPER}"], []
        for task in board.tasks:
            row, measures = by_task[task].get(model, {}), headlines[task]
            cells.append(_published_cell(row, measures))
            if all(m in row for m in measures):
                means = [row[m][1] for m in measures]
                told = [mean for mean in means if mean is not None]
                mean = _mean(told) if len(told) == len(means) else None
                scores.append((_mean([row[m][0] for m in measures]), mean))
        yield (*cells, *_average(scores, board, several))


def _average(
    scores: Sequence[Tuple[float, Optional[float]]], board: Board, several: bool
) -> List[str]:
    """The cell of the average: none for one task, `-` for a model that lacks a task."""
    if not several:
        return []
    if len(scores) < len(board.tasks):
        return ["-"]
    means = [mean for _, mean in scores if mean is not None]
    text = _half_up(_mean([most for most, _ in scores]))
    return [f"{text} ({_half_up(_mean(means))})" if len(means) == len(scores) else text]


def _half_up(value: float) -> str:
    """Round as the paper does: its 87.175 is 87.18, whatever the sum of floats makes of it."""
    return f"{value + 1e-9:.2f}"


def _cell(values: Sequence[float], digits: int = 1) -> str:
    """Write `max (mean) +- sd` in percent; one run has no sd."""
    found = summary([100 * value for value in values])
    text = f"{found.max:.{digits}f} ({found.mean:.{digits}f})"
    return text if found.sd is None else f"{text} +- {found.sd:.{digits}f}"


def _published_cell(row: PublishedRow, measures: Sequence[str]) -> str:
    if not any(m in row for m in measures):
        return "-"
    return " / ".join(_published_score(*row[m]) if m in row else "-" for m in measures)


def _published_score(most: float, mean: Optional[float]) -> str:
    return f"{most:.1f}" if mean is None else f"{most:.1f} ({mean:.1f})"


def _paper_notes(present: bool) -> Tuple[str, ...]:
    return (f"{_PAPER}: maximum (mean) of 10 runs on the paper's test set.",) if present else ()


def _task_title(board: Board, task: str) -> str:
    measures = board.of_task(task)[0][1].headline
    return (
        task if len(measures) == 1 else f"{task} {' / '.join(TITLES.get(m, m) for m in measures)}"
    )


def _origins(board: Board) -> List[str]:
    """Say which part the scores are from and how the epoch was chosen, tasks alike in one line."""
    tasks: Dict[str, List[str]] = {}
    for task in board.tasks:
        for model, entry in board.of_task(task):
            tasks.setdefault(_origin(board.parts[task], entry), []).append(f"{task} of {model}")
    if len(tasks) == 1:
        return [f"All {origin}." for origin in tasks]
    return [f"{', '.join(_shortened(names, board))}: {origin}." for origin, names in tasks.items()]


def _shortened(names: List[str], board: Board) -> Iterator[str]:
    """Name a task alone where all of its models are named."""
    for task in board.tasks:
        all_of_task = [f"{task} of {model}" for model, _ in board.of_task(task)]
        named = [name for name in all_of_task if name in names]
        yield from [task] if named == all_of_task else named


def _origin(part: str, results: Results) -> str:
    if results.chosen_on is None:
        why = "no epoch was chosen" if "dev" in results.parts else "there is no dev part"
        return f"scores from {part}; last epoch: {why}"
    chosen = f"best epoch chosen on {results.chosen_on}, never on test"
    if part == results.chosen_on:
        chosen += f" (so scores of {part} are a little too high)"
    return f"scores from {part}; {chosen}"


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
