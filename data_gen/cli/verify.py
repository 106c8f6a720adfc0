"""The command `verify`."""

import argparse
import os
from typing import TYPE_CHECKING, Any, Optional

from data_gen.cli import arguments
from data_gen.shared.commands import add_command
from data_gen.shared.errors import UserError

if TYPE_CHECKING:
    from data_gen.shared.dataset.dataset_info import DatasetInfo


def add_verify(commands: Any) -> None:
    """Add `verify`."""
    parser = add_command(
        commands,
        "verify",
        _verify,
        "compare a build with its checksums, and read all of its records",
        "python -m data_gen verify work/data",
    )
    parser.add_argument("folder", metavar="DIR", help="the output of a build")
    parser.add_argument(
        "--vocab",
        metavar="FILE",
        help="the vocab.txt of the build, which says the largest id (default: as dataset.json "
        "says, if it is there)",
    )
    arguments.add_engine(parser)


def _verify(args: argparse.Namespace) -> None:
    from data_gen.jobs.verify_dataset import verify
    from data_gen.storage.dataset_folder import read_dataset

    info = read_dataset(args.folder)
    pieces = _vocab_size(info, args.vocab)
    engine, show = arguments.engine(args), arguments.progress(args)
    problems = list(verify(info, pieces, engine, show))
    for problem in problems:
        print(problem)
    count = len(problems)
    if count:
        raise UserError(
            f"{info.folder} has {count} problem{'s' if count > 1 else ''}: copy it again from "
            "where it was built, or build it again"
        )
    size = sum(shard.bytes for shard in info.shards) / 1e6
    ids = "" if pieces else "; without its vocabulary, ids were not compared with it (--vocab)"
    print(
        f"{info.folder}: {info.examples:,} records in {len(info.shards)} shards ({size:,.1f} MB) "
        f"are as dataset.json says{ids}"
    )


def _vocab_size(info: "DatasetInfo", path: Optional[str]) -> Optional[int]:
    """Return the pieces of the vocabulary; None where no file is given and that of the build is not
    here.
    """
    from data_gen.show.readable import build_vocabulary, vocabulary_file

    if not path and not os.path.isfile(vocabulary_file(info)):
        return None
    return len(build_vocabulary(info, path))
