"""The files of a model folder: their names, and how they are written and read."""

import contextlib
import dataclasses
import json
import os
import re
from typing import Any, Dict, Iterator, List

from data_gen.shared.errors import UserError
from data_gen.shared.json_text import parse_json, read_fields
from data_gen.shared.outputs import (
    delete,
    lock_beside,
    lock_within,
    only_writer,
    partial_name,
    sweep,
)
from data_gen.shared.vocabulary import read_pieces
from pretrain.learning.objective import ObjectiveSettings
from pretrain.learning.objectives import DEFAULT, DEFAULTS, OBJECTIVES
from pretrain.model.config import read_bert_config
from pretrain.runtime import files

MODEL = "bert_config.json"
VOCAB = "vocab.txt"
TOKENIZER = "tokenizer_config.json"
SENTENCEPIECE = "spiece.model"
RUN = "run.json"  # the settings of a training, and its data
VERIFIED = "verified.json"  # the shards whose checksums were checked
METRICS = "metrics.jsonl"  # journals: a line of JSON for each step that is written down
EVALUATIONS = "evaluations.jsonl"
RESULT = "result.json"  # the measures of a run of a fine-tuning
FINETUNE = "finetune.json"  # in the folder above: what all its runs depend on


def mask_id(vocab_file: str) -> int:
    """Return the id of [MASK]. Raises UserError if the file is no vocabulary with [MASK]."""
    pieces = read_pieces(vocab_file)
    if "[MASK]" not in pieces:
        raise UserError(f"{vocab_file} must be a vocabulary with [MASK]")
    return pieces.index("[MASK]")


def tokenizer_settings(folder: str) -> Dict[str, Any]:
    """Read the tokenizer_config.json of the model in `folder`; without one, return that of Google's
    Chinese BERT (WordPiece, lower case).

    Raises UserError if the file is damaged.
    """
    path = os.path.join(folder, TOKENIZER)
    if not files.exists(path):
        return {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
    found = read_fields(path, files.read_bytes(path), "copy it again from where it came")
    if "tokenizer_class" in found:
        found.text("tokenizer_class")
    lower = found.flag("do_lower_case") if "do_lower_case" in found else True
    return {**found.values, "do_lower_case": lower}


def tokenizer_kind(settings: Dict[str, Any]) -> str:
    """Return the generator's `tokenizer.name` for a tokenizer_config.json; the `tokenizer_class`
    itself if the generator has no such tokenizer.
    """
    kind = str(settings.get("tokenizer_class", "BertTokenizer"))
    return "wordpiece" if kind.startswith("BertTokenizer") else kind


def read_run(folder: str) -> Dict[str, Any]:
    """Read the run.json of a training; empty if there is none, or it cannot be read."""
    path = os.path.join(folder, RUN)
    try:
        found = parse_json(files.read_if_there(path) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def objective_of(folder: str) -> ObjectiveSettings:
    """Return the objective that the model in `folder` was trained with, by its run.json; of a
    release, that of BERT or of ELECTRA. Raises UserError for an unknown one.
    """
    config = read_run(folder).get("config")
    if not isinstance(config, dict):
        path = os.path.join(folder, MODEL)
        if not files.exists(path):
            return ObjectiveSettings(DEFAULT)
        return ObjectiveSettings(DEFAULTS[read_bert_config(files.local_copy(path)).model_type])
    known = [field.name for field in dataclasses.fields(ObjectiveSettings)]
    try:
        settings = ObjectiveSettings(**{name: config[name] for name in known if name in config})
        _require_texts([settings.objective, *settings.labels])
    except (ValueError, TypeError) as error:
        raise UserError(
            f"{os.path.join(folder, RUN)} is damaged ({error}): copy it again from the training"
        ) from error
    if settings.objective not in OBJECTIVES:
        raise UserError(
            f"{folder} was trained with the objective {settings.objective}, not one of "
            f"{', '.join(OBJECTIVES)}: use the version of this program that trained it"
        )
    return settings


def _require_texts(values: List[Any]) -> None:
    if not all(isinstance(value, str) for value in values):
        raise ValueError("objective and labels must be texts")


def read_journal(folder: str, name: str) -> List[Dict[str, Any]]:
    """Read the lines of METRICS or EVALUATIONS in the folder of a training, in order; none without
    such a file. A line that a crash cut short is left out.
    """
    path = os.path.join(folder, name)
    lines = files.read_if_there(path).decode("utf-8", errors="replace").splitlines()
    return [found for found in map(_line, lines) if found]


def _line(text: str) -> Dict[str, Any]:
    """Parse a line of a journal; empty if it is damaged."""
    try:
        found: Dict[str, Any] = json.loads(text)
        return {**found, "step": int(found["step"])}
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return {}


def drop_after(folder: str, name: str, step: int) -> None:
    """Remove the lines of a journal after `step`, which a crash took back, so that no step is there
    twice.
    """
    path = os.path.join(folder, name)
    if files.exists(path):
        lines = files.read_text(path).splitlines(keepends=True)
        kept = [line for line in lines if _line(line).get("step", step + 1) <= step]
        files.write_text(path, "".join(kept))


# Names that a training or a fine-tuning writes, apart from those of its events.
_OURS = re.compile(r"model\.ckpt-\d+|checkpoint|[\w-]+\.(json|jsonl|txt|model)")


@contextlib.contextmanager
def held(output: str) -> Iterator[None]:
    """Make the folder of a training or a fine-tuning, unless it is there, and hold its lock during
    the block; delete the partial files that killed commands left in it.

    Raises UserError if another process holds the lock.
    """
    new = not files.exists(output)
    files.make_folder(output)
    try:
        with only_writer(output, lock_within(output)) as alone:
            if alone:
                sweep(output, os.listdir(output), _OURS)
            yield
    finally:
        if new and not files.is_url(output):
            with contextlib.suppress(OSError):  # something is in it
                os.rmdir(output)


@contextlib.contextmanager
def new_folder(output: str) -> Iterator[str]:
    """Give a folder to write into that becomes `output` when all is written, and not before. To be
    entered before the work, so that a second command learns early that this one is at it.

    Raises UserError as `require_new` does, if another process makes `output`, and if the disk is
    full.
    """
    require_new(output)
    path = os.path.realpath(output)
    above, name = os.path.split(path)
    hidden = os.path.join(above, f".{name}")
    with files.writing(output):
        os.makedirs(above, exist_ok=True)
    with only_writer(output, lock_beside(path)) as alone, files.room_for(output):
        require_new(output)
        if alone:  # left by commands that were killed
            sweep(above, os.listdir(above), re.compile(re.escape(f".{name}")))
        partial = partial_name(hidden)
        with files.writing(output):
            os.makedirs(partial)
        try:
            yield partial
            _rename(partial, path, output)
        except UserError as error:
            raise UserError(str(error).replace(partial, output)) from error
        finally:
            delete(partial)


def _rename(partial: str, path: str, output: str) -> None:
    with files.writing(output):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            require_new(output)
            os.rmdir(path)  # Windows does not replace a folder, not even an empty one
        os.rename(partial, path)


def require_new(output: str) -> None:
    """Raise UserError if `output` is a URL, a file, or a folder that is not empty: to be called
    before work that would be in vain.
    """
    if files.is_url(output):
        raise UserError(f"--output {output} is a URL: give a folder and copy it there when done")
    if os.path.isdir(output):
        if os.listdir(output):
            raise UserError(f"{output} is not empty: choose another --output")
    elif os.path.exists(output):
        raise UserError(f"{output} is a file: choose another --output")


def write_json(path: str, value: Dict[str, Any]) -> None:
    """Write a file whole or not at all, its keys in order."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    files.write_text(path, text + "\n")
