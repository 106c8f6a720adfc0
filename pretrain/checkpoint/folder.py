"""The files of a model folder: their names, and how they are written and read."""

import contextlib
import json
import os
import shutil
from typing import Any, Dict, Iterator

from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import read_pieces
from pretrain.runtime import files


def mask_id(vocab_file: str) -> int:
    """The id of [MASK]. Raises UserError where the file is no vocabulary with it."""
    pieces = read_pieces(vocab_file)
    if "[MASK]" not in pieces:
        raise UserError(f"{vocab_file} must be a vocabulary with [MASK]")
    return pieces.index("[MASK]")


def tokenizer_settings(folder: str) -> Dict[str, Any]:
    """How text becomes the pieces of the model in `folder`: its tokenizer_config.json, else that of
    Google's Chinese BERT (WordPiece, lower case).

    Raises UserError where the file is damaged.
    """
    path = os.path.join(folder, TOKENIZER)
    if not files.exists(path):
        return {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
    try:
        found: Dict[str, Any] = json.loads(files.read_text(path))
        return {**found, "do_lower_case": bool(found.get("do_lower_case", True))}
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is damaged: copy it again from where it came") from error


def tokenizer_kind(settings: Dict[str, Any]) -> str:
    """The `tokenizer.name` of the generator that a tokenizer_config.json means; one that it has
    not is given as it stands.
    """
    kind = str(settings.get("tokenizer_class", "BertTokenizer"))
    return "wordpiece" if kind.startswith("BertTokenizer") else kind


SENTENCEPIECE = "spiece.model"


METRICS = "metrics.jsonl"
EVALUATIONS = "evaluations.jsonl"


RUN = "run.json"
MODEL = "bert_config.json"
VOCAB = "vocab.txt"
TOKENIZER = "tokenizer_config.json"


@contextlib.contextmanager
def new_folder(output: str) -> Iterator[str]:
    """A folder to write into that becomes `output` when all is written, and not before.

    Raises UserError as `require_new` does.
    """
    require_new(output)
    output = os.path.realpath(output)
    partial = os.path.join(os.path.dirname(output), f".{os.path.basename(output)}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # what a killed command of ours left
    os.makedirs(partial)
    try:
        yield partial
        os.replace(partial, output)  # an empty folder is replaced
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def require_new(output: str) -> None:
    """Raise UserError where `output` is a URL, a file, or a folder that is not empty: to be called
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
