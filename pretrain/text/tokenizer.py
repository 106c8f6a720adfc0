"""Load the tokenizer that a model was trained with."""

import os
from typing import Any

from data_gen.shared.errors import UserError
from data_gen.shared.extras import needs_extra
from pretrain.checkpoint.folder import VOCAB, tokenizer_kind, tokenizer_settings
from pretrain.runtime import files


def load_tokenizer(folder: str) -> Any:
    """Load the tokenizer (`data_gen.tokenization.tokenizer.Tokenizer`) of the model in `folder`, by
    its tokenizer_config.json and vocab.txt, for SentencePiece also spiece.model.

    Raises UserError if a file or a package is missing.
    """
    settings = tokenizer_settings(folder)
    with needs_extra("data", "text"):
        from data_gen.tokenization.tokenizers import TOKENIZERS
    name = tokenizer_kind(settings)
    if name not in TOKENIZERS:
        raise UserError(f"{folder} is of a model with {name}, not one of {', '.join(TOKENIZERS)}")
    kind = TOKENIZERS[name]
    model = kind.model_file and os.path.join(folder, kind.model_file)
    if model and not files.exists(model):
        raise UserError(f"{model} is missing: copy the tokenizer.model of the build to it")
    vocab_file = files.local_copy(os.path.join(folder, VOCAB))
    return kind.load(vocab_file, model and files.local_copy(model), settings["do_lower_case"])
