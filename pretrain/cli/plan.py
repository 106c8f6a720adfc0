"""The commands `plan` and `bench`."""

import argparse
import json
from typing import Any

from data_gen.shared.commands import add_command, add_config_arguments, number, positive
from data_gen.shared.settings import load_settings
from data_gen.shared.shipped import find_file
from pretrain.cli.arguments import with_files_of
from pretrain.config import PRECISIONS, TrainConfig
from pretrain.learning.optimizers import OPTIMIZERS
from pretrain.model.config import read_bert_config


def add_plan(commands: Any) -> None:
    """Add `plan`."""
    parser = add_command(
        commands,
        "plan",
        _plan,
        "estimate the cost of a training: memory, operations, days, shards",
        "python -m pretrain plan --config macbert_base --device a100-80 --devices 8",
    )
    add_config_arguments(parser, "configs/pretrain")
    parser.add_argument("--device", default="a100-80", help="a100-80 (default), h100, tpu-v4, ...")
    parser.add_argument(
        "--devices", type=positive, default=1, metavar="N", help="how many; of TPU v2 and v3 cores"
    )
    parser.add_argument(
        "--utilisation",
        type=number(0.01, 1, "a share from 0.01 to 1"),
        default=0.4,
        help="share of their peak, default 0.4",
    )
    parser.add_argument("--data", nargs="+", default=[], metavar="DIR", help="one a stage")
    parser.add_argument(
        "--init", metavar="CKPT", help="the model to start from, whose bert_config.json counts"
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def _plan(args: argparse.Namespace) -> None:
    from pretrain.plan.estimate import as_text, estimate

    config = load_settings(TrainConfig, args.config, args.overrides)
    if args.init:
        config = with_files_of(config, args.init, args.overrides)
    result = estimate(config, args.device, args.devices, args.utilisation, args.data)
    print(json.dumps(result, indent=1) if args.json else as_text(result))


def add_bench(commands: Any) -> None:
    """Add `bench`."""
    parser = add_command(
        commands,
        "bench",
        _bench,
        "measure how fast this machine trains, on random data",
        "python -m pretrain bench --model base --precision bfloat16",
    )
    parser.add_argument(
        "--model",
        default="base",
        help="the name of a model (`--list`), or a bert_config.json; default: base",
    )
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="float32", help="of activations and products"
    )
    parser.add_argument("--jit-compile", action="store_true", help="with XLA")
    parser.add_argument("--recompute", action="store_true", help="layers anew in the backward pass")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="adamw", help="of the update")
    parser.add_argument(
        "--batch", type=positive, default=8, metavar="N", help="sequences, default 8"
    )
    parser.add_argument(
        "--length", type=positive, default=128, metavar="S", help="pieces, default 128"
    )
    parser.add_argument(
        "--predictions", type=positive, default=20, metavar="P", help="a sequence, default 20"
    )
    parser.add_argument(
        "--steps-per-call", type=positive, default=1, metavar="N", help="steps in one call"
    )
    parser.add_argument("--tpu", help="local, or the name of a TPU")
    parser.add_argument(
        "--seconds", type=positive, default=20, metavar="N", help="for each kind of step"
    )


def _bench(args: argparse.Namespace) -> None:
    model = read_bert_config(find_file("models", args.model))
    config = TrainConfig(
        precision=args.precision,
        jit_compile=args.jit_compile,
        recompute=args.recompute,
        optimizer=args.optimizer,
        train_batch_size=args.batch,
        steps_per_call=args.steps_per_call,
        save_checkpoints_steps=args.steps_per_call,
        log_steps=args.steps_per_call,
        num_train_steps=1000 * args.steps_per_call,
        num_warmup_steps=10,
        tpu=args.tpu,
    )
    from pretrain.plan.benchmark import bench

    result = bench(model, config, args.length, args.predictions, args.seconds)
    print(json.dumps(result, indent=1))
