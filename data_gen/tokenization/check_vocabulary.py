"""Defects and oddities of a WordPiece vocabulary, and how well it covers a text."""

import string
import unicodedata
from collections import Counter
from typing import Dict, Iterable, Iterator, List, NamedTuple, Sequence

import numpy as np

from data_gen.core.documents import Document
from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import SPECIALS, UNUSED, mistakes, read_pieces
from data_gen.tokenization.sentence_piece import SPACE
from data_gen.tokenization.tokenizer import Tokenizer
from data_gen.tokenization.wordpiece import BasicTokenizer

CHINESE_MARKS = "，。、；：？！“”‘’（）《》〈〉【】「」『』—…·～￥"

_EXAMPLES = 8


class Findings(NamedTuple):
    """Sentences about a vocabulary."""

    pieces: List[str]
    errors: List[str]  # a build refuses it
    notes: List[str]  # worth knowing


def check_vocabulary(path: str, do_lower_case: bool = True) -> Findings:
    """Look through a vocab.txt.

    Raises UserError where it is no text, or of a SentencePiece model, which has rules of its own.
    """
    pieces = read_pieces(path)
    spaced = [piece for piece in pieces if piece.startswith(SPACE)]
    if len(spaced) > 1:  # Google's has the character itself
        raise UserError(
            f"{path} is of a SentencePiece model ({_examples(spaced)}): only WordPiece "
            "vocabularies are checked"
        )
    with open(path, "rb") as handle:
        crlf = handle.read().count(b"\r\n")
    notes = [f"{crlf:,} lines end in CR LF: other programs may read the CR"] if crlf else []
    notes += [*_layout(pieces), *_never(pieces, do_lower_case), *_missing(pieces, do_lower_case)]
    return Findings(pieces, list(mistakes(pieces)), notes)


def _layout(pieces: Sequence[str]) -> Iterator[str]:
    if "[PAD]" in pieces and pieces[0] != "[PAD]":
        yield f"[PAD] has the id {pieces.index('[PAD]')}, not 0, with which sequences are filled up"
    blank = [str(i) for i, piece in enumerate(pieces, 1) if not piece]
    if blank:
        yield f"blank lines, whose ids are never used: {len(blank):,}, {_examples(blank)}"
    found = [piece for piece in pieces if piece != piece.strip()]
    if found:
        yield _counted("pieces with a space at an end, which Google's code strips", found, pieces)
    unused = [piece for piece in pieces if UNUSED.fullmatch(piece)]
    if unused:
        yield _counted("pieces that are room for your own", unused, pieces)
    if len(pieces) % 8:
        yield (
            f"{len(pieces):,} pieces are no multiple of 8, which GPUs and TPUs work best on: "
            f"{-len(pieces) % 8} more would be"
        )


def _never(pieces: Sequence[str], do_lower_case: bool) -> Iterator[str]:
    """Find the pieces that no text can give, by the first reason that holds."""
    basic = BasicTokenizer(do_lower_case)
    special = {*SPECIALS, ""}
    found: Dict[str, List[str]] = {}
    for piece in pieces:
        if piece not in special and not UNUSED.fullmatch(piece):
            found.setdefault(_reason(piece, basic), []).append(piece)
    found.pop("", None)
    for reason, some in found.items():
        yield _counted(reason, some, pieces)


def _reason(piece: str, basic: BasicTokenizer) -> str:
    """Say why no text can give a piece; empty where one can."""
    inner = piece.startswith("##") and piece != "##"
    text = f"a{piece[2:]}" if inner else piece
    normal = basic.normalize(text)
    if basic.split(normal) == [text]:
        return ""
    if unicodedata.normalize("NFC", piece) != piece:
        return "pieces that never occur, not in Unicode's form NFC"
    if normal.replace(" ", "") != text.replace(" ", ""):
        return "pieces that never occur, with upper case, accents or characters that are dropped"
    if inner:
        return "pieces that never occur, ## before what is always cut off, Chinese or a mark"
    return "pieces that never occur, cut into several words, Chinese characters or marks"


def _missing(pieces: Sequence[str], do_lower_case: bool) -> Iterator[str]:
    known = set(pieces)
    letters = string.ascii_lowercase if do_lower_case else string.ascii_letters
    for title, wanted in (
        ("letters and digits", [*letters, *string.digits]),
        ("letters and digits after ##", [f"##{c}" for c in (*letters, *string.digits)]),
        ("marks of ASCII", list(string.punctuation)),
        ("Chinese marks", list(CHINESE_MARKS)),
    ):
        lacking = [piece for piece in wanted if piece not in known]
        if lacking:
            yield f"{title} that it lacks, [UNK] in a text: {' '.join(lacking)}"


def _counted(what: str, some: Sequence[str], pieces: Sequence[str]) -> str:
    share = len(some) / len(pieces)
    return f"{what}: {len(some):,} ({share:.1%}), {_examples(some)}"


def _examples(pieces: Sequence[str]) -> str:
    more = " ..." if len(pieces) > _EXAMPLES else ""
    return " ".join(map(_shown, pieces[:_EXAMPLES])) + more


def _shown(piece: str) -> str:
    return piece if piece.isprintable() and piece == piece.strip() else repr(piece)


class Coverage:
    """The pieces, words and [UNK] that a tokenizer makes of a text, counted a part at a time."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._inner = np.array([piece.startswith("##") for piece in tokenizer.pieces])
        self._unknown_alone: Dict[str, bool] = {}
        self.characters = self.pieces = self.unknown = self.words = self.word_pieces = 0
        self.unknown_characters: Counter[str] = Counter()

    def add(self, documents: Iterable[Document]) -> None:
        """Count documents."""
        sentences = [sentence for document in documents for sentence in document.sentences]
        tokens = self._tokenizer.tokenize(sentences)
        if not len(tokens.ids):
            return
        self.characters += sum(map(len, sentences))
        self.pieces += len(tokens.ids)
        starts = np.flatnonzero(~self._inner[tokens.ids])
        stops = np.append(starts[1:], len(tokens.ids))
        several = tokens.last[stops - 1] - tokens.first[starts] > 1
        self.words += int(several.sum())
        self.word_pieces += int((stops - starts)[several].sum())
        unknown = np.flatnonzero(tokens.ids == self._tokenizer.unk)
        self.unknown += len(unknown)
        text = "\n".join(sentences)
        bounds = zip(tokens.first[unknown].tolist(), tokens.last[unknown].tolist())
        for first, last in bounds:
            self.unknown_characters.update(filter(self._is_unknown, text[first:last]))

    def _is_unknown(self, character: str) -> bool:
        if character not in self._unknown_alone:
            ((ids, _),) = self._tokenizer.encode([character])
            self._unknown_alone[character] = self._tokenizer.unk in ids
        return self._unknown_alone[character]

    def lines(self) -> Iterator[str]:
        """Write all of it for people."""
        yield (
            f"text: {self.characters:,} characters, {self.pieces:,} pieces, "
            f"{self.characters / max(1, self.pieces):.2f} characters a piece"
        )
        yield (
            f"words of several letters or digits: {self.words:,}, "
            f"{self.word_pieces / max(1, self.words):.2f} pieces a word"
        )
        often = ", ".join(f"{c} {n:,}" for c, n in self.unknown_characters.most_common(20))
        yield (
            f"[UNK]: {self.unknown:,}, {self.unknown / max(1, self.pieces):.3%} of the pieces"
            + (f"; most often {often}" if often else "")
        )
