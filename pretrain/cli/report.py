"""The command `report`."""

import argparse
from typing import Any

from data_gen.shared.commands import add_command


def add_report(commands: Any) -> None:
    """Add `report`."""
    parser = add_command(
        commands,
        "report",
        _report,
        "show what trainings learned, side by side: as text, or curves as a page or a picture",
        "python -m pretrain report work/model work/other --html report.html",
    )
    parser.add_argument(
        "folders",
        nargs="+",
        metavar="RUN",
        help="an output of train or finetune, or a folder that holds some; a training may be in "
        "progress",
    )
    parser.add_argument("--html", metavar="FILE", help="write one page that needs nothing else")
    parser.add_argument(
        "--svg", metavar="FILE", help="write losses and accuracies as a picture, for a README"
    )


def _report(args: argparse.Namespace) -> None:
    from pretrain.report.page import require_ours, write_page, write_picture
    from pretrain.report.report import make_report
    from pretrain.report.terminal import as_lines

    for path in (args.html, args.svg):
        if path:
            require_ours(path)
    report = make_report(args.folders)
    if args.html:
        write_page(args.html, report)
    if args.svg:
        write_picture(args.svg, report)
    written = [path for path in (args.html, args.svg) if path]
    print("\n".join(written) if written else as_lines(report))
