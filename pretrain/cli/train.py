"""The command `train`."""

import argparse
from typing import Any

from data_gen.shared.commands import add_command, add_config_arguments
from data_gen.shared.errors import UserError
from data_gen.shared.settings import load_settings
from pretrain.config import TrainConfig


def add_train(commands: Any) -> None:
    """Add `train`."""
    parser = add_command(
        commands,
        "train",
        _train,
        "train a model; the same command resumes a training that was stopped",
        "python -m pretrain train --config configs/pretrain/macbert_base.yaml --data work/data "
        "--output work/model",
    )
    add_config_arguments(parser, "configs/pretrain")
    parser.add_argument(
        "--data",
        required=True,
        nargs="+",
        metavar="DIR",
        help="output of data_gen build, one a stage",
    )
    parser.add_argument(
        "--output", required=True, metavar="DIR", help="a new folder, or one of the same training"
    )
    parser.add_argument(
        "--init", metavar="CKPT", help="start from these weights: a checkpoint's folder or prefix"
    )
    parser.add_argument(
        "--heldout", metavar="DIR", help="data to evaluate on with every checkpoint"
    )
    parser.add_argument(
        "--reinit-heads", action="store_true", help="with --init: but new heads (cls/*)"
    )


def _train(args: argparse.Namespace) -> None:
    config = load_settings(TrainConfig, args.config, args.overrides)
    if args.reinit_heads and not args.init:
        raise UserError("--reinit-heads is about the model to start from: name it with --init")
    from pretrain.train.loop import train

    last = train(config, args.data, args.output, args.init, args.reinit_heads, args.heldout)
    if last:
        print(last)
