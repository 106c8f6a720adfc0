"""`python -m pretrain`: train BERT, evaluate it, try it, and take it in and out."""

import argparse
import json
import sys
from typing import Any, Optional, Sequence

from data_gen.settings import (
    UserError,
    add_command,
    add_config_arguments,
    load_settings,
    positive,
    run_command,
)
from pretrain.config import OPTIMIZERS, PRECISIONS, TrainConfig, read_bert_config
from pretrain.exchange_tools import add_exchange
from pretrain.predict_tools import add_predict
from pretrain.vocabulary_tools import add_check_head, add_vocab

# TensorFlow takes seconds to import, so the modules that need it are imported by the command that
# runs.


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 failed with one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="python -m pretrain", description=__doc__)
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")
    commands.required = True
    _add_train(commands)
    _add_evaluate(commands)
    add_exchange(commands)
    add_predict(commands)
    add_check_head(commands)
    add_vocab(commands)
    _add_plan(commands)
    _add_bench(commands)
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
        "--heldout", metavar="DIR", help="data to evaluate on with every checkpoint"
    )
    parser.add_argument(
        "--reinit-heads", action="store_true", help="but from new ones in the heads (cls/*)"
    )


def _train(args: argparse.Namespace) -> None:
    config = load_settings(TrainConfig, args.config, args.overrides)
    if args.reinit_heads and not args.init:
        raise UserError("--reinit-heads is about the model to start from: name it with --init")
    from pretrain.train import train

    last = train(config, args.data, args.output, args.init, args.reinit_heads, args.heldout)
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
    parser.add_argument(
        "--similar-words", metavar="FILE", help="of synonyms build: tells similar from random words"
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def _evaluate(args: argparse.Namespace) -> None:
    from pretrain.evaluate import evaluate
    from pretrain.model import load_model

    result = evaluate(load_model(args.model), args.data, similar_words=args.similar_words)
    if args.json:
        print(json.dumps(result, indent=1))
        return
    kinds = ", ".join(
        f"{kind} {share:.1%}" for kind, share in result["masked_lm_accuracy_by_kind"].items()
    )
    print(f"{result['checkpoint']} on {result['examples']:,} examples of {result['data']}")
    print(
        f"masked words: loss {result['masked_lm_loss']:.3f}, perplexity "
        f"{result['perplexity']:.1f}, accuracy {result['masked_lm_accuracy']:.1%} ({kinds})"
    )
    if result["pair_task"] != "none":
        pairs = f"loss {result['pair_loss']:.3f}, accuracy {result['pair_accuracy']:.1%}"
        print(f"pairs ({result['pair_task']}): {pairs}")
        for label, (zero, one) in enumerate(result["pair_confusion"]):
            print(f"  label {label}: {zero:,} called 0, {one:,} called 1")


def _add_plan(commands: Any) -> None:
    parser = add_command(
        commands,
        "plan",
        _plan,
        "say what a training will cost: memory, operations, days, shards",
        "python -m pretrain plan --config configs/pretrain/macbert_base.yaml --device a100-80 "
        "--devices 8",
    )
    add_config_arguments(parser, "configs/pretrain")
    parser.add_argument("--device", default="a100-80", help="a100-80 (default), h100, tpu-v4, ...")
    parser.add_argument(
        "--devices", type=positive, default=1, metavar="N", help="how many; of TPU v2 and v3 cores"
    )
    parser.add_argument(
        "--utilisation", type=share_of_one, default=0.4, help="share of their peak, default 0.4"
    )
    parser.add_argument("--data", nargs="+", default=[], metavar="DIR", help="one a stage")
    parser.add_argument("--json", action="store_true", help="for programs")


def _plan(args: argparse.Namespace) -> None:
    from pretrain.plan import plan, text

    config = load_settings(TrainConfig, args.config, args.overrides)
    result = plan(config, args.device, args.devices, args.utilisation, args.data)
    print(json.dumps(result, indent=1) if args.json else text(result))


def _add_bench(commands: Any) -> None:
    parser = add_command(
        commands,
        "bench",
        _bench,
        "measure how fast this machine trains, on random data",
        "python -m pretrain bench --model base --precision bfloat16",
    )
    parser.add_argument("--model", default="base", help="of configs/models/, default base")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--jit-compile", action="store_true", help="with XLA")
    parser.add_argument("--recompute", action="store_true", help="layers anew in the backward pass")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="adamw")
    parser.add_argument("--batch", type=positive, default=8, metavar="N", help="default 8")
    parser.add_argument("--length", type=positive, default=128, metavar="S", help="default 128")
    parser.add_argument("--predictions", type=positive, default=20, metavar="P", help="default 20")
    parser.add_argument("--steps-per-call", type=positive, default=1, metavar="N")
    parser.add_argument("--tpu", help="local, or the name of a TPU")
    parser.add_argument(
        "--seconds", type=positive, default=20, metavar="N", help="for each kind of step"
    )


def _bench(args: argparse.Namespace) -> None:
    model = read_bert_config(f"configs/models/{args.model}.json")
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
    from pretrain.bench import bench

    result = bench(model, config, args.length, args.predictions, args.seconds)
    print(json.dumps(result, indent=1))


def share_of_one(value: str) -> float:
    """A number above 0 and at most 1; for argparse's `type=`."""
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f"{value} is not a share between 0 and 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
