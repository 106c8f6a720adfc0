"""The folder of unfinished work within an output: one run at a time holds its lock, the next run of
the same fingerprint resumes from it, and the run that finishes deletes it.
"""

import hashlib
import json
import os
import re
from contextlib import contextmanager
from typing import Any, Dict, Iterator, NamedTuple, Sequence

from data_gen.shared.errors import UserError
from data_gen.shared.outputs import lock_within, only_writer, sweep
from data_gen.shared.settings import differences
from data_gen.storage.folders import delete_folder, list_names, make_folder
from data_gen.storage.reading import read_json
from data_gen.storage.writing import write_json

WORK = ".data_gen"  # within the output folder, until dataset.json is written

_FINGERPRINT = "fingerprint.json"
_ANYTHING = re.compile(".*")
_PART = r"part-\d{5,}-of-\d{5,}"


class OutputKind(NamedTuple):
    """A kind of output folder: the names of its files, and its words for errors."""

    name: str
    files: str
    suffix: str  # within their names
    manifest: str  # written last, so its presence means that the output is whole
    every: "re.Pattern[str]"  # the names of all its files


def output_kind(name: str, files: str, suffix: str, manifest: str, *more: str) -> OutputKind:
    """Describe the output of a command by the names of its files."""
    part = f"{_PART}{re.escape(suffix)}(\\.gz)?"
    every = re.compile("|".join([part, *map(re.escape, [manifest, *more])]))
    return OutputKind(name, files, suffix, manifest, every)


@contextmanager
def open_work_folder(
    output: str, fingerprint: str, kind: OutputKind, identity: Dict[str, Any]
) -> Iterator[str]:
    """Hold the work folder, new or as an interrupted run of the same fingerprint left it; delete it
    when the block ends without an error.

    identity: all that decides the output, for the error that names what differs

    Raises UserError if another output of the kind, finished or not, is in `output`, and if another
    run holds the lock.
    """
    work = os.path.join(output, WORK)
    make_folder(output)
    with only_writer(output, lock_within(output)) as alone:
        names = list_names(output)
        _require_free(output, names, work, kind)
        make_folder(work)
        unfinished = list_names(work)
        _resume(output, work, unfinished, fingerprint, kind, _noted(identity))
        if alone:  # partial files of killed writers would take room from this run
            sweep(output, names, kind.every)
            sweep(work, unfinished, _ANYTHING)
        yield work
        clean(output, kind)


def clean(output: str, kind: OutputKind) -> None:
    """Delete the work folder and partial files of an output that is whole."""
    delete_folder(os.path.join(output, WORK))
    sweep(output, list_names(output), kind.every)


def _require_free(output: str, names: Sequence[str], work: str, kind: OutputKind) -> None:
    unfinished = list_names(work)
    if _FINGERPRINT in unfinished:
        return
    if kind.manifest in names:
        raise UserError(f"{output} was finished by another run: run the same command again")
    if unfinished:
        raise UserError(f"{work} is not of a {kind.name}: choose another --output")
    if any(kind.suffix in name for name in names):
        raise UserError(
            f"{output} holds {kind.files} but no {kind.manifest}: choose another --output"
        )


def _noted(identity: Dict[str, Any]) -> Dict[str, Any]:
    """Return all that decides an output, the list of the input's files as one checksum."""
    files = json.dumps(identity.get("input"), sort_keys=True).encode()
    return {**identity, "input": hashlib.sha256(files).hexdigest()}


def _resume(
    output: str,
    work: str,
    unfinished: Sequence[str],
    fingerprint: str,
    kind: OutputKind,
    noted: Dict[str, Any],
) -> None:
    path = os.path.join(work, _FINGERPRINT)
    if _FINGERPRINT not in unfinished:
        write_json(path, {"fingerprint": fingerprint, "identity": noted})
        return
    before = read_json(path)
    if before["fingerprint"] != fingerprint:
        different = differences(noted, before.get("identity", {})) or "the files of the input"
        raise UserError(
            f"{output} holds another, unfinished {kind.name} ({different}): choose another "
            "--output, or delete that folder"
        )
