"""Score a part of a task with the present weights."""

from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from pretrain.finetune.config import FinetuneSettings
from pretrain.finetune.features import Part
from pretrain.finetune.kinds import KINDS, Predictions
from pretrain.inputs.batches import all_batches, readable, trim
from pretrain.learning.objective import ObjectiveSettings
from pretrain.learning.objectives import OBJECTIVES
from pretrain.model.bert import Mode, Variables
from pretrain.model.config import BertConfig
from pretrain.runtime.devices import run_replicas
from pretrain.runtime.tensorflow import Strategy, Tensor, compiled, tf

_BATCH_SIZE = 64  # sequences on every device


class Scorer:
    """The predictions for a part, as often as wanted while the variables change.

    All devices of this process share the work.
    """

    def __init__(
        self,
        strategy: Strategy,
        variables: Variables,
        model: BertConfig,
        objective: str,
        labels: Sequence[str],
        part: Part,
        settings: FinetuneSettings,
    ) -> None:
        self._strategy, self._part, self._settings = strategy, part, settings
        self._kind, self._labels = KINDS[objective], labels
        self._features = OBJECTIVES[objective].features(part.info)
        self._limits = OBJECTIVES[objective].limits(
            part.info, model, ObjectiveSettings(objective, "none", list(labels))
        )
        self._batches = all_batches(strategy, part.info, self._features, _BATCH_SIZE, self._limits)
        mode = Mode(settings.precision)

        def score(batch: Dict[str, Tensor]) -> Tensor:
            batch = trim(batch, settings.pad_to)
            found = self._kind.scores(variables, batch, model, None, mode)
            return tf.cast(found, tf.float32)

        self._score = compiled(lambda batch: run_replicas(strategy, score, batch))

    def __call__(self) -> Tuple[Predictions, Dict[str, Any]]:
        """Go through the part once. Returns the predictions in the order of the examples, and their
        measures.
        """
        scores: List[np.ndarray] = []
        for batch in readable(self._batches, self._part.info, self._features, self._limits):
            for found in self._strategy.experimental_local_results(self._score(batch)):
                scores.extend(np.moveaxis(found.numpy(), self._kind.batch_axis, 0))
        rows = self._part.rows
        predictions = self._kind.predictions(
            scores[: len(rows)], rows, self._part.examples, self._labels, self._settings
        )
        return predictions, self._kind.figures(predictions, self._labels)
