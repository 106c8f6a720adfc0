"""SentencePiece, unigram or BPE, with offsets in the sentence as it was before normalization.

A model normalizes a text (NFKC, case folding), writes spaces as ▁ and cuts the result. One
character may become several (… becomes ...) and several one (a letter and its accent), and pieces
may end within either, so offsets are counted here, through the normalizer's own map.
"""

from functools import cached_property
from importlib import metadata
from typing import Any, FrozenSet, Iterable, List, Optional, Sequence, Tuple

from data_gen.shared.errors import UserError
from data_gen.shared.extras import import_extra
from data_gen.shared.files import file_sha256
from data_gen.shared.vocabulary import SPECIALS, read_vocabulary
from data_gen.tokenization.tokenizer import CLAUSE_MARKS, Offsets, Tokenizer

SPACE = "▁"  # U+2581, what a piece has for a space
MODEL = "spiece.model"  # the name of a model file in a folder


class SentencePiece(Tokenizer):
    """A model file whose pieces are `pieces`."""

    def __init__(self, pieces: Sequence[str], processor: Any, identity: str) -> None:
        super().__init__(pieces)
        self.identity = identity
        self.processor = processor

    def encode(self, sentences: Sequence[str]) -> List[Tuple[List[int], Offsets]]:
        """Cut each sentence into pieces: see `Tokenizer.encode`.

        A piece that is only ▁ has no text; ▁ at an end of a piece is none of its text.
        """
        # Control pieces are never found in a text: a literal "[SEP]" is the characters it is made
        # of. One thread, because a worker is a process.
        found = self.processor.encode(list(sentences), out_type="offset_mapping", num_threads=1)
        return [
            (pieces["ids"], self._offsets(sentence, pieces["pieces"]))
            for sentence, pieces in zip(sentences, found)
        ]

    def _offsets(self, sentence: str, pieces: Sequence[str]) -> Offsets:
        """Find the characters of the sentence that each piece is made of.

        The pieces laid end to end are the normalized text; its character i comes from the place
        `origin[i]` of the sentence. The package's own offsets leave out a character of which a
        piece is only the first part.
        """
        _, origin = self.processor.normalize(sentence, with_offsets=True)
        offsets = []
        at = 0
        for piece in pieces:
            first, at = at, at + len(piece)
            last = at
            text = piece.strip(SPACE)
            if text:
                first += piece.index(text[0])
                last = first + len(text)
            elif origin[first] < origin[at]:  # a space, not one that a character became (ﷺ)
                first = at
            offsets.append((origin[first], _end_in_sentence(origin, first, last)))
        return offsets

    def join(self, pieces: Iterable[int]) -> str:
        """Join pieces to one string, with the spaces that they stand for."""
        return "".join(self.pieces[i] for i in pieces).replace(SPACE, " ").strip()

    @cached_property
    def reachable_ids(self) -> Sequence[int]:
        """The ids that tokenizing some text can give: no control, unknown or unused piece, and none
        that normalization would change; ▁ alone is left out, as no word.
        """
        # A piece that is not found in its own text is found in no other. At the start of a text its
        # space would be dropped, hence the letter.
        alone, after = (
            self.processor.encode(
                [start + piece.replace(SPACE, " ") for piece in self.pieces], num_threads=1
            )
            for start in ("", "a")
        )
        return tuple(
            i
            for i, piece in enumerate(self.pieces)
            if i != self.unk and piece.strip(SPACE) and i in (*alone[i], *after[i])
        )

    @cached_property
    def clause_marks(self) -> FrozenSet[int]:
        """The ids of the pieces whose text ends in a mark that ends a clause."""
        marks = tuple(CLAUSE_MARKS)
        return frozenset(i for i, piece in enumerate(self.pieces) if piece.endswith(marks))


def join_sentencepiece(left: str, right: str) -> str:
    """Write a piece as text: the spaces are in the pieces."""
    return right.replace(SPACE, " ")


def _end_in_sentence(origin: Sequence[int], first: int, last: int) -> int:
    """Find the end in the sentence of the last character of the normalized `[first, last)`."""
    if first == last:
        return origin[last]
    stop = last
    while stop < len(origin) - 1 and origin[stop] == origin[last - 1]:
        stop += 1
    return origin[stop]


def load_sentencepiece(vocab_file: str, model: Optional[str], do_lower_case: bool) -> SentencePiece:
    """Load a model file and the list of its pieces.

    Raises UserError where the two do not belong together, or the model is not made for BERT.
    """
    if not model:
        raise UserError(
            "the tokenizer sentencepiece needs a model: give it with --set tokenizer.model=FILE; "
            "`python -m data_gen vocab train` makes one"
        )
    pieces = read_vocabulary(vocab_file)
    processor = _load_processor(model)
    _require_pieces(processor, model, pieces, vocab_file)
    _require_fit(processor, model, pieces, do_lower_case)
    version = metadata.version("sentencepiece")
    identity = f"sentencepiece {file_sha256(model)[:16]} (sentencepiece {version})"
    return SentencePiece(pieces, processor, identity)


def import_sentencepiece() -> Any:
    """Import the package. Raises UserError where it is missing."""
    return import_extra("sentencepiece", "data", "the tokenizer sentencepiece")


def _load_processor(model: str) -> Any:
    processor = import_sentencepiece().SentencePieceProcessor()
    try:
        with open(model, "rb") as handle:
            content = handle.read()
    except OSError as error:
        raise UserError(f"cannot read the model {model}: {error.strerror}") from error
    try:
        processor.load_from_serialized_proto(content)
    except RuntimeError as error:
        raise UserError(f"{model} is no model of SentencePiece") from error
    return processor


def _require_pieces(processor: Any, model: str, pieces: Sequence[str], vocab_file: str) -> None:
    theirs = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    if theirs != list(pieces):
        same = [a == b for a, b in zip(theirs, pieces)]
        line = 1 + (same.index(False) if False in same else len(same))
        raise UserError(
            f"{vocab_file} is not the list of the pieces of {model} (they differ from line {line} "
            "on): set vocab_file to the vocab.txt that was made with the model"
        )


def _require_fit(processor: Any, model: str, pieces: Sequence[str], do_lower_case: bool) -> None:
    others = [pieces.index(special) for special in SPECIALS if special != "[UNK]"]
    unknown = processor.unk_id() == pieces.index("[UNK]")
    if not unknown or not all(map(processor.is_control, others)):
        raise UserError(
            f"in {model} [UNK] is not the unknown piece or another of {' '.join(SPECIALS)} no "
            "control symbol, so a text could spell it: train a model with `python -m data_gen "
            "vocab train`"
        )
    if any(map(processor.is_byte, range(len(pieces)))):
        raise UserError(
            f"{model} writes unknown characters as bytes, which cannot be masked as words: train "
            "it without byte_fallback"
        )
    if (processor.normalize("A") == "a") != do_lower_case:
        does = "keeps" if do_lower_case else "lowers"
        raise UserError(
            f"{model} {does} capital letters: set do_lower_case={str(not do_lower_case).lower()}"
        )
