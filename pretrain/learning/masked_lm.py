"""The objective of BERT and MacBERT: predict masked pieces, and the order of two segments.

L = L_mlm + L_pair (MacBERT paper, Eq. 7). The masked LM loss is taken on every selected position,
also on kept and replaced ones (MacBERT#1). Without a pair task L_pair is reported, not added.

B batch, P predictions.
"""

from typing import Dict, Mapping, Optional, Tuple

from data_gen.shared.dataset.dataset_info import DatasetInfo
from data_gen.shared.dataset.features import feature_shapes
from data_gen.shared.errors import UserError
from pretrain.learning.masked_lm_evaluation import EVALUATION
from pretrain.learning.objective import (
    Batch,
    Loss,
    Objective,
    ObjectiveSettings,
    count_masked,
    limits_of_sequence,
)
from pretrain.model.bert import Dropout, Mode, Shape, Variables, variable_shapes
from pretrain.model.config import BertConfig
from pretrain.model.cost import activation_bytes, flops
from pretrain.model.heads import (
    PAIR_HEAD,
    at_slots,
    filled_slots,
    forward,
    masked_lm_losses,
    pair_losses,
)
from pretrain.runtime.tensorflow import Tensor, tf


def _variables(model: BertConfig, settings: ObjectiveSettings) -> Mapping[str, Shape]:
    if not model.has_pooler:
        raise UserError(
            f"objective=masked_lm trains a BERT, and this model is of type {model.model_type}: "
            "give another bert_config_file, or objective=replaced_tokens"
        )
    return variable_shapes(model)


def _trains(settings: ObjectiveSettings, name: str) -> bool:
    return settings.has_pair_task or not name.startswith(PAIR_HEAD)


def _features(info: DatasetInfo) -> Dict[str, Tuple[str, int]]:
    return feature_shapes(info.max_seq_length, info.max_predictions_per_seq)


def _limits(info: DatasetInfo, model: BertConfig, settings: ObjectiveSettings) -> Mapping[str, int]:
    return {
        **limits_of_sequence(model),
        "masked_lm_positions": info.max_seq_length,
        "masked_lm_ids": model.vocab_size,
        "next_sentence_labels": 2,
    }


def _count_sequences(batch: Batch) -> Tensor:
    return tf.cast(tf.size(batch["next_sentence_labels"]), tf.float32)


def _losses(settings: ObjectiveSettings) -> Dict[str, Loss]:
    return {
        # 1e-5 as in run_pretraining.py: a batch without any prediction gives 0, not NaN
        "masked_lm_loss": Loss(count_masked, added_to_divisor=1e-5),
        "pair_loss": Loss(_count_sequences, weight=1.0 if settings.has_pair_task else 0.0),
    }


def _sums(
    variables: Variables,
    batch: Batch,
    model: BertConfig,
    dropout: Optional[Dropout],
    mode: Mode,
) -> Dict[str, Tensor]:
    slots = None if mode.fixed_shapes else filled_slots(batch)
    outputs = forward(variables, batch, model, dropout, mode, slots)
    weights = at_slots(batch["masked_lm_weights"], slots)
    return {
        "masked_lm_loss": tf.reduce_sum(masked_lm_losses(outputs, batch, slots) * weights),
        "pair_loss": tf.reduce_sum(pair_losses(outputs, batch)),
    }


def _log_text(means: Mapping[str, float]) -> str:
    return f"words {means['masked_lm_loss']:.3f}, pairs {means['pair_loss']:.3f}"


MASKED_LM = Objective(
    variables=_variables,
    trains=_trains,
    features=_features,
    losses=_losses,
    sums=_sums,
    log_text=_log_text,
    loss_titles={"masked_lm_loss": "masked pieces: loss", "pair_loss": "pairs: loss"},
    evaluation=EVALUATION,
    flops=flops,
    activation_bytes=activation_bytes,
    limits=_limits,
)
