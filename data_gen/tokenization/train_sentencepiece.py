"""Train a SentencePiece model: the same text gives the same bytes with the same version of the
package (a model holds floating-point scores).
"""

import io
import re
from typing import Any, Dict, Iterator, List

from data_gen.shared.vocabulary import SPECIALS
from data_gen.tokenization.sentence_piece import MODEL, import_sentencepiece
from data_gen.tokenization.training import (
    VOCABULARY,
    Options,
    TrainingText,
    require_room,
    vocabulary_file,
)


def train_sentencepiece(
    text: TrainingText, do_lower_case: bool, options: Options
) -> Dict[str, bytes]:
    """Learn from a sample of the text, cut into words, so that no piece holds parts of two.

    From running Chinese text SentencePiece makes pieces of whole phrases, and whole words could not
    be masked one by one.
    """
    sentencepiece = import_sentencepiece()
    model = io.BytesIO()
    errors: List[Exception] = []
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=_noting(text.words(), errors),
            model_writer=model,
            **sentencepiece_options(do_lower_case, options),
        )
    except RuntimeError as error:
        if errors:
            raise errors[0] from error
        too_small = re.search(r"smaller than required_chars\. \d+ vs (\d+)", str(error))
        if too_small:
            require_room(options, int(too_small.group(1)))
        raise
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    pieces = map(processor.id_to_piece, range(processor.get_piece_size()))
    return {MODEL: model.getvalue(), VOCABULARY: vocabulary_file(pieces)}


def sentencepiece_options(do_lower_case: bool, options: Options) -> Dict[str, Any]:
    """List what SentencePieceTrainer is told. All specials but [UNK] are control symbols, which no
    text can spell.
    """
    own_names = ("pad", "unk", "bos", "eos")
    return {
        "model_type": options.model_type,
        "vocab_size": options.size,
        "hard_vocab_limit": False,  # fewer where the text gives no more
        "character_coverage": options.character_coverage,
        "normalization_rule_name": "nmt_nfkc_cf" if do_lower_case else "nmt_nfkc",
        # With one, a word at the start of a Chinese sentence would be another piece than the same
        # word within it, where no space stands before it.
        "add_dummy_prefix": False,
        "max_sentence_length": 1 << 30,  # longer ones would be left out
        "num_threads": 1,  # sums of floating-point numbers depend on their order
        "minloglevel": 2,
        **{f"{name}_id": i for i, name in enumerate(own_names)},
        **{f"{name}_piece": piece for name, piece in zip(own_names, SPECIALS)},
        "control_symbols": SPECIALS[-1],
    }


def _noting(texts: Iterator[str], errors: List[Exception]) -> Iterator[str]:
    """Give the same texts; the trainer makes an error of its own of one that ends them."""
    try:
        yield from texts
    except Exception as error:
        errors.append(error)
        raise
