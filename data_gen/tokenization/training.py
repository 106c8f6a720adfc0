"""Training of vocabularies: the text that is given, the options, and what comes out."""

from typing import Callable, Dict, Iterable, Iterator, NamedTuple

from data_gen.shared.errors import UserError

VOCABULARY = "vocab.txt"
MODEL_TYPES = ("unigram", "bpe")


class Options(NamedTuple):
    """The vocabulary that is wanted."""

    size: int = 21128  # pieces, specials included: Google's for Chinese
    model_type: str = "unigram"  # one of MODEL_TYPES; for sentencepiece
    # Share of the text that the characters of the vocabulary make up. SentencePiece advises 0.9995
    # for Chinese, which turns five times as much into [UNK].
    character_coverage: float = 0.9999


class TrainingText(NamedTuple):
    """The text to learn from; each call reads it anew."""

    sentences: Callable[[], Iterator[str]]  # all of it
    words: Callable[[], Iterator[str]]  # a sample of it that memory holds, cut between its words


# (text, do_lower_case, options) -> file names and contents, vocab.txt last. Raises UserError where
# the size is too small for the characters of the text.
Train = Callable[[TrainingText, bool, Options], Dict[str, bytes]]


def vocabulary_file(pieces: Iterable[str]) -> bytes:
    """Write pieces as the content of a vocab.txt."""
    return "".join(f"{piece}\n" for piece in pieces).encode()


def require_room(options: Options, needed: int) -> None:
    """Raise UserError where the characters of a text take more pieces than there shall be."""
    if needed > options.size:
        raise UserError(
            f"the characters of this text take {needed:,} pieces, more than --size {options.size}: "
            "give a larger --size, or a smaller --character-coverage"
        )
