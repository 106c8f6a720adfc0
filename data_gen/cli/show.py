"""The command `show`."""

import argparse
import os
import sys
from typing import Any

from data_gen.shared.commands import add_command, positive


def add_show(commands: Any) -> None:
    """Add `show`."""
    parser = add_command(
        commands,
        "show",
        _show_examples,
        "print examples of a build for reading: the text and what masking did to it",
        "python -m data_gen show work/data -n 5 --start 100",
    )
    parser.add_argument("folder", metavar="DIR", help="the output of a build")
    parser.add_argument(
        "-n", dest="count", type=positive, default=3, metavar="N", help="how many (default: 3)"
    )
    parser.add_argument(
        "--start", type=positive, default=1, metavar="K", help="the first to show (default: 1)"
    )
    parser.add_argument(
        "--vocab", metavar="FILE", help="the vocab.txt of the build (default: as dataset.json says)"
    )
    parser.add_argument("--html", metavar="FILE", help="write a page for a browser instead")


def _show_examples(args: argparse.Namespace) -> None:
    from data_gen.show import html_page, readable, terminal
    from data_gen.storage.dataset_folder import read_dataset

    info = read_dataset(args.folder)
    vocabulary = readable.build_vocabulary(info, args.vocab)
    examples = readable.shown_examples(info, vocabulary, args.start, args.count)
    if args.html:
        html_page.require_new_page(args.html)
        print(f"{args.html}: {html_page.write_page(args.html, info, examples):,} examples")
        return
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for line in terminal.text_lines(examples, colour):
        print(line)
