"""Measures of the masked LM objective: how well masked pieces and pair labels are predicted.

Masked pieces are counted by what the model saw: [MASK], the original ("kept"), or something else:
"replaced", or, with a table of similar words, "similar" if it stands for the original in some
similar word and "random" if not. A random piece counts as similar where chance made it one.

Accuracies are shares between 0 and 1.
"""

import math
from typing import Any, Dict, List, Mapping, Tuple

import numpy as np

from data_gen.shared.dataset.pair_labels import PAIR_LABELS
from pretrain.learning.objective import Batch, Evaluation, EvaluationContext, share_of
from pretrain.learning.spread import VECTORS, text_vectors
from pretrain.model.bert import Variables, encode
from pretrain.model.heads import Outputs, apply_heads, masked_lm_losses, pair_losses
from pretrain.runtime.tensorflow import Tensor, tf

_PAIR_COUNTS = ("pairs_00", "pairs_01", "pairs_10", "pairs_11")  # label, answer


def _kinds(context: EvaluationContext) -> Tuple[str, ...]:
    if context.similar_pairs is None:
        return "replaced", "kept", "mask"
    return "similar", "random", "kept", "mask"


def _names(context: EvaluationContext) -> List[str]:
    kinds = _kinds(context)
    counted = ["masked", "masked_loss", "right", "pair_loss", *_PAIR_COUNTS]
    return [*counted, *kinds, *(f"right_{kind}" for kind in kinds)]


def _counts(variables: Variables, batch: Batch, context: EvaluationContext) -> Dict[str, Tensor]:
    sequence = encode(variables, batch, context.model)
    outputs = apply_heads(variables, sequence, batch, context.model)
    labels = tf.reshape(batch["masked_lm_ids"], [-1])
    weights = batch["masked_lm_weights"] * batch["example_weights"][:, None]
    weights = tf.reshape(weights, [-1])
    predicted = tf.argmax(outputs.masked_lm, axis=-1, output_type=tf.int32)
    right = weights * _equal(predicted, labels)
    seen = tf.gather(batch["input_ids"], batch["masked_lm_positions"], batch_dims=1)
    counted = {
        "masked": tf.reduce_sum(weights),
        "masked_loss": tf.reduce_sum(weights * masked_lm_losses(outputs, batch)),
        "right": tf.reduce_sum(right),
        **_count_pairs(outputs, batch),
        **text_vectors(sequence, batch),
    }
    for kind, is_kind in _by_kind(tf.reshape(seen, [-1]), labels, context).items():
        counted[kind] = tf.reduce_sum(weights * is_kind)
        counted[f"right_{kind}"] = tf.reduce_sum(right * is_kind)
    return counted


def _by_kind(seen: Tensor, labels: Tensor, context: EvaluationContext) -> Dict[str, Tensor]:
    """Return for each kind 1 where a masked piece is of it, float32 [B * P]."""
    masked, kept = _equal(seen, context.mask), _equal(seen, labels)
    replaced = (1.0 - masked) * (1.0 - kept)
    kinds = {"mask": masked, "kept": kept, "replaced": replaced}
    if context.similar_pairs is not None:
        size = context.model.vocab_size
        key = tf.cast(labels, tf.int64) * size + tf.cast(seen, tf.int64)
        known = tf.constant(np.append(context.similar_pairs, np.int64(-1)))
        place = tf.searchsorted(known[:-1], key)
        similar = replaced * _equal(tf.gather(known, place), key)
        kinds.update(similar=similar, random=replaced - similar)
    return {kind: kinds[kind] for kind in _kinds(context)}


def _count_pairs(outputs: Outputs, batch: Batch) -> Dict[str, Tensor]:
    labels, weights = batch["next_sentence_labels"][:, 0], batch["example_weights"]
    predicted = tf.argmax(outputs.pair, axis=-1, output_type=tf.int32)
    counted = {
        f"pairs_{a}{b}": tf.reduce_sum(weights * _equal(labels, a) * _equal(predicted, b))
        for a in (0, 1)
        for b in (0, 1)
    }
    counted["pair_loss"] = tf.reduce_sum(weights * pair_losses(outputs, batch))
    return counted


def _equal(a: Tensor, b: Any) -> Tensor:
    return tf.cast(tf.equal(a, b), tf.float32)


def _figures(sums: Mapping[str, float], context: EvaluationContext) -> Dict[str, Any]:
    loss = sums["masked_loss"] / max(sums["masked"], 1.0)
    present = [kind for kind in _kinds(context) if sums[kind]]
    return {
        "masked_pieces": int(sums["masked"]),
        "masked_lm_loss": loss,
        "perplexity": math.exp(min(loss, 700.0)),
        "masked_lm_accuracy": share_of(sums["right"], sums["masked"]),
        "masked_lm_accuracy_by_kind": {
            kind: share_of(sums[f"right_{kind}"], sums[kind]) for kind in present
        },
        "masked_pieces_by_kind": {kind: int(sums[kind]) for kind in present},
        "pair_task": context.pair_task,
        "pair_loss": sums["pair_loss"] / sums["examples"],
        "pair_accuracy": share_of(sums["pairs_00"] + sums["pairs_11"], sums["examples"]),
        # rows: the label; columns: the prediction
        "pair_confusion": [
            [int(sums[f"pairs_{label}{predicted}"]) for predicted in (0, 1)] for label in (0, 1)
        ],
    }


def _log_text(figures: Mapping[str, Any]) -> str:
    return (
        f"words {figures['masked_lm_loss']:.3f} ({figures['masked_lm_accuracy']:.1%} right), "
        f"pairs {figures['pair_loss']:.3f} ({figures['pair_accuracy']:.1%} right)"
    )


def _lines(figures: Mapping[str, Any]) -> List[str]:
    kinds = ", ".join(
        f"{kind} {share:.1%}" for kind, share in figures["masked_lm_accuracy_by_kind"].items()
    )
    lines = [
        f"masked words: loss {figures['masked_lm_loss']:.3f}, perplexity "
        f"{figures['perplexity']:.1f}, accuracy {figures['masked_lm_accuracy']:.1%} ({kinds})"
    ]
    if PAIR_LABELS.get(figures["pair_task"]):
        pairs = f"loss {figures['pair_loss']:.3f}, accuracy {figures['pair_accuracy']:.1%}"
        lines.append(f"pairs ({figures['pair_task']}): {pairs}")
        for label, (zero, one) in enumerate(figures["pair_confusion"]):
            lines.append(f"  label {label}: {zero:,} called 0, {one:,} called 1")
    return lines


def _card_rows(figures: Mapping[str, Any]) -> List[Tuple[str, str]]:
    rows = [(text, f"{figures[name]:.4g}") for name, text in _TITLES.items() if name in figures]
    for kind, share in figures.get("masked_lm_accuracy_by_kind", {}).items():
        rows.append((f"accuracy where it saw: {kind}", f"{share:.4g}"))
    if PAIR_LABELS.get(figures.get("pair_task", "none")):
        rows.append(("accuracy on the pairs", f"{figures['pair_accuracy']:.4g}"))
    return rows


_TITLES = {
    "masked_lm_loss": "loss of the masked pieces",
    "perplexity": "perplexity",
    "masked_lm_accuracy": "accuracy on the masked pieces",
}

EVALUATION = Evaluation(
    names=_names,
    counts=_counts,
    figures=_figures,
    log_text=_log_text,
    lines=_lines,
    card_rows=_card_rows,
    vectors=tuple(VECTORS),
)
