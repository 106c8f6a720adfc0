"""Checks that data, model and vocabulary belong together, and the split into data to train on and
held-out data. Needs no TensorFlow.
"""

from typing import Dict, List, Optional, Sequence, Tuple, Union

from data_gen.shared.dataset.dataset_info import DatasetInfo, require_same_vocabulary
from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import read_pieces
from pretrain.config import TrainConfig
from pretrain.learning.objectives import OBJECTIVES
from pretrain.learning.stages import Stage, StageConfig
from pretrain.model.config import BertConfig

_PAIR_LABELS = "next_sentence_labels"


def require_for_model(info: DatasetInfo, model: BertConfig, vocab_file: str) -> None:
    """Raise UserError if the records are of another vocabulary, longer than the model's positions,
    or if there are none.
    """
    require_same_vocabulary(info, vocab_file)
    length, positions = info.max_seq_length, model.max_position_embeddings
    if length > positions:
        raise UserError(
            f"{info.folder} has sequences of {length}, the model has {positions} positions: "
            f"build with a max_seq_length of at most {positions}"
        )
    if not info.examples:
        raise UserError(f"{info.folder} holds no example")


def require_for_stage(
    info: DatasetInfo, stage: Union[Stage, StageConfig], config: TrainConfig, model: BertConfig
) -> None:
    """Raise UserError as `require_for_model` does, and if the data of a stage have another length
    or pair task than the stage, or the vocabulary has more pieces than the model.
    """
    require_for_model(info, model, config.vocab_file)
    require_pair_task(info, config)
    length = info.max_seq_length
    if stage.max_seq_length not in (None, length):
        raise UserError(
            f"{info.folder} has sequences of {length}, the stage wants {stage.max_seq_length}: "
            "give the stages' folders in order, or build with that max_seq_length"
        )
    pieces = len(read_pieces(config.vocab_file))
    if pieces > model.vocab_size:
        raise UserError(
            f"{config.vocab_file} has {pieces} pieces, the model's vocab_size is "
            f"{model.vocab_size}: set it to at least as many in the bert_config.json"
        )


def require_pair_task(info: DatasetInfo, config: TrainConfig) -> None:
    """Raise UserError if the labels of the data are those of another task, and are read."""
    if _PAIR_LABELS not in OBJECTIVES[config.objective].features(info):
        return
    pair_task = info.manifest["config"]["pair_task"]
    if pair_task != config.pair_task:
        raise UserError(
            f"{info.folder} was built with pair_task {pair_task}, this training has "
            f"{config.pair_task}: give --set pair_task={pair_task}, or a configuration of that task"
        )


def require_a_batch(info: DatasetInfo, stage: Stage) -> None:
    """Raise UserError if the data do not fill one batch."""
    if info.examples < stage.train_batch_size:
        raise UserError(
            f"{info.folder} holds {info.examples} examples to train on, fewer than one batch of "
            f"{stage.train_batch_size}: lower train_batch_size"
        )


def in_steps(
    config: TrainConfig,
    examples: Sequence[int],
    steps: Optional[Sequence[Dict[str, int]]] = None,
) -> TrainConfig:
    """Return the settings with steps instead of epochs and shares, for so many examples to train on
    in each stage.

    steps: those of an earlier call, to be kept
    Raises UserError if the warm-up is longer than the training, or `steps_per_call` does not fit.
    """
    if config.has_steps:
        return config
    try:
        return config.in_steps(steps or config.steps_of(examples))
    except ValueError as error:
        counts = ", ".join(f"{count:,}" for count in examples)
        raise UserError(f"for the data's {counts} examples: {error}") from error


def split_heldout(info: DatasetInfo, shards: int) -> Tuple[DatasetInfo, Optional[DatasetInfo]]:
    """Split into data to train on and held-out data: the last `shards` shards, None for 0.

    Raises UserError if one of them would hold no example.
    """
    if not shards:
        return info, None
    trained = info._replace(shards=info.shards[:-shards])
    heldout = info._replace(shards=info.shards[-shards:])
    if not trained.examples or not heldout.examples:
        raise UserError(
            f"{info.folder} has {len(info.shards)} shards, which heldout_shards {shards} does not "
            "divide into two sets with examples: build it with more, num_shards=..."
        )
    return trained, heldout


def copies_held_back(info: DatasetInfo, shards: int) -> List[str]:
    """Return a warning if the last `shards` shards hold copies of the examples trained on."""
    copies = info.manifest["config"]["dupe_factor"]
    if not shards or copies == 1:
        return []
    return [
        f"{info.folder} holds each text {copies} times (dupe_factor), spread over all shards: what "
        "heldout_shards keeps back is trained on with other masks, so give --heldout instead"
    ]
