"""Predict with a fine-tuned model: texts of any length, in batches of bounded memory."""

import os
from itertools import groupby, islice
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Tuple

import numpy as np

from pretrain.checkpoint.folder import read_run
from pretrain.checkpoint.load import Model
from pretrain.finetune.config import FinetuneSettings
from pretrain.finetune.kinds import KINDS
from pretrain.finetune.rows import Row
from pretrain.predict.task_lines import Rows, TaskLines
from pretrain.runtime.tensorflow import Tensor, compiled, tf
from pretrain.text.batches import padded_length

# Lines predicted at a time; with more, the lengths in each batch are more alike.
_LINES = 256
# Positions, padding included, that go through the encoder at a time.
_POSITIONS = 4096


class TaskPredictor:
    """A fine-tuned model and its tokenizer. It is compiled once for each of the lengths that
    sequences are padded to. The longest are as long as those of its training.
    """

    def __init__(self, model: Model, tokenizer: Any, lines: TaskLines) -> None:
        self._model, self._tokenizer, self._lines = model, tokenizer, lines
        self._kind = KINDS[model.settings.objective]
        self._settings = _settings(_trained_length(model))
        self._compiled: Dict[int, Any] = {}  # by the padded length

    def __call__(self, lines: Iterable[str], together: int = _LINES) -> Iterator[Dict[str, Any]]:
        """Yield the answer to each line that is not blank, in order: see `task_lines`.

        together: number of lines read before the first answer
        Raises UserError for a line that is none of the task's, with its number.
        """
        numbered = (
            (number, text)
            for number, text in enumerate((line.rstrip("\r\n") for line in lines), start=1)
            if text.strip()
        )
        while True:
            some = list(islice(numbered, together))
            if not some:
                return
            yield from self._predict(some)

    def _predict(self, lines: Sequence[Tuple[int, str]]) -> Iterator[Dict[str, Any]]:
        examples: List[Any] = [self._lines.parse(text, number) for number, text in lines]
        labels = self._model.settings.labels
        rows = list(self._kind.encode(self._tokenizer, examples, labels, self._settings))
        given = Rows(examples, rows, self._scores(rows), self._tokenizer, labels, self._settings)
        task = self._model.settings.objective
        for (number, _), found in zip(lines, self._lines.answers(given)):
            yield {"line": number, "task": task, **found}

    def _scores(self, rows: Sequence[Row]) -> List[np.ndarray]:
        """Return the scores of each row, the axis of the batch left out."""
        scores: List[np.ndarray] = [np.zeros(0)] * len(rows)
        for width, numbers in self._batches(rows):
            found = self._function(width)(*_batch([rows[i] for i in numbers], width))
            for i, one in zip(numbers, np.moveaxis(found.numpy(), self._kind.batch_axis, 0)):
                scores[i] = one
        return scores

    def _batches(self, rows: Sequence[Row]) -> Iterator[Tuple[int, List[int]]]:
        """Yield the padded length and the numbers of the rows of each batch."""

        def width(number: int) -> int:
            special = 2  # which a row has and `padded_length` adds
            return padded_length(len(rows[number].ids) - special, self._settings.max_seq_length)

        for size, numbers in groupby(sorted(range(len(rows)), key=width), key=width):
            same, count = list(numbers), max(1, _POSITIONS // size)
            yield from ((size, same[i : i + count]) for i in range(0, len(same), count))

    def _function(self, width: int) -> Any:
        if width not in self._compiled:
            spec = tf.TensorSpec([None, width], tf.int32)
            function: Any = compiled(self._run)
            self._compiled[width] = function.get_concrete_function(spec, spec, spec)
        return self._compiled[width]

    def _run(self, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
        batch = {"input_ids": ids, "input_mask": mask, "segment_ids": segments}
        return self._kind.scores(self._model.variables, batch, self._model.config)


def _trained_length(model: Model) -> int:
    """Return the length of the longest sequences that a model was trained on, by its run.json, at
    most its positions; these if there is no run.json that says it.
    """
    most = model.config.max_position_embeddings
    data = read_run(os.path.dirname(model.source)).get("data_statistics") or [{}]
    return min(most, max(int(each.get("max_seq_length") or most) for each in data))


def _settings(length: int) -> FinetuneSettings:
    """Return the settings of features for sequences of `length` pieces: those of the presets, less
    where a question or a stride would leave no room.
    """
    return FinetuneSettings(
        max_seq_length=length,
        max_query_length=min(FinetuneSettings.max_query_length, max(1, length // 3)),
        doc_stride=min(FinetuneSettings.doc_stride, max(1, length // 3)),
    )


def _batch(rows: Sequence[Row], width: int) -> List[Tensor]:
    """Return ids, mask and segments of rows, int32 [B, width]."""
    columns = [row.columns(width) for row in rows]
    return [tf.constant(array) for array in np.stack(columns, axis=1)]
