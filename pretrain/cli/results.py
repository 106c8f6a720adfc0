"""The command `results`."""

import argparse
import json
from typing import Any

from data_gen.shared.commands import add_command


def add_results(commands: Any) -> None:
    """Add `results`."""
    parser = add_command(
        commands,
        "results",
        _results,
        "show the scores of fine-tunings; put models side by side and test their differences",
        "python -m pretrain results work/finetune/none work/finetune/macbert",
    )
    parser.add_argument(
        "folders", nargs="+", metavar="DIR", help="an output of finetune, or a folder of several"
    )
    parser.add_argument(
        "--part",
        choices=["dev", "test"],
        help="of the scores; default: test where all models of a task have it",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="tables in Markdown")
    form.add_argument("--json", action="store_true", help="for programs")


def _results(args: argparse.Namespace) -> None:
    from pretrain.results.files import find_results
    from pretrain.results.report import json_report, text_report
    from pretrain.tasks.published import rows

    results = find_results(args.folders)
    if args.json:
        print(json.dumps(json_report(results, args.part), ensure_ascii=False, indent=1))
    else:
        print(text_report(results, args.part, rows, args.markdown))
