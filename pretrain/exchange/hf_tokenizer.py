"""Write a vocabulary as the files that `AutoTokenizer` reads, and read it back.

Both versions 4 and 5 of transformers read all of tokenizer.json. They give Google's pieces but for
the characters that the package `tokenizers` treats differently (see
data_gen/tokenization/wordpiece.py).
"""

import os
import unicodedata
from typing import Any, Callable, Dict, List

from data_gen.shared.errors import UserError
from data_gen.shared.extras import needs_extra
from data_gen.shared.json_text import parse_json
from data_gen.shared.vocabulary import MAX_RUN, read_vocabulary
from pretrain.checkpoint.folder import TOKENIZER, tokenizer_kind, write_json

TOKENIZER_JSON = "tokenizer.json"
ADDED_TOKENS = "added_tokens.json"  # of transformers 4

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
        with open(path, "rb") as handle:
            found = parse_json(handle.read())
        model = found["model"]
        if model["type"] != "WordPiece":
            raise ValueError(f"the tokenizer is {str(model['type'])[:20]}, no WordPiece")
        pieces = _in_order(model["vocab"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} holds no vocabulary of BERT ({error}): put the model's vocab.txt beside it"
        ) from error
    return pieces


def _in_order(ids: Dict[str, int], first: int = 0) -> List[str]:
    """Return the pieces by their ids, which begin with `first`. Raises ValueError for a gap."""
    if any(type(i) is not int for i in ids.values()):
        raise ValueError("an id is no whole number")
    pieces = sorted(ids, key=ids.__getitem__)
    if [ids[piece] for piece in pieces] != list(range(first, first + len(pieces))):
        raise ValueError("the ids have gaps")
    return pieces


def added_pieces(folder: str, count: int) -> List[str]:
    """Read the tokens that were added in transformers to a vocabulary of `count` pieces, in the
    order of their ids, which follow one another: from added_tokens.json, else tokenizer.json.

    Raises UserError if a file is damaged or the ids have gaps.
    """
    for name, ids_of in _ADDED.items():
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            continue
        try:
            with open(path, "rb") as handle:
                found = ids_of(parse_json(handle.read()))
            new = {piece: i for piece, i in found.items() if i >= count}
            if new:
                return _in_order(new, count)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"{path} holds no added tokens for a vocabulary of {count} pieces ({error}): get "
                "the folder again"
            ) from error
    return []


# File -> the ids of its added tokens. transformers 5 writes the second alone.
_ADDED: Dict[str, Callable[[Any], Dict[str, int]]] = {
    ADDED_TOKENS: lambda found: dict(found),
    TOKENIZER_JSON: lambda found: {
        token["content"]: token["id"] for token in found.get("added_tokens") or []
    },
}


def is_one_run(token: str, do_lower_case: bool) -> bool:
    """Return True if Google's BasicTokenizer leaves a text of these characters whole, so that
    WordPiece gives the token where a vocabulary has it.
    """
    text = unicodedata.normalize("NFD", token.lower()) if do_lower_case else token
    kinds = [unicodedata.category(character) for character in text]
    if text != token or any(kind[0] in "ZC" or kind == "Mn" for kind in kinds):
        return False
    return len(token) == 1 or (len(token) <= MAX_RUN and not any(map(_stands_alone, token)))


def _stands_alone(character: str) -> bool:
    """Return True for punctuation, as Google counts it, and Chinese characters."""
    if unicodedata.name(character, "").startswith(("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH")):
        return True
    is_mark = unicodedata.category(character)[0] == "P"
    return is_mark or (character.isascii() and not character.isalnum())


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
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        # transformers 5 makes its BertTokenizer from vocab.txt, and [UNK] of a run of more than 100
        # characters; this one is read from tokenizer.json by 4 and 5.
        "tokenizer_class": "PreTrainedTokenizerFast",
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
