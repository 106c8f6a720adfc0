"""Text as the ids that a model reads, by the generator's own tokenizers.

They need Python 3.9 and the extra `data`, which training does not.
"""

import os
from typing import Any, Dict, Sequence

import numpy as np

from data_gen.settings import UserError
from pretrain.model import tokenizer_settings
from pretrain.run import VOCAB

SENTENCEPIECE = "spiece.model"

# Sequences are padded to a multiple of this, so that few shapes are compiled.
_ROUND = 32


def load_tokenizer(folder: str) -> Any:
    """The tokenizer (`data_gen.pieces.Tokenizer`) of the model in `folder`, by its
    tokenizer_config.json and vocab.txt, for SentencePiece also spiece.model.

    Raises UserError where a file or a package is missing.
    """
    settings = tokenizer_settings(folder)
    try:
        from data_gen.tokenizer import TOKENIZERS
    except ImportError as error:
        raise UserError(
            f"text needs Python 3.9 or newer and the generator's packages ({error}): "
            "pip install '.[data]'"
        ) from error
    name = settings.get("tokenizer_class", "BertTokenizer")
    name = "wordpiece" if str(name).startswith("BertTokenizer") else name
    if name not in TOKENIZERS:
        raise UserError(f"{folder} is of a model with {name}, not one of {', '.join(TOKENIZERS)}")
    model = os.path.join(folder, SENTENCEPIECE) if name == "sentencepiece" else None
    if model and not os.path.exists(model):
        raise UserError(f"{model} is missing: copy the tokenizer.model of the build to it")
    return TOKENIZERS[name](os.path.join(folder, VOCAB), model, settings["do_lower_case"])


def as_batch(sequences: Sequence[Sequence[int]], cls: int, sep: int) -> Dict[str, "np.ndarray"]:
    """`[CLS] pieces [SEP]` of each sequence, as `bert.encode` takes them.

    sequences: ids of pieces, without special tokens
    Returns    input_ids, input_mask, segment_ids: int32 [B, S], S the longest with both marks,
               rounded up to a multiple of 32
    """
    longest = max(len(pieces) for pieces in sequences) + 2
    ids = np.zeros([len(sequences), -(-longest // _ROUND) * _ROUND], np.int32)
    mask = np.zeros_like(ids)
    for row, pieces in enumerate(sequences):
        ids[row, : len(pieces) + 2] = [cls, *pieces, sep]
        mask[row, : len(pieces) + 2] = 1
    return {"input_ids": ids, "input_mask": mask, "segment_ids": np.zeros_like(ids)}
