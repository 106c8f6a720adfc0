"""Arguments that several commands share."""

import argparse


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add `--model`."""
    parser.add_argument(
        "--model", required=True, metavar="CKPT", help="a folder with checkpoints, or a prefix"
    )


def add_text(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Add `--input`, text, and `--set`, how it is read."""
    parser.add_argument(
        "--input",
        required=required,
        nargs="+",
        metavar="PATH",
        help="text, JSON or tables, as data_gen reads them: files, folders or globs in quotes; "
        "- is standard input",
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="how --input is read, such as corpus.field=content; may be given again",
    )
