"""Arguments that several commands share."""

import argparse
import dataclasses
import os
from typing import Any, Dict, Sequence

from data_gen.shared.commands import add_overrides
from data_gen.shared.errors import UserError
from pretrain.config import TrainConfig


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
    add_overrides(
        parser, "--set", "how --input is read, such as corpus.field=content; may be given again"
    )


def with_files_of(config: TrainConfig, init: str, overrides: Sequence[str]) -> TrainConfig:
    """Return the settings with the bert_config.json and the vocab.txt beside the checkpoint `init`,
    and log that. Those that `--set` names are kept.

    Raises UserError if there is no checkpoint, or a file is missing beside it.
    """
    from pretrain.checkpoint import store
    from pretrain.checkpoint.folder import MODEL, VOCAB
    from pretrain.runtime import files
    from pretrain.runtime.log import log

    folder = os.path.dirname(store.find(init))
    given = {text.split("=")[0] for text in overrides}
    found: Dict[str, Any] = {}
    for setting, name in (("bert_config_file", MODEL), ("vocab_file", VOCAB)):
        path = os.path.join(folder, name)
        if setting in given:
            continue
        if not files.exists(path):
            raise UserError(
                f"{path} is missing: put it beside the checkpoint, or name one with --set "
                f"{setting}=FILE"
            )
        found[setting] = files.local_copy(path)
    if found:
        names = " and ".join(os.path.basename(path) for path in found.values())
        log(f"from {folder}: {names} ({' and '.join(found)}; --set takes others)")
    return dataclasses.replace(config, **found)
