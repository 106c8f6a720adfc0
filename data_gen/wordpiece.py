"""Sentence -> wordpieces, and which of them make up each word.

Pieces come from tokenizing the whole sentence exactly as BERT does at fine-tuning. Words come from
a segmenter. The two meet in character offsets only: no dictionary and no `##` marks, which join the
wrong pieces where a word stands twice in a sentence or WordPiece cuts elsewhere than the segmenter.
"""

from functools import cached_property
from typing import Dict, Iterable, List, Sequence, Tuple

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from data_gen.settings import UserError
from data_gen.types import Span

Offsets = Sequence[Tuple[int, int]]

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CLAUSE_MARKS = "，；：、,;:"


def read_vocabulary(path: str) -> List[str]:
    """Read a vocab.txt: one piece a line, the line number is its id.

    Raises UserError where the file cannot be read, lacks a special token or names a piece twice.
    """
    try:
        with open(path, encoding="utf-8") as handle:
            pieces = [line.rstrip("\r\n") for line in handle]
    except OSError as error:
        raise UserError(f"cannot read the vocabulary {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"the vocabulary {path} is not UTF-8 text") from error
    missing = [special for special in SPECIALS if special not in pieces]
    if missing:
        raise UserError(
            f"the vocabulary {path} lacks {' '.join(missing)}: add a line for each, or use the "
            "vocab.txt of a BERT model"
        )
    if len(set(pieces)) != len(pieces):
        twice = next(piece for i, piece in enumerate(pieces) if piece in pieces[:i])
        raise UserError(f"the vocabulary {path} has {twice!r} on two lines: ids would be ambiguous")
    return pieces


class WordPiece:
    """Google's FullTokenizer over one vocabulary, with character offsets."""

    def __init__(self, pieces: Sequence[str], do_lower_case: bool) -> None:
        self.pieces = list(pieces)
        self.ids: Dict[str, int] = {piece: i for i, piece in enumerate(pieces)}
        _, self.unk, self.cls, self.sep, self.mask = (self.ids[special] for special in SPECIALS)
        # No special token is registered, so "[SEP]" in a text is the characters it is made of, as
        # with Google's.
        self._tokenizer = Tokenizer(
            models.WordPiece(self.ids, unk_token="[UNK]", max_input_chars_per_word=200)
        )
        self._tokenizer.normalizer = normalizers.BertNormalizer(
            clean_text=True,
            handle_chinese_chars=True,
            strip_accents=do_lower_case,
            lowercase=do_lower_case,
        )
        self._tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()

    def encode(self, sentences: Sequence[str]) -> List[Tuple[List[int], Offsets]]:
        """Ids and half-open character offsets of the pieces of each sentence, no special tokens
        added.
        """
        encodings = self._tokenizer.encode_batch(list(sentences), add_special_tokens=False)
        return [(encoding.ids, encoding.offsets) for encoding in encodings]

    def text(self, pieces: Iterable[int]) -> str:
        """The pieces as one string without spaces, for people to read."""
        return "".join(
            self.pieces[i][2:] if self.pieces[i].startswith("##") else self.pieces[i]
            for i in pieces
        )

    @cached_property
    def producible(self) -> Tuple[int, ...]:
        """The ids that tokenizing some text can give: no special, no `[unused*]`, no `##` + Chinese
        character.

        Random replacements are drawn from these; Google draws from the whole vocabulary, where 35 %
        are `##` + Chinese.
        """
        normalize = self._tokenizer.normalizer.normalize_str
        split = self._tokenizer.pre_tokenizer.pre_tokenize_str

        def whole(piece: str) -> bool:
            # What is looked up is a run of the tokenizer, from its start or from within. A text
            # that is cut into runs (Chinese, punctuation) or changed (upper case) never is one.
            inner = piece.startswith("##") and piece != "##"
            text = f"a{piece[2:]}" if inner else piece
            return piece not in SPECIALS and [run for run, _ in split(normalize(text))] == [text]

        return tuple(i for i, piece in enumerate(self.pieces) if whole(piece))

    @cached_property
    def clause_marks(self) -> frozenset:  # type: ignore[type-arg]
        """Ids of the marks that end a clause."""
        return frozenset(self.ids[mark] for mark in CLAUSE_MARKS if mark in self.ids)


def word_spans(offsets: Offsets, boundaries: Iterable[int]) -> Tuple[Span, ...]:
    """Group pieces into words: two neighbours are of one word unless a boundary lies between them.

    offsets:    half-open character offsets of the pieces, ascending
    boundaries: character positions at which a word starts or ends, ascending
    Returns     spans of piece positions that cover all pieces. A piece that straddles a boundary
                joins the two words.
    """
    spans = []
    start = 0
    marks = iter(boundaries)
    mark = next(marks, None)
    for i in range(1, len(offsets)):
        left, right = offsets[i - 1][1], offsets[i][0]
        while mark is not None and mark < left:
            mark = next(marks, None)
        if mark is not None and mark <= right:
            spans.append(Span(start, i))
            start = i
    if offsets:
        spans.append(Span(start, len(offsets)))
    return tuple(spans)


def piece_spans(count: int) -> Tuple[Span, ...]:
    """One span a piece: words where the segmenter's cannot be aligned, and the unit of piece
    masking.
    """
    return tuple(Span(0, count).singles())
