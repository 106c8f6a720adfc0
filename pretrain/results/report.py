"""The whole answer to a list of results: as text, as Markdown, or for programs."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

from pretrain.results.board import make_board
from pretrain.results.compare import as_values, compare, sentences
from pretrain.results.files import Results
from pretrain.results.layout import Table, as_markdown, as_text
from pretrain.results.statistics import summary
from pretrain.results.table import Published, matrix, seed_table


def text_report(
    results: Sequence[Results], part: Optional[str], published: Published, markdown: bool
) -> str:
    """Write the seeds of a single model and task; otherwise models by tasks, and their differences.

    part: `dev` or `test`; None: test where all models of a task have it
    """
    write, between = (as_markdown, "\n\n") if markdown else (as_text, "\n")
    table, found = table_and_sentences(results, part, published)
    return f"{write(table)}\n\n{between.join(found)}" if found else write(table)


def table_and_sentences(
    results: Sequence[Results], part: Optional[str], published: Published
) -> Tuple[Table, List[str]]:
    """Make the table of `text_report`, and the sentences on the differences between models."""
    board = make_board(results, part)
    if len(results) == 1:
        return seed_table(results[0], board.parts[results[0].task], published), []
    return matrix(board, published), sentences(compare(board))


def json_report(results: Sequence[Results], part: Optional[str]) -> Dict[str, Any]:
    """Return scores from 0 to 1, summaries and comparisons, for JSON."""
    board = make_board(results, part)
    return {
        "results": [
            _values(model, entry, board.parts[task]) for (model, task), entry in board.cells.items()
        ],
        "comparisons": [as_values(comparison) for comparison in compare(board)],
    }


def _values(model: str, entry: Results, part: str) -> Dict[str, Any]:
    return {
        "task": entry.task,
        "model": model,
        "folder": entry.folder,
        "part": part,
        "chosen_on": entry.chosen_on,
        "seeds": {str(run.seed): run.scores[part] for run in entry.runs},
        "summary": {m: dict(summary(entry.of(part, m))._asdict()) for m in entry.measures},
    }
