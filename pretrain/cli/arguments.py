"""Arguments that several commands share."""

import argparse


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add `--model`."""
    parser.add_argument(
        "--model", required=True, metavar="CKPT", help="a folder with checkpoints, or a prefix"
    )


def add_text(parser: argparse.ArgumentParser) -> None:
    """Add `--input`, text files."""
    parser.add_argument(
        "--input", required=True, nargs="+", metavar="FILE", help="text files, - for stdin"
    )
