"""A checkpoint with what lies beside it, ready to run."""

import json
import os
from typing import Any, Dict, NamedTuple, Sequence, Tuple

from data_gen.settings import UserError
from data_gen.vocabulary import read_pieces
from pretrain import checkpoint, files
from pretrain.bert import Variables, init
from pretrain.config import BertConfig, read_bert_config
from pretrain.run import MODEL, TOKENIZER, VOCAB


class Model(NamedTuple):
    """A checkpoint, ready to run."""

    config: BertConfig
    variables: Variables
    vocab_file: str
    mask: int  # id of [MASK]
    source: str  # its prefix
    absent: Tuple[str, ...] = ()  # weights that the checkpoint lacks; those here are random


def load_model(path: str, may_lack: Sequence[str] = ()) -> Model:
    """Load the newest checkpoint of a folder, or one by its prefix, with the bert_config.json and
    vocab.txt beside it.

    may_lack: what the names of weights begin with that need not be there, e.g. `cls/`
    Raises UserError where something is missing or they do not belong together.
    """
    source = checkpoint.find(path)
    folder = os.path.dirname(source)
    config = read_bert_config(files.on_disk(os.path.join(folder, MODEL)))
    vocab_file = files.on_disk(os.path.join(folder, VOCAB))
    mask = mask_id(vocab_file)
    variables = init(config, seed=0)
    report = checkpoint.restore(variables, checkpoint.read(source), source)
    missing = [name for name in report.missing if not name.startswith(tuple(may_lack))]
    if missing:
        raise UserError(
            f"{source} lacks {', '.join(missing[:3])}, which this command needs: give a checkpoint "
            "with its heads, and the bert_config.json that belongs to it"
        )
    return Model(config, variables, vocab_file, mask, source, tuple(report.missing))


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
