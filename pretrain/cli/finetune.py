"""The command `finetune`."""

import argparse
from typing import Any, Optional, Sequence

from data_gen.shared.commands import add_command, add_overrides, number, positive
from data_gen.shared.errors import UserError
from data_gen.shared.settings import load_settings
from pretrain.tasks.tasks import TASKS


def add_finetune(commands: Any) -> None:
    """Add `finetune`."""
    parser = add_command(
        commands,
        "finetune",
        _finetune,
        "fine-tune a checkpoint on a task, once for each seed, and measure it; the same command "
        "goes on where it was stopped",
        "python -m pretrain finetune --task chnsenticorp --data data/chnsenticorp --init "
        "work/model --output work/chnsenticorp --runs 10",
    )
    parser.add_argument(
        "--task", required=True, choices=sorted(TASKS), help="of the table of tasks"
    )
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--data", metavar="DIR", help="a folder with the task's files")
    data.add_argument(
        "--features", metavar="DIR", help="of --features-only, which TensorFlow 1.15 reads, too"
    )
    parser.add_argument(
        "--init", required=True, metavar="CKPT", help="the model: a checkpoint's folder or prefix"
    )
    parser.add_argument(
        "--random-init",
        action="store_true",
        help="random weights of that model's shape instead, different for each seed: a baseline",
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="a folder of its own")
    parser.add_argument(
        "--runs", type=positive, default=1, metavar="N", help="number of seeds (default: 1)"
    )
    parser.add_argument(
        "--first-seed", type=positive, default=1, metavar="N", help="of the runs (default: 1)"
    )
    parser.add_argument(
        "--dev-share",
        type=number(0.01, 0.5, "a share from 0.01 to 0.5"),
        default=0.0,
        metavar="P",
        help="of train, taken as dev part by a hash of the text where the data have none",
    )
    parser.add_argument(
        "--config",
        metavar="PRESET",
        help="the name of a preset (`--list`), or a file of settings; default: the task's",
    )
    add_overrides(
        parser,
        "--set",
        "override one setting, e.g. --set learning_rate=3.0e-5; may be given again",
    )
    parser.add_argument(
        "--features-only", action="store_true", help="write OUTPUT/features and train nothing"
    )


def settings_of(task: str, config: Optional[str], overrides: Sequence[str]) -> Any:
    """Read the settings of a fine-tuning: of a file, by default the task's preset."""
    from pretrain.finetune.config import FinetuneSettings

    return load_settings(FinetuneSettings, config or TASKS[task].preset, overrides)


def _finetune(args: argparse.Namespace) -> None:
    from pretrain.finetune.runs import Data, Source, finetune, write_features_only
    from pretrain.results.files import find_results
    from pretrain.results.report import text_report
    from pretrain.tasks.published import rows

    if args.features_only and not args.data:
        raise UserError("--features-only makes features of a task's files: give --data")
    settings = settings_of(args.task, args.config, args.overrides)
    data = Data(args.task, args.data or args.features, bool(args.features), args.dev_share)
    source = Source(args.init, args.random_init)
    seeds = range(args.first_seed, args.first_seed + args.runs)
    if args.features_only:
        print(write_features_only(data, source, args.output, settings))
        return
    if finetune(data, source, args.output, settings, seeds):
        print(text_report(find_results([args.output]), None, rows, False))
