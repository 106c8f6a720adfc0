"""How well a checkpoint predicts: the masked words, by what stood in their place, and the pair
labels.
"""

import os
from typing import Any, Dict, List, NamedTuple

from data_gen.features import DatasetInfo, read_info, require_same_vocabulary
from data_gen.settings import UserError
from pretrain import checkpoint
from pretrain.bert import Variables, init
from pretrain.config import BertConfig, read_bert_config
from pretrain.devices import Tensor, compiled, tf
from pretrain.heads import forward, masked_lm_losses, pair_losses
from pretrain.inputs import Batch, all_batches, require_positions
from pretrain.run import MODEL, VOCAB


class Model(NamedTuple):
    """A checkpoint, ready to run."""

    config: BertConfig
    variables: Variables
    vocab_file: str
    mask: int  # id of [MASK]
    source: str  # its prefix


def load_model(path: str) -> Model:
    """Load the newest checkpoint of a folder, or one by its prefix, with the bert_config.json and
    vocab.txt beside it.

    Raises UserError where one of them is missing or they do not belong together.
    """
    source = checkpoint.find(path)
    folder = os.path.dirname(source)
    config = read_bert_config(os.path.join(folder, MODEL)).without_dropout()
    vocab_file = os.path.join(folder, VOCAB)
    try:
        with open(vocab_file, encoding="utf-8") as handle:
            pieces = [line.rstrip("\n") for line in handle]
        mask = pieces.index("[MASK]")
    except (OSError, ValueError) as error:
        raise UserError(
            f"{vocab_file} must be the vocabulary of the checkpoint beside it ({error})"
        ) from error
    variables = init(config, seed=0)
    report = checkpoint.restore(variables, checkpoint.read(source), source)
    if report.missing:
        raise UserError(
            f"{source} lacks {', '.join(report.missing[:3])}: the heads are needed to evaluate"
        )
    return Model(config, variables, vocab_file, mask, source)


def evaluate(model: Model, folder: str, batch_size: int = 32) -> Dict[str, Any]:
    """Losses and accuracies of a model on all examples of a data set; accuracies are shares between
    0 and 1.

    Masked pieces are told apart by what the model saw: [MASK], the original ("kept"), or something
    else ("replaced").
    """
    info = read_info(folder)
    require_same_vocabulary(info, model.vocab_file)
    require_positions(info, model.config)
    if not info.examples:
        raise UserError(f"{folder} holds no example")
    sums = _sums(model, info, batch_size)
    by_kind = {kind: _share(sums[f"right_{kind}"], sums[kind]) for kind in _KINDS if sums[kind]}
    return {
        "checkpoint": model.source,
        "data": folder,
        "examples": int(sums["examples"]),
        "masked_pieces": int(sums["masked"]),
        "masked_lm_loss": sums["masked_loss"] / max(sums["masked"], 1.0),
        "masked_lm_accuracy": _share(sums["right"], sums["masked"]),
        "masked_lm_accuracy_by_kind": by_kind,
        "pair_task": info.manifest["config"]["pair_task"],
        "pair_loss": sums["pair_loss"] / sums["examples"],
        "pair_accuracy": _share(sums["right_pairs"], sums["examples"]),
    }


_KINDS = ("replaced", "kept", "mask")
_COUNTED = [
    "examples",
    "masked",
    "masked_loss",
    "right",
    "pair_loss",
    "right_pairs",
    *_KINDS,
    *(f"right_{kind}" for kind in _KINDS),
]


def _sums(model: Model, info: DatasetInfo, batch_size: int) -> Dict[str, float]:
    def count(batch: Batch) -> List[Tensor]:
        counted = _count(model, batch)
        return [counted[name] for name in _COUNTED]

    counting = compiled(count)
    totals = [0.0] * len(_COUNTED)
    for batch in all_batches(info, batch_size):
        totals = [total + float(value) for total, value in zip(totals, counting(batch))]
    return dict(zip(_COUNTED, totals))


def _count(model: Model, batch: Batch) -> Dict[str, Tensor]:
    outputs = forward(model.variables, batch, model.config)
    labels = tf.reshape(batch["masked_lm_ids"], [-1])
    weights = tf.reshape(batch["masked_lm_weights"], [-1])
    seen = tf.reshape(
        tf.gather(batch["input_ids"], batch["masked_lm_positions"], batch_dims=1), [-1]
    )
    right = weights * _equal(tf.argmax(outputs.masked_lm, axis=-1, output_type=tf.int32), labels)
    masked, kept = _equal(seen, model.mask), _equal(seen, labels)
    kinds = {"mask": masked, "kept": kept, "replaced": (1.0 - masked) * (1.0 - kept)}
    pairs = tf.reshape(batch["next_sentence_labels"], [-1])
    counted = {
        "examples": tf.cast(tf.shape(pairs)[0], tf.float32),
        "masked": tf.reduce_sum(weights),
        "masked_loss": tf.reduce_sum(weights * masked_lm_losses(outputs, batch)),
        "right": tf.reduce_sum(right),
        "pair_loss": tf.reduce_sum(pair_losses(outputs, batch)),
        "right_pairs": tf.reduce_sum(
            _equal(tf.argmax(outputs.pair, axis=-1, output_type=tf.int32), pairs)
        ),
    }
    for kind, is_kind in kinds.items():
        counted[kind] = tf.reduce_sum(weights * is_kind)
        counted[f"right_{kind}"] = tf.reduce_sum(right * is_kind)
    return counted


def _equal(a: Tensor, b: Any) -> Tensor:
    return tf.cast(tf.equal(a, b), tf.float32)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
