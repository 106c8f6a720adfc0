"""The folder of unfinished work within an output: one run at a time holds it, the next one with the
same fingerprint takes it up, and the one that ends deletes it.
"""

import os
import re
from contextlib import contextmanager
from typing import Iterator, NamedTuple

from data_gen.shared.errors import UserError
from data_gen.storage.folders import delete_folder, list_names, locked, make_folder, sweep
from data_gen.storage.reading import read_json
from data_gen.storage.writing import write_json

WORK = ".data_gen"  # within the output folder, until dataset.json is written

_FINGERPRINT = "fingerprint.json"
_ANYTHING = re.compile(".*")
_PART = r"part-\d{5,}-of-\d{5,}"


class OutputKind(NamedTuple):
    """What an output folder holds, as errors name it."""

    name: str
    files: str
    suffix: str  # within their names
    manifest: str  # its presence means that the output is whole
    every: "re.Pattern[str]"  # the names of all its files


def output_kind(name: str, files: str, suffix: str, manifest: str, *more: str) -> OutputKind:
    """Describe the outputs of a command by the names of their files."""
    part = f"{_PART}{re.escape(suffix)}(\\.gz)?"
    every = re.compile("|".join([part, *map(re.escape, [manifest, *more])]))
    return OutputKind(name, files, suffix, manifest, every)


@contextmanager
def open_work_folder(output: str, fingerprint: str, kind: OutputKind) -> Iterator[str]:
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


def clean(output: str, kind: OutputKind) -> None:
    """Delete what an output does not need once it is whole."""
    delete_folder(os.path.join(output, WORK))
    sweep(output, kind.every)


def _require_free(output: str, work: str, kind: OutputKind) -> None:
    names = list_names(work)
    if _FINGERPRINT in names:
        return
    if names:
        raise UserError(f"{work} is not of a {kind.name}: choose another --output")
    if any(kind.suffix in name for name in list_names(output)):
        raise UserError(
            f"{output} holds {kind.files} but no {kind.manifest}: choose another --output"
        )


def _take_up(output: str, work: str, fingerprint: str, kind: OutputKind) -> None:
    path = os.path.join(work, _FINGERPRINT)
    if _FINGERPRINT not in list_names(work):
        write_json(path, {"fingerprint": fingerprint})
    elif read_json(path)["fingerprint"] != fingerprint:
        raise UserError(
            f"{output} holds an unfinished {kind.name} with other settings, input or models: "
            "choose another --output, or delete that folder"
        )
