"""How well a checkpoint predicts: the masked words, by what stood in their place, and the pair
labels.
"""

import math
from typing import Any, Dict, Optional

import numpy as np

from data_gen.shared.dataset_info import DatasetInfo
from pretrain.checkpoint.load import Model
from pretrain.config import BertConfig
from pretrain.evaluate.similar_pairs import read_similar_pairs
from pretrain.inputs.batches import Batch, all_batches, open_data, readable
from pretrain.inputs.checks import require_for_model
from pretrain.model.bert import EMBEDDINGS, Variables
from pretrain.model.heads import Outputs, forward, masked_lm_losses, pair_losses
from pretrain.runtime.devices import explained, first_replica, one_device, run_replicas, summed
from pretrain.runtime.tensorflow import Strategy, Tensor, compiled, tf

_AT_ONCE = 32  # sequences on every device


def evaluate(
    model: Model, folder: str, batch_size: int = _AT_ONCE, similar_words: Optional[str] = None
) -> Dict[str, Any]:
    """Losses and accuracies of a model on all examples of a data set; accuracies are shares between
    0 and 1.

    `similar_words` is the table that the records were made with, from `data_gen synonyms build`.
    """
    info = open_data(folder)
    require_for_model(info, model.config, model.vocab_file)
    pairs = read_similar_pairs(similar_words, model.config.vocab_size) if similar_words else None
    measure = Measure(
        one_device(), model.variables, model.config, info, model.mask, pairs, batch_size
    )
    with explained():
        return {"checkpoint": model.source, "data": folder, **measure()}


class Measure:
    """Losses and accuracies on a data set, as often as wanted while the variables change. All
    replicas share the work, so all processes of a training have to ask for it.

    Masked pieces are told apart by what the model saw: [MASK], the original ("kept"), or something
    else: "replaced", or, with a table of similar words, "similar" where it stands for the original
    in some similar word and "random" where not. A random piece is taken for a similar one where
    chance made it one.
    """

    def __init__(
        self,
        strategy: Strategy,
        variables: Variables,
        config: BertConfig,
        info: DatasetInfo,
        mask: int,
        similar_pairs: Optional[np.ndarray] = None,
        batch_size: int = _AT_ONCE,
    ) -> None:
        self._variables, self._config, self._info = variables, config, info
        self._mask, self._pairs = mask, similar_pairs
        self._kinds = _REPLACED if similar_pairs is None else _TOLD_APART
        self._names = [*_COUNTED, *self._kinds, *(f"right_{kind}" for kind in self._kinds)]
        self._batches = all_batches(strategy, info, batch_size)
        self._counting = compiled(
            lambda batch: first_replica(strategy, run_replicas(strategy, self._count, batch))
        )

    def __call__(self) -> Dict[str, Any]:
        """Go through the data once."""
        totals = np.zeros([len(self._names)])
        for batch in readable(self._batches, self._info):
            totals += self._counting(batch).numpy()
        sums = dict(zip(self._names, totals.tolist()))
        loss = sums["masked_loss"] / max(sums["masked"], 1.0)
        result = {
            "examples": int(sums["examples"]),
            "masked_pieces": int(sums["masked"]),
            "masked_lm_loss": loss,
            "perplexity": math.exp(min(loss, 700.0)),
            "masked_lm_accuracy": _share(sums["right"], sums["masked"]),
            "masked_lm_accuracy_by_kind": {
                kind: _share(sums[f"right_{kind}"], sums[kind])
                for kind in self._kinds
                if sums[kind]
            },
            "masked_pieces_by_kind": {kind: int(sums[kind]) for kind in self._kinds if sums[kind]},
            "pair_task": self._info.manifest["config"]["pair_task"],
            "pair_loss": sums["pair_loss"] / sums["examples"],
            "pair_accuracy": _share(sums["pairs_00"] + sums["pairs_11"], sums["examples"]),
            # rows: the label; columns: what the model said
            "pair_confusion": [
                [int(sums[f"pairs_{label}{said}"]) for said in (0, 1)] for label in (0, 1)
            ],
        }
        return result

    def _count(self, batch: Batch) -> Tensor:
        outputs = forward(self._variables, batch, self._config)
        labels = tf.reshape(batch["masked_lm_ids"], [-1])
        weights = batch["masked_lm_weights"] * batch["example_weights"][:, None]
        weights = tf.reshape(weights, [-1])
        said = tf.argmax(outputs.masked_lm, axis=-1, output_type=tf.int32)
        right = weights * _equal(said, labels)
        seen = tf.gather(batch["input_ids"], batch["masked_lm_positions"], batch_dims=1)
        counted = {
            "masked": tf.reduce_sum(weights),
            "masked_loss": tf.reduce_sum(weights * masked_lm_losses(outputs, batch)),
            "right": tf.reduce_sum(right),
            **self._count_pairs(outputs, batch),
        }
        for kind, is_kind in self._by_kind(tf.reshape(seen, [-1]), labels).items():
            counted[kind] = tf.reduce_sum(weights * is_kind)
            counted[f"right_{kind}"] = tf.reduce_sum(right * is_kind)
        counts = tf.stack([counted[name] for name in self._names])
        return summed(counts, self._variables[EMBEDDINGS])

    def _by_kind(self, seen: Tensor, labels: Tensor) -> Dict[str, Tensor]:
        masked, kept = _equal(seen, self._mask), _equal(seen, labels)
        replaced = (1.0 - masked) * (1.0 - kept)
        kinds = {"mask": masked, "kept": kept, "replaced": replaced}
        if self._pairs is not None:
            key = tf.cast(labels, tf.int64) * self._config.vocab_size + tf.cast(seen, tf.int64)
            known = tf.constant(np.append(self._pairs, np.int64(-1)))
            place = tf.searchsorted(known[:-1], key)
            similar = replaced * _equal(tf.gather(known, place), key)
            kinds.update(similar=similar, random=replaced - similar)
        return {kind: kinds[kind] for kind in self._kinds}

    def _count_pairs(self, outputs: Outputs, batch: Batch) -> Dict[str, Tensor]:
        labels, weights = batch["next_sentence_labels"][:, 0], batch["example_weights"]
        said = tf.argmax(outputs.pair, axis=-1, output_type=tf.int32)
        counted = {
            f"pairs_{a}{b}": tf.reduce_sum(weights * _equal(labels, a) * _equal(said, b))
            for a in (0, 1)
            for b in (0, 1)
        }
        counted["examples"] = tf.reduce_sum(weights)
        counted["pair_loss"] = tf.reduce_sum(weights * pair_losses(outputs, batch))
        return counted


_REPLACED = ("replaced", "kept", "mask")
_TOLD_APART = ("similar", "random", "kept", "mask")
_COUNTED = (
    *("examples", "masked", "masked_loss", "right", "pair_loss"),
    *("pairs_00", "pairs_01", "pairs_10", "pairs_11"),  # label, answer
)


def _equal(a: Tensor, b: Any) -> Tensor:
    return tf.cast(tf.equal(a, b), tf.float32)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
