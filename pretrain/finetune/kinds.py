"""The table of kinds of task, by objective: how texts become rows, and scores predictions."""

from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence

import numpy as np

from pretrain.finetune.config import FinetuneSettings
from pretrain.finetune.encode_questions import encode_questions
from pretrain.finetune.encode_texts import encode_texts
from pretrain.finetune.labels import label_figures, label_predictions
from pretrain.finetune.rows import Row
from pretrain.finetune.spans import span_figures, span_predictions
from pretrain.learning import classification, span
from pretrain.runtime.tensorflow import Tensor
from pretrain.tasks.examples import Example, Question, TextExample

Predictions = List[Dict[str, Any]]  # in the order of the examples, as in predictions-dev.jsonl


class Kind(NamedTuple):
    """A kind of task.

    encode:      (tokenizer, examples, labels, settings) -> rows
    scores:      (variables, batch, model, dropout, mode) -> scores of every row, a tensor
    batch_axis:  of the scores
    has_labels:  True if the data name classes
    predictions: (scores of each row, its description, examples, labels, settings) -> predictions
    figures:     (predictions, labels) -> measures by name, between 0 and 1, and more
    """

    example: Callable[..., Example]
    encode: Callable[[Any, Any, Sequence[str], FinetuneSettings], Iterator[Row]]
    scores: Callable[..., Tensor]
    batch_axis: int
    has_labels: bool
    predictions: Callable[
        [List[np.ndarray], Sequence[Dict[str, Any]], Any, Sequence[str], FinetuneSettings],
        Predictions,
    ]
    figures: Callable[[Predictions, Sequence[str]], Dict[str, Any]]


KINDS: Dict[str, Kind] = {
    "classification": Kind(
        TextExample, encode_texts, classification.logits, 0, True, label_predictions, label_figures
    ),
    "span": Kind(Question, encode_questions, span.logits, 1, False, span_predictions, span_figures),
}
