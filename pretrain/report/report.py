"""All that a report says, before it becomes a page or text."""

from typing import List, NamedTuple, Sequence, Tuple

from data_gen.shared.errors import UserError
from pretrain.report.charts import Chart, make_charts
from pretrain.report.facts import (
    Data,
    Row,
    course_rows,
    data_sets,
    figure_rows,
    notes,
    setting_rows,
)
from pretrain.report.runs import Run, find
from pretrain.results.files import Results
from pretrain.results.layout import Table
from pretrain.results.report import table_and_sentences
from pretrain.tasks.published import rows as published


class Report(NamedTuple):
    """The content of a report on some runs; a row has a value for each of them."""

    runs: Tuple[Run, ...]
    charts: Tuple[Chart, ...]
    course: Tuple[Row, ...]
    figures: Tuple[Row, ...]
    differ: Tuple[Row, ...]  # settings that the runs do not have in common
    common: Tuple[Row, ...]
    data: Tuple[Data, ...]
    finetunings: Tuple[Table, ...]
    sentences: Tuple[str, ...]  # on the fine-tunings
    notes: Tuple[str, ...]

    @property
    def title(self) -> str:
        """The names of the runs; of fine-tunings alone, their tasks."""
        names = [run.name for run in self.runs] or [table.header[0] for table in self.finetunings]
        return " · ".join(names)


def make_report(paths: Sequence[str]) -> Report:
    """Read the runs in some folders and below them. Raises UserError for a folder without any."""
    found = find(paths)
    runs, charts = found.runs, make_charts(found.runs)
    drawn = [chart for chart in charts if chart.values]
    differ, common = setting_rows(runs)
    tables, sentences, more = _finetunings(found.results)
    return Report(
        runs,
        tuple(drawn),
        tuple(course_rows(runs)),
        tuple(figure_rows(drawn, runs)),
        tuple(differ),
        tuple(common),
        tuple(data_sets(runs)),
        tuple(tables),
        tuple(sentences),
        (*found.notes, *more, *notes(charts, runs)),
    )


def _finetunings(results: Sequence[Results]) -> Tuple[List[Table], List[str], List[str]]:
    """Return tables, sentences and notes as `results` gives them: models side by side, or each by
    itself where they cannot be compared.
    """
    if not results:
        return [], [], []
    try:
        table, sentences = table_and_sentences(results, None, published)
        return [table], sentences, []
    except UserError as error:
        alone = [table_and_sentences([one], None, published)[0] for one in results]
        return alone, [], [str(error)]
