"""The folder of a build's unfinished work, within its output: one run at a time holds it, the next
one with the same fingerprint takes it up, and the one that ends deletes it.
"""

import os
import re
from contextlib import contextmanager
from typing import Iterator

from data_gen.features import MANIFEST
from data_gen.outputs import (
    delete_folder,
    list_names,
    locked,
    make_folder,
    read_json,
    sweep,
    write_json,
)
from data_gen.settings import UserError

TABLE = "synonyms.safetensors"  # within the output folder, where the build makes it itself
WORK = ".data_gen"  # within the output folder, until dataset.json is written

_FINGERPRINT = "fingerprint.json"
_SHARD = r"part-\d{5,}-of-\d{5,}\.tfrecord(\.gz)?"
_OUTPUTS = re.compile("|".join([_SHARD, re.escape(MANIFEST), re.escape(TABLE)]))


@contextmanager
def claim(output: str, fingerprint: str) -> Iterator[str]:
    """The work folder, new or as an interrupted build of the same fingerprint left it; deleted
    where the block ends without an error.

    Raises UserError where another build, finished or not, is in `output`, and where another run of
    this one is at work.
    """
    work = os.path.join(output, WORK)
    _require_free(output, work)
    make_folder(work)
    with locked(work) as ours:
        if not ours:
            raise UserError(f"{output} is being built by another run: wait for it")
        _take_up(output, work, fingerprint)
        yield work
        clean(output)


def clean(output: str) -> None:
    """Delete what an output does not need once it is whole."""
    delete_folder(os.path.join(output, WORK))
    sweep(output, _OUTPUTS)


def _require_free(output: str, work: str) -> None:
    names = list_names(work)
    if _FINGERPRINT in names:
        return
    if names:
        raise UserError(f"{work} is not of a build: choose another --output")
    if any(".tfrecord" in name for name in list_names(output)):
        raise UserError(f"{output} holds TFRecords but no {MANIFEST}: choose another --output")


def _take_up(output: str, work: str, fingerprint: str) -> None:
    path = os.path.join(work, _FINGERPRINT)
    if _FINGERPRINT not in list_names(work):
        write_json(path, {"fingerprint": fingerprint})
    elif read_json(path)["fingerprint"] != fingerprint:
        raise UserError(
            f"{output} holds an unfinished build with other settings, input or models: "
            "choose another --output, or delete that folder"
        )


@contextmanager
def resumable() -> Iterator[None]:
    """Say of an error that what was done before is kept."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{error}; the same command then goes on from what is whole") from error
