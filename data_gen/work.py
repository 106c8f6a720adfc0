"""The folder of unfinished work within an output: one run at a time holds it, the next one with the
same fingerprint takes it up, and the one that ends deletes it.
"""

import os
import re
from contextlib import contextmanager
from typing import Iterator, NamedTuple

from data_gen import word_file
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
_ANYTHING = re.compile(".*")
_PART = r"part-\d{5,}-of-\d{5,}"


class Output(NamedTuple):
    """What an output folder holds, as errors name it."""

    name: str
    files: str
    suffix: str  # within their names
    manifest: str  # its presence means that the output is whole
    every: "re.Pattern[str]"  # the names of all its files


def _output(name: str, files: str, suffix: str, manifest: str, *more: str) -> Output:
    part = f"{_PART}{re.escape(suffix)}(\\.gz)?"
    every = re.compile("|".join([part, *map(re.escape, [manifest, *more])]))
    return Output(name, files, suffix, manifest, every)


DATA = _output("build", "TFRecords", ".tfrecord", MANIFEST, TABLE)
WORDS = _output("segmentation", "words", word_file.SUFFIX, word_file.MANIFEST)


@contextmanager
def claim(output: str, fingerprint: str, kind: Output) -> Iterator[str]:
    """The work folder, new or as an interrupted run of the same fingerprint left it; deleted where
    the block ends without an error.

    Raises UserError where another output of the kind, finished or not, is in `output`, and where
    another run of this one is at work.
    """
    work = os.path.join(output, WORK)
    _require_free(output, work, kind)
    make_folder(work)
    with locked(work) as ours:
        if not ours:
            raise UserError(f"{output} is being made by another run: wait for it")
        _take_up(output, work, fingerprint, kind)
        # What killed writers left would take room from this run.
        sweep(output, kind.every)
        sweep(work, _ANYTHING)
        yield work
        clean(output, kind)


def clean(output: str, kind: Output) -> None:
    """Delete what an output does not need once it is whole."""
    delete_folder(os.path.join(output, WORK))
    sweep(output, kind.every)


def _require_free(output: str, work: str, kind: Output) -> None:
    names = list_names(work)
    if _FINGERPRINT in names:
        return
    if names:
        raise UserError(f"{work} is not of a {kind.name}: choose another --output")
    if any(kind.suffix in name for name in list_names(output)):
        raise UserError(
            f"{output} holds {kind.files} but no {kind.manifest}: choose another --output"
        )


def _take_up(output: str, work: str, fingerprint: str, kind: Output) -> None:
    path = os.path.join(work, _FINGERPRINT)
    if _FINGERPRINT not in list_names(work):
        write_json(path, {"fingerprint": fingerprint})
    elif read_json(path)["fingerprint"] != fingerprint:
        raise UserError(
            f"{output} holds an unfinished {kind.name} with other settings, input or models: "
            "choose another --output, or delete that folder"
        )


@contextmanager
def resumable() -> Iterator[None]:
    """Say of an error that what was done before is kept."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{error}; the same command then goes on from what is whole") from error
