"""Lines of text for fine-tuned models, and their answers as the JSON of `predict --json`.

Both forms begin with `line`, its number in the input from 1, and `task`, the objective.

A classification: a line is a text, or a pair of texts with a tab between.

    text, second     `second` only of a pair
    result           the most probable label, with its probability
    labels           all labels with their probabilities, best first
    truncated        True if the end of a text was cut off, as in the training

A span: a line is a question, a tab, and the paragraph with its answer (the rest of the line).

    question, text   the text is the paragraph
    result           the answer, with its start, stop (characters of the paragraph, half-open) and
                     probability among the best ones; all null if there is none
    nbest            the best answers, each the same way
"""

from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence

import numpy as np

from data_gen.shared.errors import UserError
from pretrain.finetune.config import FinetuneSettings
from pretrain.finetune.labels import probabilities
from pretrain.finetune.rows import Row
from pretrain.finetune.spans import span_predictions
from pretrain.predict.predictor import rounded, share
from pretrain.tasks.examples import Example, Question, TextExample

_ANSWER = ("text", "start", "stop", "probability")


class Rows(NamedTuple):
    """The rows of some examples with the model's scores; see `finetune.kinds`."""

    examples: Sequence[Any]
    rows: Sequence[Row]
    scores: List[np.ndarray]  # of each row
    tokenizer: Any
    labels: Sequence[str]
    settings: FinetuneSettings


class TaskLines(NamedTuple):
    """The lines of a kind of task.

    parse:    (text of a line, its number) -> the example
    answers:  -> the answer to each example, without `line` and `task`
    as_lines: (answer) -> lines for people
    """

    parse: Callable[[str, int], Example]
    answers: Callable[[Rows], List[Dict[str, Any]]]
    as_lines: Callable[[Dict[str, Any]], Iterator[str]]


def _parse_texts(text: str, number: int) -> TextExample:
    parts = text.split("\t")
    if len(parts) > 2:
        raise UserError(
            f"line {number} has {len(parts)} columns: give one text, or two with a tab between"
        )
    return TextExample(str(number), parts[0], parts[1] if len(parts) == 2 else None, None)


def _labels_of(given: Rows) -> List[Dict[str, Any]]:
    found: List[Dict[str, Any]] = [{} for _ in given.examples]
    for row, scores in zip(given.rows, given.scores):
        example, shares = given.examples[row.example], probabilities(scores)
        order = np.argsort(-shares, kind="stable").tolist()
        labels = [{"label": given.labels[i], "probability": rounded(shares[i])} for i in order]
        found[row.example] = {
            "text": example.text,
            **({} if example.second is None else {"second": example.second}),
            "result": labels[0]["label"],
            "probability": labels[0]["probability"],
            "labels": labels,
            "truncated": _is_truncated(given, row),
        }
    return found


def _is_truncated(given: Rows, row: Row) -> bool:
    """Return True if pieces had no room. Only the texts of full rows are tokenized again."""
    length = given.settings.max_seq_length
    if len(row.ids) < length:
        return False
    example = given.examples[row.example]
    texts = [text for text in (example.text, example.second) if text is not None]
    pieces = sum(len(ids) for ids, _ in given.tokenizer.encode(texts))
    return pieces > length - 1 - len(texts)


def _label_lines(found: Dict[str, Any]) -> Iterator[str]:
    texts = [found[name] for name in ("text", "second") if name in found]
    yield "\t".join([f"{found['result']} {share(found['probability'])}", *texts])


def _parse_question(text: str, number: int) -> Question:
    question, tab, context = text.partition("\t")
    if not tab:
        raise UserError(
            f"line {number} has no tab: give a question, a tab and the paragraph with its answer"
        )
    return Question(str(number), question, context, (), -1)


def _spans_of(given: Rows) -> List[Dict[str, Any]]:
    rows = [row.description for row in given.rows]
    predictions = span_predictions(given.scores, rows, given.examples, given.labels, given.settings)
    found = []
    for example, prediction in zip(given.examples, predictions):
        best = [_answer(one) for one in prediction["nbest"]]
        first = dict(best[0] if best else dict.fromkeys(_ANSWER))
        about = {"question": example.question, "text": example.context}
        found.append({**about, "result": first.pop("text"), **first, "nbest": best})
    return found


def _answer(one: Dict[str, Any]) -> Dict[str, Any]:
    text, start = one["text"], one["start"]
    return dict(zip(_ANSWER, (text, start, start + len(text), rounded(one["probability"]))))


def _span_lines(found: Dict[str, Any]) -> Iterator[str]:
    if found["result"] is None:
        yield f"(no answer)\t{found['question']}"
    else:
        place = f"{found['start']}-{found['stop']} {share(found['probability'])}"
        yield f"{found['result']} {place}\t{found['question']}"


# By objective.
TASK_LINES: Dict[str, TaskLines] = {
    "classification": TaskLines(_parse_texts, _labels_of, _label_lines),
    "span": TaskLines(_parse_question, _spans_of, _span_lines),
}
