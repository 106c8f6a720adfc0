"""The start of a training: data that fit the model, and the weights to go on from."""

import re
from typing import List, NamedTuple, Optional, Sequence

import numpy as np

from data_gen.shared.dataset.dataset_info import DatasetInfo
from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.config import TrainConfig
from pretrain.inputs.batches import label_counts, open_data, share
from pretrain.inputs.checks import (
    copies_held_back,
    require_a_batch,
    require_for_model,
    require_for_stage,
    require_pair_task,
    split_heldout,
)
from pretrain.model.config import BertConfig
from pretrain.model.electra import DISCRIMINATOR_HEAD, GENERATOR_BIAS, GENERATOR_HEAD
from pretrain.model.heads import OUTPUT_BIAS
from pretrain.runtime.devices import all_gather_int, processes
from pretrain.runtime.log import log
from pretrain.runtime.tensorflow import Strategy, is_version_1
from pretrain.train.state import State

_HEADS = ("cls/", GENERATOR_HEAD, DISCRIMINATOR_HEAD)
_UNSEEN = 0.1  # labels, of a piece that is none: its bias stays finite


class Split(NamedTuple):
    """The data of a stage."""

    trained: DatasetInfo
    heldout: Optional[DatasetInfo]  # evaluated on with every checkpoint


def open_datasets(
    config: TrainConfig, model: BertConfig, folders: Sequence[str]
) -> List[DatasetInfo]:
    """Open the data of each stage. Raises UserError if they do not fit the model, its vocabulary
    and the stages.
    """
    stages = config.stage_configs()
    if len(folders) != len(stages):
        raise UserError(
            f"this training has {len(stages)} stage(s), --data {len(folders)} folder(s): give one "
            "folder for each stage, in order"
        )
    infos = [open_data(folder) for folder in folders]
    for stage, info in zip(stages, infos):
        require_for_stage(info, stage, config, model)
    return infos


def split_datasets(
    config: TrainConfig, model: BertConfig, infos: Sequence[DatasetInfo], heldout: Optional[str]
) -> List[Split]:
    """Split the data of each stage into data to train on and held-out data: the folder `heldout`,
    else what `heldout_shards` keeps back.
    """
    splits = [Split(*split_heldout(info, config.heldout_shards)) for info in infos]
    for info in infos:
        for warning in copies_held_back(info, config.heldout_shards):
            log(f"warning: {warning}")
    if not heldout:
        return splits
    held = open_data(heldout)
    require_for_model(held, model, config.vocab_file)
    require_pair_task(held, config)
    return [Split(split.trained, held) for split in splits]


def require_feasible(config: TrainConfig, strategy: Strategy, splits: Sequence[Split]) -> None:
    """Raise UserError if these devices or these data do not allow the steps of the settings."""
    if is_version_1() and processes()[0] > 1 and config.steps_per_call > 1:
        raise UserError(
            "several processes of TensorFlow 1.15 cannot do several steps a call: steps_per_call=1"
        )
    for stage, split in zip(config.resolved_stages(), splits):
        require_a_batch(split.trained, stage)
        ways = strategy.num_replicas_in_sync * stage.gradient_accumulation_steps
        share(stage.train_batch_size, ways)


def resume(state: State, output: str) -> bool:
    """Restore the newest checkpoint that is whole; False if there is none."""
    arrays = store.read_newest(output, log)
    if arrays is None:
        return False
    report = store.restore(state.tensors(), arrays, output)
    if report.missing:
        raise UserError(
            f"the checkpoint in {output} lacks {', '.join(report.missing[:3])}: it is not of this "
            "training"
        )
    if state.steps_done < 0:
        raise UserError(
            f"the checkpoint in {output} is of step {state.steps_done}: it is damaged, so choose "
            "another --output"
        )
    return True


def start_from(state: State, source: str, reinit_heads: bool) -> None:
    """Load the weights of another model and log what was loaded. A model of fewer layers gets the
    first ones, as HFL's RBT3 did from RoBERTa-wwm-ext.
    """
    arrays = store.without_slots(store.read(source))
    if reinit_heads:
        arrays = {name: array for name, array in arrays.items() if not name.startswith(_HEADS)}
    report = store.restore(state.variables, arrays, source)
    if not report.loaded:
        raise UserError(
            f"{source} has no weight of this model: give a BERT checkpoint with Google's names"
        )
    _require_whole_parts(report, source)
    log(
        f"from {source}: {len(report.loaded)} weights loaded, {len(report.missing)} new, "
        f"{len(report.left_over)} left"
    )
    for name in report.missing:
        log(f"  new: {name}")
    for name in report.left_over:
        log(f"  left over: {name}")


def _require_whole_parts(report: store.Report, source: str) -> None:
    """Raise UserError where a source has some weights of the embeddings, or of a layer, and lacks
    others: a model may have fewer layers or other heads, but no half of a layer.
    """
    there = {_part(name) for name in report.loaded}
    lost = [n for n in report.missing if _part(n) in there and not n.startswith(_HEADS)]
    if lost:
        raise UserError(
            f"{source} lacks {', '.join(lost[:3])}, but has other weights of {_part(lost[0])}: it "
            "is no whole model, so get it again where it came from"
        )


def _part(name: str) -> str:
    """Return the layer that a weight is of, else the first two words of its name.

    >>> _part("bert/encoder/layer_3/output/dense/kernel"), _part("bert/embeddings/LayerNorm/beta")
    ('bert/encoder/layer_3', 'bert/embeddings')
    """
    return str(re.findall(r".*/layer_\d+|[^/]+/[^/]+|.+", name)[0])


def start_at_frequencies(state: State, info: DatasetInfo) -> None:
    """Set the masked LM head's output bias to the logarithms of the frequencies that the labels of
    the data have; nothing without such a head. Every process comes to the same.
    """
    biases = [x for name, x in state.variables.items() if name in (OUTPUT_BIAS, GENERATOR_BIAS)]
    if not biases:
        return
    bias = biases[0]
    counts = label_counts(info, int(bias.shape[0])) + _UNSEEN
    bias.assign(np.log(counts / counts.sum()).astype(np.float32))


def require_agreement(strategy: Strategy, state: State, checksum: int) -> None:
    """Raise UserError if the processes would not train the same thing from the same step."""
    checks = ("step", state.steps_done), ("checksum of settings and data", checksum)
    for name, number in checks:
        numbers = all_gather_int(strategy, number, state.step)
        if len(set(numbers)) > 1:
            raise UserError(
                f"the processes of this training do not start alike ({name}: "
                f"{', '.join(map(str, numbers))}): give all the same command and a folder for "
                "--output that all of them see"
            )
