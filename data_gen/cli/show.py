"""The command `show`."""

import argparse
import os
import sys
from typing import Any

from data_gen.shared.commands import add_command, number, positive
from data_gen.shared.console import utf8_text
from data_gen.shared.errors import UserError
from data_gen.show.marks import KINDS

_IN_TERMINAL, _ON_PAGE = 3, 100  # examples


def add_show(commands: Any) -> None:
    """Add `show`."""
    parser = add_command(
        commands,
        "show",
        _show_examples,
        "print examples of a build for reading: the text and what masking did to it",
        "python -m data_gen show work/data -n 5 --find 语言 --kind replaced\n"
        "  python -m data_gen show work/data --html work/data.html",
    )
    parser.add_argument("folder", metavar="DIR", help="the output of a build")
    parser.add_argument(
        "-n",
        dest="count",
        type=positive,
        metavar="N",
        help=f"how many (default: {_IN_TERMINAL}; {_ON_PAGE} on a page)",
    )
    parser.add_argument("--start", type=positive, metavar="K", help="the first (default: 1)")
    parser.add_argument(
        "--random",
        type=number(0, 1 << 53, "a whole number", int),
        metavar="SEED",
        help="random ones; another number gives others",
    )
    parser.add_argument(
        "--find",
        type=_searched,
        metavar="TEXT",
        help="those that hold this text, as it was or as the model sees it",
    )
    parser.add_argument("--kind", choices=KINDS, help="those with a mark of this kind")
    parser.add_argument(
        "--pieces",
        type=positive,
        metavar="N",
        help="those with exactly N marked pieces in a row; --find, --kind and --pieces are looked "
        "for at the same place",
    )
    parser.add_argument(
        "--vocab", metavar="FILE", help="the vocab.txt of the build (default: as dataset.json says)"
    )
    parser.add_argument("--html", metavar="FILE", help="write a page for a browser instead")


def _searched(text: str) -> str:
    from data_gen.show.selection import simplified

    text = utf8_text(text)
    if not simplified(text):
        raise argparse.ArgumentTypeError("there is nothing to look for in it")
    return text


def _show_examples(args: argparse.Namespace) -> None:
    from data_gen.show import html_page, readable, terminal
    from data_gen.show.selection import Wanted, selected
    from data_gen.storage.dataset_folder import read_dataset

    if args.start and args.random is not None:
        raise UserError("give --start or --random, not both")
    info = read_dataset(args.folder)
    examples = readable.readable_examples(info, readable.build_vocabulary(info, args.vocab))
    wanted = Wanted(args.find or "", args.kind or "", args.pieces or 0)
    count = args.count or (_ON_PAGE if args.html else _IN_TERMINAL)
    shown = selected(examples, wanted, args.start or 1, count, args.random)
    legend = readable.legend_of(info)
    if args.html:
        html_page.require_new_page(args.html)
        print(f"{args.html}: {html_page.write_page(args.html, info, legend, shown):,} examples")
        return
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for line in terminal.text_lines(info, shown, legend, colour):
        print(line)
