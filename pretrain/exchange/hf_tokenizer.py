"""Write a vocabulary as the files that `AutoTokenizer` reads, and read it back.

transformers 5 makes its BertTokenizer from the vocabulary of tokenizer.json and do_lower_case
alone; 4 takes all of tokenizer.json. Both give Google's pieces but for the characters that the
package `tokenizers` treats differently (see data_gen/tokenization/wordpiece.py).
"""

import json
import os
from typing import Any, Dict, List

from data_gen.shared.errors import UserError
from data_gen.shared.extras import needs_extra
from data_gen.shared.vocabulary import MAX_RUN, read_vocabulary
from pretrain.checkpoint.folder import TOKENIZER, tokenizer_kind, write_json

TOKENIZER_JSON = "tokenizer.json"

_MARKS = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}


def pieces_of_json(path: str) -> List[str]:
    """Read the vocabulary of a tokenizer.json: transformers 5 writes no vocab.txt."""
    try:
        with open(path, encoding="utf-8") as handle:
            model = json.load(handle)["model"]
        if model["type"] != "WordPiece":
            raise ValueError(f"the tokenizer is {model['type']}, no WordPiece")
        pieces = sorted(model["vocab"], key=model["vocab"].__getitem__)
        if [model["vocab"][piece] for piece in pieces] != list(range(len(pieces))):
            raise ValueError("the ids have gaps")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} holds no vocabulary of BERT ({error}): put the model's vocab.txt beside it"
        ) from error
    return pieces


def write_tokenizer(folder: str, vocab_file: str, settings: Dict[str, Any], positions: int) -> None:
    """Write tokenizer.json and tokenizer_config.json for a model with so many positions.

    settings: by `checkpoint.folder.tokenizer_settings`
    Raises UserError if the model has another tokenizer than BertTokenizer, or a package is missing.
    """
    kind = tokenizer_kind(settings)
    if kind != "wordpiece":
        raise UserError(
            f"the tokenizer of this model is {kind}, which is no BertTokenizer: export it with "
            "--format tf1"
        )
    lower = settings["do_lower_case"]
    _make(read_vocabulary(vocab_file), lower).save(os.path.join(folder, TOKENIZER_JSON))
    values = {
        **_MARKS,
        "do_lower_case": lower,
        "model_max_length": positions,
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "tokenizer_class": "BertTokenizer",
    }
    write_json(os.path.join(folder, TOKENIZER), values)


def _make(pieces: List[str], do_lower_case: bool) -> Any:
    """Make the tokenizer of the package `tokenizers`."""
    with needs_extra("hf", "Hugging Face's form"):
        from tokenizers import (
            AddedToken,
            Tokenizer,
            decoders,
            models,
            normalizers,
            pre_tokenizers,
            processors,
        )
    ids = {piece: i for i, piece in enumerate(pieces)}
    unk, cls, sep = (_MARKS[f"{name}_token"] for name in ("unk", "cls", "sep"))
    made = Tokenizer(models.WordPiece(ids, unk_token=unk, max_input_chars_per_word=MAX_RUN))
    made.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=do_lower_case
    )
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1",
        special_tokens=[(cls, ids[cls]), (sep, ids[sep])],
    )
    made.decoder = decoders.WordPiece(prefix="##")
    made.add_special_tokens(
        [AddedToken(mark, normalized=False, special=True) for mark in _MARKS.values()]
    )
    return made
