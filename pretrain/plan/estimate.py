"""Estimate the cost of a training before it starts: memory, operations, days. Needs no TensorFlow.

All but the counts of weights and operations are estimates; the result says what goes into them.
"""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from data_gen.shared.dataset.dataset_info import DatasetInfo, read_info
from data_gen.shared.dataset.features import predictions_for
from data_gen.shared.durations import duration
from data_gen.shared.errors import UserError
from pretrain.config import TrainConfig
from pretrain.inputs.checks import (
    copies_held_back,
    in_steps,
    require_a_batch,
    require_for_stage,
    split_heldout,
)
from pretrain.learning.objective import Objective
from pretrain.learning.objectives import OBJECTIVES
from pretrain.learning.optimizers import slot_shapes
from pretrain.learning.stages import Stage
from pretrain.model.config import BertConfig, read_bert_config
from pretrain.model.cost import count, state_bytes
from pretrain.plan.accelerators import DEVICES, Device, find_device

GIB = 1 << 30
_SHARD_BYTES = 256 << 20
_MANY_EPOCHS = 1000  # far beyond every published recipe: the text is too small for the preset
_LENGTH, _RATE = 512, 0.15  # if neither stage nor data say more; the paper's masked_lm_prob


class Setup(NamedTuple):
    """A model, its training and the devices for it."""

    config: TrainConfig
    model: BertConfig
    device: Device
    devices: int  # how many
    utilisation: float  # share of their peak

    @property
    def objective(self) -> Objective:
        """The objective that the settings name."""
        return OBJECTIVES[self.config.objective]

    @property
    def weights(self) -> int:
        """Numbers in all weights."""
        return count(self.objective.variables(self.model, self.config))

    def state_bytes(self, accumulates: bool) -> int:
        """Return the bytes of weights, gradients and slots on a device."""
        shapes = self.objective.variables(self.model, self.config)
        slots = count(slot_shapes(self.config.optimizer, shapes))
        return state_bytes(count(shapes), slots, self.config.precision, accumulates)


def estimate(
    config: TrainConfig, device: str, devices: int, utilisation: float, data: Sequence[str] = ()
) -> Dict[str, Any]:
    """Estimate the cost of a training on some devices at the share `utilisation` of their peak.

    data: the folder of each stage, if they are built; mistakes in them are among the warnings
    Raises UserError for an unknown device, or for another number of folders than of stages.
    """
    device = find_device(device)
    number = len(config.stage_configs())
    if data and len(data) != number:
        raise UserError(f"this training has {number} stage(s), --data {len(data)} folder(s)")
    infos: List[Optional[DatasetInfo]] = [*map(_read, data)] if data else [None] * number
    config = _in_steps(config, infos)
    model = read_bert_config(config.bert_config_file)
    setup = Setup(config, model, DEVICES[device], devices, utilisation)
    stages = config.resolved_stages()
    parts = [_estimate_stage(setup, stage, info) for stage, info in zip(stages, infos)]
    return {
        "device": device,
        "devices": devices,
        "utilisation": utilisation,
        "weights": setup.weights,
        "state_gib": round(setup.state_bytes(False) / GIB, 2),
        "stages": parts,
        "days": round(sum(part["days"] for part in parts), 2),
        "tokens": sum(part["tokens"] for part in parts),
        "warnings": [warning for part in parts for warning in part.pop("warnings")],
    }


def _read(folder: str) -> DatasetInfo:
    if "://" not in folder:
        return read_info(folder)
    from pretrain.inputs.batches import open_data  # TensorFlow is needed for buckets alone

    return open_data(folder)


def _in_steps(config: TrainConfig, infos: Sequence[Optional[DatasetInfo]]) -> TrainConfig:
    if not config.has_epochs:
        return in_steps(config, [0] * len(infos))
    known = [split_heldout(info, config.heldout_shards)[0] for info in infos if info]
    if not known:
        raise UserError(
            "this training is as long as its data say (num_train_epochs): give --data, or --set "
            "num_train_epochs=null --set num_train_steps=N"
        )
    return in_steps(config, [info.examples for info in known])


def _estimate_stage(setup: Setup, stage: Stage, info: Optional[DatasetInfo]) -> Dict[str, Any]:
    length = info.max_seq_length if info else stage.max_seq_length or _LENGTH
    predictions = info.max_predictions_per_seq if info else predictions_for(length, _RATE)
    sequences = stage.num_train_steps * stage.train_batch_size
    size = sequences * _example_bytes(length, predictions)
    result = {
        "max_seq_length": length,
        "train_batch_size": stage.train_batch_size,
        "steps": stage.num_train_steps,
        "sequences": sequences,
        "tokens": sequences * length,
        **_time(setup, stage, length, predictions),
        **_memory(setup, stage, length, predictions),
        "gigabytes_without_repetition": round(size / 1e9, 1),
        "shards_without_repetition": max(1, -(-size // _SHARD_BYTES)),
    }
    result["warnings"] = _warnings(result, setup, stage)
    if info:
        result.update(_epochs(setup, stage, info, sequences, result["warnings"]))
    return result


def _lacks_bfloat16(setup: Setup) -> bool:
    return setup.config.precision == "bfloat16" and not setup.device.bfloat16


def _time(setup: Setup, stage: Stage, length: int, predictions: int) -> Dict[str, Any]:
    flops, model, config = setup.objective.flops, setup.model, setup.config
    operations = stage.train_batch_size * flops(model, length, predictions, False)
    done = stage.train_batch_size * flops(model, length, predictions, config.recompute)
    single = _lacks_bfloat16(setup) or config.precision == "float32"
    rate = 1e12 * setup.devices * (setup.device.single if single else setup.device.half)
    seconds = done / rate / setup.utilisation
    return {
        "flops_per_step": operations,
        "seconds_per_step": round(seconds, 4),
        "days": round(stage.num_train_steps * seconds / 86400, 2),
    }


def _epochs(
    setup: Setup, stage: Stage, info: DatasetInfo, sequences: int, warnings: List[str]
) -> Dict[str, float]:
    """Return the epochs that the data of a stage last. Mistakes in the data join the warnings."""
    found = {}
    try:
        require_for_stage(info, stage, setup.config, setup.model)
        trained, _ = split_heldout(info, setup.config.heldout_shards)
        warnings += copies_held_back(info, setup.config.heldout_shards)
        found["epochs"] = round(sequences / trained.examples, 1)
        if found["epochs"] > _MANY_EPOCHS:
            warnings.append(
                f"{info.folder} is trained on {found['epochs']:,.0f} times over: give more text or "
                "fewer steps, --set num_train_steps=N"
            )
        require_a_batch(trained, stage)
    except UserError as error:
        warnings.append(str(error))
    return found


def _example_bytes(length: int, predictions: int) -> int:
    """Return the bytes of an example's TFRecord: ids of two bytes, flags of one, labels, weights,
    names.
    """
    return int(4.1 * length + 7.5 * predictions + 150)


def _memory(setup: Setup, stage: Stage, length: int, predictions: int) -> Dict[str, Any]:
    """Return the memory that a device needs for its part of the batch, and the largest part that
    fits with a tenth to spare.
    """
    config = setup.config
    each = setup.objective.activation_bytes(
        setup.model, length, predictions, config.precision, config.recompute
    )
    accumulates = stage.gradient_accumulation_steps > 1
    state = setup.state_bytes(accumulates)

    def fit(accumulates: bool) -> int:
        free = 0.9 * setup.device.gib * GIB - setup.state_bytes(accumulates)
        return max(0, int(free // each))

    part = -(-stage.train_batch_size // (setup.devices * stage.gradient_accumulation_steps))
    return {
        "sequences_a_device": part,
        "gib_a_device": round((state + part * each) / GIB, 2),
        "gib_by_sequences": {n: round((state + n * each) / GIB, 2) for n in (1, 8, 32, 128)},
        "sequences_that_fit": fit(accumulates),
        "sequences_that_fit_accumulating": fit(True),  # for the advice to accumulate
    }


def _warnings(result: Dict[str, Any], setup: Setup, stage: Stage) -> List[str]:
    name, device = f"length {result['max_seq_length']}", setup.device
    positions = setup.model.max_position_embeddings
    found = []
    if result["max_seq_length"] > positions:
        found.append(f"{name}: the model has {positions} positions")
    if stage.train_batch_size % (setup.devices * stage.gradient_accumulation_steps):
        found.append(f"{name}: train_batch_size is no multiple of devices times accumulation")
    if not result["sequences_that_fit"]:
        found.append(f"{name}: not even one sequence fits in {device.gib} GiB: recompute=true")
    elif result["sequences_a_device"] > result["sequences_that_fit"]:
        at_once = setup.devices * max(1, result["sequences_that_fit_accumulating"])
        found.append(
            f"{name}: {result['gib_a_device']} GiB do not fit in {device.gib} GiB: "
            f"gradient_accumulation_steps of at least {-(-stage.train_batch_size // at_once)}, "
            "or recompute=true"
        )
    if _lacks_bfloat16(setup):
        found.append("this device is no faster in bfloat16: precision=float16")
    return found


def _seconds(stage: Dict[str, Any]) -> float:
    return float(stage["seconds_per_step"] * stage["steps"])


def as_text(result: Dict[str, Any]) -> str:
    """Return an estimate as text for people."""
    lines = [
        f"{result['weights']:,} weights; with gradients and the optimizer's slots "
        f"{result['state_gib']} GiB on each device"
    ]
    for stage in result["stages"]:
        memory = ", ".join(f"{n}: {gib}" for n, gib in stage["gib_by_sequences"].items())
        lines += [
            f"length {stage['max_seq_length']}, batch {stage['train_batch_size']:,}, "
            f"{stage['steps']:,} steps: {stage['tokens']:,} tokens, "
            f"{stage['flops_per_step'] / 1e12:,.1f} TFLOP a step",
            f"  {duration(stage['seconds_per_step'])} a step, {duration(_seconds(stage))} in all",
            f"  {stage['sequences_a_device']} sequences a device: about {stage['gib_a_device']} "
            f"GiB; {stage['sequences_that_fit']} fit (GiB by sequences: {memory})",
            f"  without repetition {stage['gigabytes_without_repetition']:,} GB of records, "
            f"shards of 256 MiB: {stage['shards_without_repetition']:,}"
            + (f"; of the data given {stage['epochs']:,} epochs" if "epochs" in stage else ""),
        ]
    whole = duration(sum(map(_seconds, result["stages"])))
    lines.append(
        f"{whole} on {result['devices']} x {result['device']} at "
        f"{result['utilisation']:.0%} of the maker's peak"
    )
    return "\n".join(lines + [f"warning: {warning}" for warning in result["warnings"]])
