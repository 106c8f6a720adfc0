"""The form of a training objective: what the trainer asks of an entry of `OBJECTIVES`.

A loss is a sum over the parts of a batch divided by a count over the whole of it. So the batch may
lie on any number of devices and be worked on in any number of micro batches: the losses, and with
them the gradients, come out the same.
"""

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.shared.dataset.dataset_info import DatasetInfo
from data_gen.shared.dataset.pair_labels import PAIR_LABELS
from data_gen.shared.settings import require_one_of
from pretrain.model.bert import Dropout, Mode, Shape, Variables
from pretrain.model.config import BertConfig
from pretrain.runtime.tensorflow import Tensor, tf

Batch = Dict[str, Tensor]
TOTAL = "loss"  # the name of the weighted sum of all losses


@dataclass(frozen=True)
class ObjectiveSettings:
    """The objective and the tasks in it."""

    objective: str = "masked_lm"  # what is learned: a name in learning.objectives.OBJECTIVES
    pair_task: str = "sop"  # none: the pair head is kept and saved, but not trained
    labels: List[str] = field(default_factory=list)  # the classes of a classification, in order

    def __post_init__(self) -> None:
        require_one_of("pair_task", self.pair_task, list(PAIR_LABELS))

    @property
    def has_pair_task(self) -> bool:
        """True if the data have pair labels to learn."""
        return bool(PAIR_LABELS[self.pair_task])


class Loss(NamedTuple):
    """One loss of an objective: its sum by `Objective.sums` over its divisor."""

    divisor: Callable[[Batch], Tensor]  # a count: float32 scalar; the batch may have more axes
    added_to_divisor: float = 0.0  # once for the global batch
    weight: float = 1.0  # in the total; 0: reported, but not trained on


class EvaluationContext(NamedTuple):
    """Facts about the model and the data that an evaluation may need beside a batch."""

    model: BertConfig
    mask: int  # id of [MASK]
    pair_task: str  # of the data
    similar_pairs: Optional[np.ndarray] = None  # see evaluate/similar_pairs.py


class Preparation(NamedTuple):
    """Facts that an objective may need to prepare a batch."""

    mask: int  # id of [MASK]
    noise_seed: Tensor  # int64 scalar: of the training and its step, or that of evaluations


class Evaluation(NamedTuple):
    """The measurement of a model on held-out data: counts are summed over batches and devices, the
    figures follow from the sums.
    """

    names: Callable[[EvaluationContext], Sequence[str]]  # of the counts
    # The batch has `example_weights`, float32 [B]: 1, or 0 for padding. Returns float32 scalars and
    # the `vectors`.
    counts: Callable[[Variables, Batch, EvaluationContext], Dict[str, Tensor]]
    # (sums by name, those of `examples` included) -> what evaluations.jsonl says
    figures: Callable[[Mapping[str, float], EvaluationContext], Dict[str, Any]]
    log_text: Callable[[Mapping[str, Any]], str]  # of the figures, for a line of the log
    lines: Callable[[Mapping[str, Any]], List[str]]  # of the figures, for the command `evaluate`
    card_rows: Callable[[Mapping[str, Any]], List[Tuple[str, str]]]  # (text, value) on a model card
    vectors: Sequence[str] = ()  # names of vectors of each text, float32 [B, N]: see spread.py


def _no_limits(
    info: DatasetInfo, model: BertConfig, settings: ObjectiveSettings
) -> Mapping[str, int]:
    return {}


def limits_of_sequence(model: BertConfig) -> Dict[str, int]:
    """Return the limits of the features that every sequence has, for `Objective.limits`."""
    return {"input_ids": model.vocab_size, "segment_ids": model.type_vocab_size}


def count_masked(batch: Batch) -> Tensor:
    """Count the masked pieces of a batch, float32: the divisor of losses at them."""
    return tf.reduce_sum(batch["masked_lm_weights"])


def share_of(part: float, whole: float) -> float:
    """Return a share for `Evaluation.figures`; 0 of nothing."""
    return part / whole if whole else 0.0


class Objective(NamedTuple):
    """A training objective. Functions of a batch run in a graph, on each device for its part."""

    variables: Callable[[BertConfig, ObjectiveSettings], Mapping[str, Shape]]  # all, in order
    trains: Callable[[ObjectiveSettings, str], bool]  # False for a weight without a gradient
    # The features of a record that are read: name -> (dtype, length).
    features: Callable[[DatasetInfo], Dict[str, Tuple[str, int]]]
    losses: Callable[[ObjectiveSettings], Dict[str, Loss]]
    # Sums over a micro batch: a float32 scalar for each of `losses`.
    sums: Callable[[Variables, Batch, BertConfig, Optional[Dropout], Mode], Dict[str, Tensor]]
    log_text: Callable[[Mapping[str, float]], str]  # of the mean losses, for a line of the log
    loss_titles: Mapping[str, str]  # of the losses that a model card shows
    evaluation: Evaluation
    # (model, length, predictions, recompute) -> operations of a sequence, forwards and backwards
    flops: Callable[[BertConfig, int, int, bool], float]
    # (model, length, predictions, precision, recompute) -> bytes kept for the backward pass
    activation_bytes: Callable[[BertConfig, int, int, str, bool], int]
    # Of the integers of a record, by feature: each is below it. Records with others are refused.
    limits: Callable[[DatasetInfo, BertConfig, ObjectiveSettings], Mapping[str, int]] = _no_limits
    # Changes a batch before `sums` or `counts` of it. Then it has `example_numbers`, int32 [B]: the
    # place of each example in the global batch, or in the data that are evaluated on; what is drawn
    # by them and `noise_seed` is the same on any devices.
    prepare: Optional[Callable[[Batch, Preparation], Batch]] = None


def mean_losses(
    losses: Mapping[str, Loss], sums: Mapping[str, Tensor], divisors: Mapping[str, Tensor]
) -> Dict[str, Tensor]:
    """Divide sums by divisors. Returns the weighted total under `TOTAL` and each loss by its name.

    sums:     of a part of the batch; the results of all parts add up to the batch's
    divisors: of the whole batch
    """
    means = {
        name: sums[name] / (divisors[name] + loss.added_to_divisor) for name, loss in losses.items()
    }
    total = sum(loss.weight * means[name] for name, loss in losses.items() if loss.weight)
    return {TOTAL: total, **means}
