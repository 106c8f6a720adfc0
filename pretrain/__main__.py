"""`python -m pretrain`: train, evaluate and export BERT."""

import argparse
import json
import sys
from typing import Any, Optional, Sequence

from data_gen.settings import add_command, add_config_arguments, load_settings, run_command
from pretrain.config import TrainConfig

# TensorFlow takes seconds to import, so the modules that need it are imported by the command that
# runs.


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 failed with one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="python -m pretrain", description=__doc__)
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")
    commands.required = True
    _add_train(commands)
    _add_evaluate(commands)
    _add_export(commands)
    return run_command(parser, argv)


def _add_train(commands: Any) -> None:
    parser = add_command(
        commands,
        "train",
        _train,
        "train a model; the same command goes on where it was stopped",
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
        "--reinit-heads", action="store_true", help="but from new ones in the heads (cls/*)"
    )


def _train(args: argparse.Namespace) -> None:
    config = load_settings(TrainConfig, args.config, args.overrides)
    from pretrain.train import train

    last = train(config, args.data, args.output, args.init, args.reinit_heads)
    if last:
        print(last)


def _add_evaluate(commands: Any) -> None:
    parser = add_command(
        commands,
        "evaluate",
        _evaluate,
        "measure losses and accuracies on a data set",
        "python -m pretrain evaluate --model work/model --data work/heldout",
    )
    parser.add_argument(
        "--model", required=True, metavar="CKPT", help="a folder with checkpoints, or a prefix"
    )
    parser.add_argument("--data", required=True, metavar="DIR", help="output of data_gen build")
    parser.add_argument("--json", action="store_true", help="for programs")


def _evaluate(args: argparse.Namespace) -> None:
    from pretrain.evaluate import evaluate, load_model

    result = evaluate(load_model(args.model), args.data)
    if args.json:
        print(json.dumps(result, indent=1))
        return
    kinds = ", ".join(
        f"{kind} {share:.1%}" for kind, share in result["masked_lm_accuracy_by_kind"].items()
    )
    print(f"{result['checkpoint']} on {result['examples']:,} examples of {result['data']}")
    print(
        f"masked words: loss {result['masked_lm_loss']:.3f}, accuracy "
        f"{result['masked_lm_accuracy']:.1%} ({kinds})"
    )
    if result["pair_task"] != "none":
        pairs = f"loss {result['pair_loss']:.3f}, accuracy {result['pair_accuracy']:.1%}"
        print(f"pairs ({result['pair_task']}): {pairs}")


def _add_export(commands: Any) -> None:
    parser = add_command(
        commands,
        "export",
        _export,
        "write a release that other programs load",
        "python -m pretrain export --format tf1 --model work/model --output work/release",
    )
    parser.add_argument(
        "--format", required=True, choices=["tf1"], help="tf1: as Google and HFL ship BERT"
    )
    parser.add_argument(
        "--model", required=True, metavar="CKPT", help="a folder with checkpoints, or a prefix"
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="a new folder")


def _export(args: argparse.Namespace) -> None:
    from pretrain.export import FORMATS

    print(FORMATS[args.format](args.model, args.output))


if __name__ == "__main__":
    sys.exit(main())
