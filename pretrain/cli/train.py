"""The command `train`."""

import argparse
from typing import Any

from data_gen.shared.commands import (
    add_command,
    add_config_arguments,
    add_overrides,
    positive,
)
from data_gen.shared.errors import UserError
from data_gen.shared.settings import load_settings
from pretrain.cli.arguments import with_files_of
from pretrain.config import TrainConfig
from pretrain.tasks.tasks import TASKS


def add_train(commands: Any) -> None:
    """Add `train`."""
    parser = add_command(
        commands,
        "train",
        _train,
        "train a model; the same command resumes a training that was stopped",
        "python -m pretrain train --config macbert_base --data work/data --output work/model",
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
        "--init",
        metavar="CKPT",
        help="start from these weights: a checkpoint's folder or prefix; bert_config.json and "
        "vocab.txt beside it are those of the training",
    )
    parser.add_argument(
        "--heldout",
        metavar="DIR",
        help="data to evaluate on at the start and with every checkpoint",
    )
    parser.add_argument(
        "--probe",
        action="append",
        default=[],
        metavar="TASK:DIR",
        help="fine-tune a copy on a task of finetune with every checkpoint; may be given again",
    )
    parser.add_argument(
        "--probe-every", type=positive, metavar="K", help="steps; default: with every checkpoint"
    )
    add_overrides(
        parser,
        "--probe-set",
        "override a setting of the task's preset",
        "probe_overrides",
    )
    parser.add_argument(
        "--reinit-heads", action="store_true", help="with --init: but new heads (cls/*)"
    )
    parser.add_argument(
        "--no-verify",
        dest="verified",
        action="store_false",
        help="do not check the shards' sha256 first; run.json says so",
    )


def _train(args: argparse.Namespace) -> None:
    config = load_settings(TrainConfig, args.config, args.overrides)
    if args.reinit_heads and not args.init:
        raise UserError("--reinit-heads is about the model to start from: name it with --init")
    if args.init:
        config = with_files_of(config, args.init, args.overrides)
    from pretrain.train.loop import train

    probe = _probe(args, config) if args.probe else None
    last = train(
        config,
        args.data,
        args.output,
        args.init,
        args.reinit_heads,
        args.heldout,
        probe,
        verified=args.verified,
    )
    if last:
        print(last)


def _probe(args: argparse.Namespace, config: TrainConfig) -> Any:
    from pretrain.cli.finetune import settings_of
    from pretrain.finetune.probe import Probe, ProbeTask

    tasks = []
    for text in args.probe:
        task, _, folder = text.partition(":")
        if task not in TASKS or not folder:
            raise UserError(
                f"--probe {text} is not of the form TASK:DIR, TASK being one of {', '.join(TASKS)}"
            )
        tasks.append(ProbeTask(task, folder, settings_of(task, None, args.probe_overrides)))
    return Probe(tasks, args.probe_every or config.save_checkpoints_steps, config)
