"""The objective of ELECTRA: find the pieces that a small masked language model has put into a text.

L = L_generator + 50 L_discriminator, as in google-research/electra's run_pretraining.py. The first
is the masked LM loss of the generator on the masked positions, the second the cross entropy of
"replaced or not" on all real positions. A sample that equals the original is not replaced.

Any records of a build serve. The text is restored from labels and positions, and [MASK] put on all
masked positions, whatever the build has put there: a similar word would tell the generator the
answer, and at a piece that was kept it learns to copy, which gives the discriminator nothing to
find. Labels of pairs are not read.

B batch, S sequence, P predictions.
"""

from typing import Dict, Mapping, Optional, Tuple

from data_gen.shared.dataset.dataset_info import DatasetInfo
from data_gen.shared.dataset.features import feature_shapes
from data_gen.shared.errors import UserError
from pretrain.learning.objective import (
    Batch,
    Loss,
    Objective,
    ObjectiveSettings,
    Preparation,
    count_masked,
    limits_of_sequence,
)
from pretrain.learning.replaced_tokens_evaluation import EVALUATION
from pretrain.model.bert import Dropout, Mode, Shape, Variables
from pretrain.model.config import BertConfig
from pretrain.model.cost import electra_activation_bytes, electra_flops
from pretrain.model.electra import corrupt, discriminator_scores, electra_shapes, put
from pretrain.runtime.tensorflow import Tensor, tf

_DISCRIMINATOR = 50.0  # the weight of its loss: Google's disc_weight

_PAIR_LABELS = "next_sentence_labels"


def _variables(model: BertConfig, settings: ObjectiveSettings) -> Mapping[str, Shape]:
    if model.has_pooler:
        raise UserError(
            "objective=replaced_tokens trains an ELECTRA, and this model is a BERT: give "
            "bert_config_file one of configs/models/electra_*.json"
        )
    try:
        return electra_shapes(model)
    except ValueError as error:
        raise UserError(f"the generator of this model cannot be: {error}") from error


def _features(info: DatasetInfo) -> Dict[str, Tuple[str, int]]:
    features = feature_shapes(info.max_seq_length, info.max_predictions_per_seq)
    return {name: feature for name, feature in features.items() if name != _PAIR_LABELS}


def _limits(info: DatasetInfo, model: BertConfig, settings: ObjectiveSettings) -> Mapping[str, int]:
    return {
        **limits_of_sequence(model),
        "masked_lm_positions": info.max_seq_length,
        "masked_lm_ids": model.vocab_size,
    }


def _prepare(batch: Batch, preparation: Preparation) -> Batch:
    """Put [MASK] on all masked positions, and add `noise_seed`, an int64 scalar."""
    masks = tf.fill(tf.shape(batch["masked_lm_ids"]), preparation.mask)
    return {
        **batch,
        "input_ids": put(batch, tf.reshape(masks, [-1])),
        "noise_seed": preparation.noise_seed,
    }


def _count_real(batch: Batch) -> Tensor:
    return tf.cast(tf.reduce_sum(batch["input_mask"]), tf.float32)


def _losses(settings: ObjectiveSettings) -> Dict[str, Loss]:
    return {
        "generator_loss": Loss(count_masked, added_to_divisor=1e-6),
        "discriminator_loss": Loss(_count_real, added_to_divisor=1e-6, weight=_DISCRIMINATOR),
        # Shares, which are not trained on.
        "generator_accuracy": Loss(count_masked, added_to_divisor=1e-6, weight=0.0),
        "replaced_share": Loss(count_masked, added_to_divisor=1e-6, weight=0.0),
        "discriminator_accuracy": Loss(_count_real, added_to_divisor=1e-6, weight=0.0),
    }


def _sums(
    variables: Variables,
    batch: Batch,
    model: BertConfig,
    dropout: Optional[Dropout],
    mode: Mode,
) -> Dict[str, Tensor]:
    seen = corrupt(variables, batch, model, dropout, mode)
    found = discriminator_scores(variables, seen.batch, model, dropout, mode)
    ids, weights = (tf.reshape(batch[f"masked_lm_{name}"], [-1]) for name in ("ids", "weights"))
    real = tf.cast(batch["input_mask"], tf.float32)
    right = tf.equal(tf.argmax(seen.scores, axis=-1, output_type=tf.int32), ids)
    told = tf.equal(found > 0, seen.labels > 0)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=ids, logits=seen.scores)
    told_losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=seen.labels, logits=found)
    return {
        "generator_loss": tf.reduce_sum(losses * weights),
        "discriminator_loss": tf.reduce_sum(told_losses * real),
        "generator_accuracy": tf.reduce_sum(tf.cast(right, tf.float32) * weights),
        "replaced_share": tf.reduce_sum(seen.labels),
        "discriminator_accuracy": tf.reduce_sum(tf.cast(told, tf.float32) * real),
    }


def _log_text(means: Mapping[str, float]) -> str:
    return (
        f"generator {means['generator_loss']:.3f} ({means['generator_accuracy']:.1%} right, "
        f"{means['replaced_share']:.1%} replaced), discriminator "
        f"{means['discriminator_loss']:.4f} ({means['discriminator_accuracy']:.1%} right)"
    )


REPLACED_TOKENS = Objective(
    variables=_variables,
    trains=lambda settings, name: True,
    features=_features,
    losses=_losses,
    sums=_sums,
    log_text=_log_text,
    loss_titles={"generator_loss": "generator: loss", "discriminator_loss": "discriminator: loss"},
    evaluation=EVALUATION,
    flops=electra_flops,
    activation_bytes=electra_activation_bytes,
    limits=_limits,
    prepare=_prepare,
)
