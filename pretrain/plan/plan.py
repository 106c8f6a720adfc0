"""What a training will cost before it starts: memory, operations, days. Needs no TensorFlow.

All but the counts of weights and operations are estimates; what goes into them is said.
"""

from typing import Any, Dict, List, Optional, Sequence

from data_gen.shared.dataset_info import DatasetInfo, read_info
from data_gen.shared.errors import UserError
from pretrain.config import BertConfig, Stage, TrainConfig, read_bert_config
from pretrain.inputs.checks import (
    copies_held_back,
    require_a_batch,
    require_for_stage,
    split_heldout,
)
from pretrain.model.cost import activation_bytes, flops, state_bytes, weights
from pretrain.plan.accelerators import DEVICES, Device

GIB = 1 << 30
_SHARD_BYTES = 256 << 20
_LENGTH, _RATE = 512, 0.15  # where neither stage nor data says more; the paper's masked_lm_prob


def plan(
    config: TrainConfig, device: str, count: int, used: float, data: Sequence[str] = ()
) -> Dict[str, Any]:
    """The cost of a training on `count` devices at the share `used` of their peak.

    data: the folder of each stage, where they are built; what is wrong with them is among the
    warnings. Raises UserError for an unknown device, or
    for another number of folders than of stages.
    """
    if device not in DEVICES:
        raise UserError(f"there is no device {device} here: name one of {', '.join(DEVICES)}")
    stages = config.resolved_stages()
    if data and len(data) != len(stages):
        raise UserError(f"this training has {len(stages)} stage(s), --data {len(data)} folder(s)")
    model = read_bert_config(config.bert_config_file)
    folders: List[Optional[str]] = [*data] if data else [None] * len(stages)
    parts = [
        _plan_stage(config, model, stage, DEVICES[device], count, used, folder)
        for stage, folder in zip(stages, folders)
    ]
    return {
        "device": device,
        "devices": count,
        "utilisation": used,
        "weights": weights(model),
        "state_gib": round(state_bytes(model, config.precision) / GIB, 2),
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


def _plan_stage(
    config: TrainConfig,
    model: BertConfig,
    stage: Stage,
    device: Device,
    count: int,
    used: float,
    folder: Optional[str],
) -> Dict[str, Any]:
    info = _read(folder) if folder else None
    length = info.max_seq_length if info else stage.max_seq_length or _LENGTH
    predictions = info.max_predictions_per_seq if info else round(length * _RATE * 1.1)
    work = stage.train_batch_size * flops(model, length, predictions)
    done = stage.train_batch_size * flops(model, length, predictions, config.recompute)
    lacking = config.precision == "bfloat16" and not device.bfloat16
    single = lacking or config.precision == "float32"
    peak = 1e12 * count * (device.single if single else device.half)
    sequences = stage.num_train_steps * stage.train_batch_size
    size = sequences * _example_bytes(length, predictions)
    result = {
        "max_seq_length": length,
        "train_batch_size": stage.train_batch_size,
        "steps": stage.num_train_steps,
        "sequences": sequences,
        "tokens": sequences * length,
        "flops_per_step": work,
        "seconds_per_step": round(done / peak / used, 4),
        "days": round(stage.num_train_steps * done / peak / used / 86400, 2),
        **_memory(config, model, stage, device, count, length, predictions),
        "gigabytes_without_repetition": round(size / 1e9, 1),
        "shards_without_repetition": max(1, -(-size // _SHARD_BYTES)),
    }
    result["warnings"] = _warnings(result, stage, device, count, model)
    if lacking:
        result["warnings"].append("this device is no faster in bfloat16: precision=float16")
    if info:
        try:
            require_for_stage(info, stage, config, model)
            trained, _ = split_heldout(info, config.heldout_shards)
            result["warnings"] += copies_held_back(info, config.heldout_shards)
            result["epochs"] = round(sequences / trained.examples, 1)
            require_a_batch(trained, stage)
        except UserError as error:
            result["warnings"].append(str(error))
    return result


def _example_bytes(length: int, predictions: int) -> int:
    """A TFRecord of one example: ids of two bytes, flags of one, labels, weights, names."""
    return int(4.1 * length + 7.5 * predictions + 150)


def _memory(
    config: TrainConfig,
    model: BertConfig,
    stage: Stage,
    device: Device,
    count: int,
    length: int,
    predictions: int,
) -> Dict[str, Any]:
    """What a device needs for its part of the batch, and the largest part that fits with a tenth
    to spare.
    """
    each = activation_bytes(model, length, predictions, config.precision, config.recompute)
    accumulates = stage.gradient_accumulation_steps > 1
    state = state_bytes(model, config.precision, accumulates)

    def fit(accumulates: bool) -> int:
        free = 0.9 * device.gib * GIB - state_bytes(model, config.precision, accumulates)
        return max(0, int(free // each))

    part = -(-stage.train_batch_size // (count * stage.gradient_accumulation_steps))
    return {
        "sequences_a_device": part,
        "gib_a_device": round((state + part * each) / GIB, 2),
        "gib_by_sequences": {n: round((state + n * each) / GIB, 2) for n in (1, 8, 32, 128)},
        "sequences_that_fit": fit(accumulates),
        "sequences_that_fit_accumulating": fit(True),  # for the advice to accumulate
    }


def _warnings(
    result: Dict[str, Any], stage: Stage, device: Device, count: int, model: BertConfig
) -> List[str]:
    name = f"length {result['max_seq_length']}"
    found = []
    if result["max_seq_length"] > model.max_position_embeddings:
        found.append(f"{name}: the model has {model.max_position_embeddings} positions")
    if stage.train_batch_size % (count * stage.gradient_accumulation_steps):
        found.append(f"{name}: train_batch_size is no multiple of devices times accumulation")
    at_once = result["sequences_that_fit_accumulating"]
    if not result["sequences_that_fit"]:
        found.append(f"{name}: not even one sequence fits in {device.gib} GiB: recompute=true")
    elif result["sequences_a_device"] > result["sequences_that_fit"]:
        least = -(-stage.train_batch_size // (count * max(1, at_once)))
        found.append(
            f"{name}: {result['gib_a_device']} GiB do not fit in {device.gib} GiB: "
            f"gradient_accumulation_steps of at least {least}, or recompute=true"
        )
    return found


def text(result: Dict[str, Any]) -> str:
    """A plan for reading."""
    lines = [
        f"{result['weights']:,} weights; with gradients and two slots {result['state_gib']} GiB on "
        "each device"
    ]
    for stage in result["stages"]:
        memory = ", ".join(f"{n}: {gib}" for n, gib in stage["gib_by_sequences"].items())
        lines += [
            f"length {stage['max_seq_length']}, batch {stage['train_batch_size']:,}, "
            f"{stage['steps']:,} steps: {stage['tokens']:,} tokens, "
            f"{stage['flops_per_step'] / 1e12:,.1f} TFLOP a step",
            f"  {stage['seconds_per_step']} s a step, {stage['days']:,} days",
            f"  {stage['sequences_a_device']} sequences a device: about {stage['gib_a_device']} "
            f"GiB; {stage['sequences_that_fit']} fit (GiB by sequences: {memory})",
            f"  without repetition {stage['gigabytes_without_repetition']:,} GB of records, "
            f"{stage['shards_without_repetition']:,} shards of 256 MiB"
            + (f"; of the data given {stage['epochs']} epochs" if "epochs" in stage else ""),
        ]
    lines.append(
        f"{result['days']:,} days on {result['devices']} x {result['device']} at "
        f"{result['utilisation']:.0%} of the maker's peak"
    )
    return "\n".join(lines + [f"warning: {warning}" for warning in result["warnings"]])
