"""Measure a model on records: the evaluation of its objective, summed over all of them."""

from typing import Any, Dict, Optional

import numpy as np

from data_gen.shared.dataset.dataset_info import DatasetInfo
from data_gen.shared.errors import UserError
from pretrain.checkpoint.load import Model
from pretrain.evaluate.similar_pairs import read_similar_pairs
from pretrain.inputs.batches import NO_LIMITS, all_batches, open_data, readable
from pretrain.inputs.checks import require_for_model
from pretrain.inputs.record_checks import Limits
from pretrain.inputs.verify import verify
from pretrain.learning.objective import Batch, EvaluationContext, Objective, Preparation
from pretrain.learning.spread import SpreadMeter, spread_sums
from pretrain.model.bert import Variables
from pretrain.model.config import BertConfig
from pretrain.runtime.devices import (
    device_errors_explained,
    first_replica,
    one_device,
    run_replicas,
    summed,
)
from pretrain.runtime.named_vector import NamedVector
from pretrain.runtime.tensorflow import Strategy, Tensor, compiled, tf

_BATCH_SIZE = 32  # sequences on every device
_NOISE_SEED = 0  # of all evaluations: those of two models compare


def evaluate(
    model: Model, folder: str, batch_size: int = _BATCH_SIZE, similar_words: Optional[str] = None
) -> Dict[str, Any]:
    """Measure a model on all examples of a data set: the figures of its objective, beside the
    checkpoint, the folder and the number of examples.

    similar_words: the table that the records were made with, from `data_gen synonyms build`
    """
    info = open_data(folder)
    require_for_model(info, model.config, model.vocab_file)
    verify([info], {})
    pairs = read_similar_pairs(similar_words, model.config.vocab_size) if similar_words else None
    evaluator = Evaluator(
        one_device(),
        model.variables,
        model.config,
        model.objective,
        info,
        model.mask,
        pairs,
        batch_size,
        model.objective.limits(info, model.config, model.settings),
    )
    with device_errors_explained():
        return {"checkpoint": model.source, "data": folder, **evaluator()}


class Evaluator:
    """The figures of a data set, as often as wanted while the variables change. All replicas share
    the work, so all processes of a training have to call it.
    """

    def __init__(
        self,
        strategy: Strategy,
        variables: Variables,
        config: BertConfig,
        objective: Objective,
        info: DatasetInfo,
        mask: int,
        similar_pairs: Optional[np.ndarray] = None,
        batch_size: int = _BATCH_SIZE,
        limits: Limits = NO_LIMITS,
    ) -> None:
        self._variables, self._info, self._evaluation = variables, info, objective.evaluation
        self._prepare = objective.prepare
        pair_task = info.manifest["config"]["pair_task"]
        self._context = EvaluationContext(config, mask, pair_task, similar_pairs)
        self._counts = NamedVector(["examples", *objective.evaluation.names(self._context)])
        self._features, self._limits = objective.features(info), limits
        self._batches = all_batches(
            strategy, info, self._features, batch_size, limits, bool(objective.prepare)
        )
        self._count_batch = compiled(
            lambda batch: first_replica(strategy, run_replicas(strategy, self._count, batch))
        )

    def __call__(self) -> Dict[str, Any]:
        """Go through the data once."""
        size = len(self._counts.names)
        totals, spread = np.zeros([size]), SpreadMeter(self._evaluation.vectors)
        for batch in readable(self._batches, self._info, self._features, self._limits):
            sums = self._count_batch(batch).numpy()
            totals += sums[:size]
            spread.add(self._counts.get(sums, "examples"), sums[size:])
        if self._counts.get(totals, "examples") != self._info.examples:
            raise UserError(
                f"{self._info.folder} does not hold the {self._info.examples:,} examples that its "
                "dataset.json says: copy or build it again"
            )
        named = {name: float(total) for name, total in self._counts.unpack(totals).items()}
        figures = self._evaluation.figures(named, self._context)
        return {"examples": int(named["examples"]), **figures, **spread.figures()}

    def _count(self, batch: Batch) -> Tensor:
        if self._prepare:
            seed = tf.constant(_NOISE_SEED, tf.int64)
            batch = self._prepare(batch, Preparation(self._context.mask, seed))
        counted = self._evaluation.counts(self._variables, batch, self._context)
        weights, like = batch["example_weights"], next(iter(self._variables.values()))
        sums = self._counts.pack({"examples": tf.reduce_sum(weights), **counted})
        vectors = [counted[name] for name in self._evaluation.vectors]
        if vectors:
            of_vectors = spread_sums(vectors, weights, lambda part: summed(part, like))
            sums = tf.concat([sums, of_vectors], axis=0)
        return summed(sums, like)
