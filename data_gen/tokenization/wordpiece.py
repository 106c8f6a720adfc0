"""Google's FullTokenizer (google-research/bert, tokenization.py) with character offsets.

The Rust package `tokenizers` does the work. Where its BertNormalizer and BertPreTokenizer are not
Google's, they are put right here. Left are 365 characters, none of a script in wide use: the
package has the categories of Unicode 8, so it keeps accents and joins punctuation of later versions
(tests/golden/basic_tokenizer.json lists them).
"""

import re
from array import array
from functools import cached_property
from importlib import metadata
from itertools import accumulate, chain
from typing import Dict, FrozenSet, Iterable, List, Optional, Sequence, Set, Tuple

import numpy as np

from data_gen.core.columns import Array, as_array, offsets_of, ordinals
from data_gen.core.compiled import compiled
from data_gen.shared.errors import UserError
from data_gen.shared.extras import import_extra
from data_gen.shared.vocabulary import MAX_RUN, SPECIALS, read_vocabulary
from data_gen.tokenization.tokenizer import CLAUSE_MARKS, Offsets, Tokenizer, Tokens

# Control and format characters but \t \n \r, and the two that Google's _clean_text names. The
# package's own cleaning also drops private use characters, which are [UNK] with Google's.
_DROPPED = (
    r"[\x{0}-\x{8}\x{B}\x{C}\x{E}-\x{1F}\x{7F}-\x{9F}\x{AD}\x{600}-\x{605}\x{61C}\x{6DD}\x{70F}"
    r"\x{8E2}\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}"
    r"\x{FFF9}-\x{FFFB}\x{FFFD}\x{110BD}\x{110CD}\x{1BCA0}-\x{1BCA3}\x{1D173}-\x{1D17A}\x{E0001}"
    r"\x{E0020}-\x{E007F}]"
)

# Chinese characters of extension E that the package forgets to split (its range starts late).
_FORGOTTEN = r"[\x{2B820}-\x{2B91F}]"


class BasicTokenizer:
    """Google's BasicTokenizer: cleans a text, lowers it and splits it into *runs*, the Chinese
    characters, punctuation marks and words of other scripts that WordPiece then cuts.
    """

    def __init__(self, do_lower_case: bool) -> None:
        rust = import_extra("tokenizers", "data", "the tokenizer wordpiece")
        normalizers, pre_tokenizers = rust.normalizers, rust.pre_tokenizers
        self.lowers = do_lower_case
        self.normalizer = normalizers.Sequence(
            [
                normalizers.Replace(rust.Regex(_DROPPED), ""),
                normalizers.BertNormalizer(
                    clean_text=False,
                    handle_chinese_chars=True,
                    strip_accents=do_lower_case,
                    lowercase=do_lower_case,
                ),
            ]
        )
        self.splitter = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(rust.Regex(_FORGOTTEN), "isolated"),
                pre_tokenizers.BertPreTokenizer(),
            ]
        )

    def prepare(self, text: str) -> str:
        """Lower capital sigmas, which the normalizer would lower otherwise.

        Python lowers Σ to ς at the end of a word and to σ elsewhere, Rust always to σ. No other
        character depends on its neighbours; the length stays.
        """
        if not self.lowers or "Σ" not in text:
            return text
        # İ is the one character that str.lower makes longer.
        lowered = text.replace("İ", "I").lower()
        return re.sub("Σ", lambda match: lowered[match.start()], text)

    def normalize(self, text: str) -> str:
        """Clean, space and lower a text; runs are cut from the result."""
        normalized: str = self.normalizer.normalize_str(self.prepare(text))
        return normalized

    def split(self, text: str) -> List[str]:
        """Split a normalized text into its runs."""
        return [run for run, _ in self.splitter.pre_tokenize_str(text)]

    def runs_of(self, texts: Sequence[str]) -> List[List[str]]:
        """Normalize and split many texts without line feeds, as one: several times as fast as a
        text each.
        """
        normalized = self.normalize("\n".join(texts))
        ends = [*accumulate(len(line) + 1 for line in normalized.split("\n"))]
        runs: List[List[str]] = [[] for _ in texts]
        number = 0
        for run, (start, _) in self.splitter.pre_tokenize_str(normalized):
            while start >= ends[number]:
                number += 1
            runs[number].append(run)
        return runs


class WordPiece(Tokenizer):
    """Google's FullTokenizer over one vocabulary."""

    def __init__(self, pieces: Sequence[str], do_lower_case: bool) -> None:
        super().__init__(pieces)
        self._basic = BasicTokenizer(do_lower_case)
        rust = import_extra("tokenizers", "data", "the tokenizer wordpiece")
        self.identity = f"wordpiece (tokenizers {metadata.version('tokenizers')})"
        # No special token is registered, so "[SEP]" in a text is the characters it is made of, as
        # with Google's.
        self._tokenizer = rust.Tokenizer(
            rust.models.WordPiece(self.ids, unk_token="[UNK]", max_input_chars_per_word=MAX_RUN)
        )
        self._tokenizer.normalizer = self._basic.normalizer
        self._tokenizer.pre_tokenizer = self._basic.splitter
        self._known = _WordpieceCache()

    def encode(self, sentences: Sequence[str]) -> List[Tuple[List[int], Offsets]]:
        """Cut each sentence into pieces: see `Tokenizer.encode`."""
        prepared = [self._basic.prepare(sentence) for sentence in sentences]
        encodings = self._tokenizer.encode_batch(prepared, add_special_tokens=False)
        return [(encoding.ids, encoding.offsets) for encoding in encodings]

    def tokenize(self, sentences: Sequence[str]) -> Tokens:
        """Cut many sentences at once, into arrays: runs met before are looked up."""
        # Runs of a prepared text are the same wherever they stand.
        text = self._basic.prepare("\n".join(sentences))
        if len(self._known) > _MOST_KNOWN:
            self._known = _WordpieceCache()
        found, starts, stops = self._find_runs(np.frombuffer(text.encode("utf-32-le"), np.uint32))
        runs = [text[start:stop] for start, stop in zip(starts.tolist(), stops.tolist())]
        self._learn_runs(runs)
        found[starts] = self._known.numbers(runs)
        return self._known.tokens(found)

    def _find_runs(self, codes: Array) -> Tuple[Array, Array, Array]:
        """Return what `_WordpieceCache.characters` says of each character, and where the runs of
        several characters start and stop.
        """
        characters = self._known.characters
        found: Array = np.empty(len(codes), np.int32)
        starts, stops = np.empty((2, len(codes) // 2 + 1), np.int64)
        count = compiled("find_runs", codes, len(codes), characters, _INNER, found, starts, stops)
        if count is None:
            found = characters.take(codes)
            inner = np.diff(found == _INNER, prepend=False, append=False)
            starts, stops = np.flatnonzero(inner).reshape(-1, 2).T
        unseen = found == _UNSEEN
        if unseen.any():
            self._learn_characters(sorted({*codes[unseen].tolist()}))
            return self._find_runs(codes)
        return found, starts[:count], stops[:count]

    def _learn_runs(self, runs: Iterable[str]) -> None:
        new = self._known.unknown(runs)
        # Most are Latin words and numbers, which WordPiece may be given as they are.
        plain = [run for run in new if run.isascii() and run.isalnum()]
        lowered = map(str.lower, plain) if self._basic.lowers else plain
        cut = [*map(self._tokenizer.model.tokenize, lowered)]
        pieces = [*chain.from_iterable(cut)]
        ids = np.array([piece.id for piece in pieces], np.int32)
        offsets = _offsets(piece.offsets for piece in pieces)
        self._known.add(plain, ids, offsets, offsets_of([*map(len, cut)]))
        self._learn_other_runs([*new.difference(plain)])

    def _learn_other_runs(self, new: Sequence[str]) -> None:
        # One text of all is several times as fast as a text each.
        encoding = self._tokenizer.encode(" ".join(new), add_special_tokens=False)
        offsets = _offsets(encoding.offsets)
        starts = np.cumsum([0, *(len(run) + 1 for run in new)])
        bounds = np.searchsorted(offsets[:, 0], starts)
        offsets -= np.repeat(starts[:-1], np.diff(bounds))[:, None]
        self._known.add(new, np.array(encoding.ids, np.int32), offsets, bounds)

    def _learn_characters(self, codes: Sequence[int]) -> None:
        """Find the characters that are runs of their own, wherever they stand."""
        alone = []
        for code, runs in zip(codes, self._basic.runs_of([f"a{chr(code)}b" for code in codes])):
            self._known.characters[code] = _SPACE if len(runs) == 2 else _INNER
            if len(runs) == 3:
                alone.append(chr(code))
        self._learn_runs(alone)
        for character in alone:
            if self._known.is_one_piece(character):
                self._known.characters[ord(character)] = self._known.numbers([character])[0]

    def join(self, pieces: Iterable[int]) -> str:
        """Join pieces to one string without spaces."""
        return "".join(map(self.spelt.__getitem__, pieces))

    @cached_property
    def spelt(self) -> Sequence[str]:
        """The pieces without their `##`."""
        return [piece[2:] if piece.startswith("##") else piece for piece in self.pieces]

    @cached_property
    def reachable_ids(self) -> Sequence[int]:
        """The ids that tokenizing some text can give: no special, no `[unused*]`, no `##` + Chinese
        character.

        Google draws random replacements from the whole vocabulary, where 35 % are `##` + Chinese.
        """
        # What is looked up is a run, from its start or from within. A text that is cut into runs
        # (Chinese, punctuation) or changed (upper case) never is one. Of most pieces that is known.
        found, rest = [], []
        for i, piece in enumerate(self.pieces):
            if _RUN.fullmatch(piece):
                found.append(i)
            elif not _CHINESE.search(piece):
                rest.append(i)
        texts = [_within_run(self.pieces[i]) for i in rest]
        runs = self._basic.runs_of(texts)
        found += [
            i
            for i, text, cut in zip(rest, texts, runs)
            if cut == [text] and self.pieces[i] not in SPECIALS
        ]
        return tuple(sorted(found))

    @cached_property
    def continuing_ids(self) -> Sequence[int]:
        """The ids of the `##` pieces."""
        return tuple(i for i, piece in enumerate(self.pieces) if piece.startswith("##"))

    @cached_property
    def clause_marks(self) -> FrozenSet[int]:
        """The ids of the marks that end a clause."""
        return frozenset(self.ids[mark] for mark in CLAUSE_MARKS if mark in self.ids)


_CHINESE = re.compile("[\u4e00-\u9fff]")  # those of Google's ranges that vocabularies hold most
_RUN = re.compile("[\u4e00-\u9fff]|(##)?[a-z0-9]+")  # a run, or the rest of one


def _offsets(pairs: Iterable[Tuple[int, int]]) -> Array:
    return np.fromiter(chain.from_iterable(pairs), np.int64).reshape(-1, 2)


def _within_run(piece: str) -> str:
    """Return a text that holds a piece as WordPiece looks it up, at the start of a run or in it."""
    return f"a{piece[2:]}" if piece.startswith("##") and piece != "##" else piece


# What `_WordpieceCache.characters` says of a character that is no run of its own.
_UNSEEN, _SPACE, _INNER = -3, -2, -1
_MOST_KNOWN = 1 << 18  # runs; more would take more than 100 MB


class _WordpieceCache:
    """The pieces of runs, numbered in the order in which they were met."""

    def __init__(self) -> None:
        # Of each character the number of the run that it is alone, wherever it stands.
        self.characters = np.full(0x110000, _UNSEEN, np.int32)
        self.characters[ord("\n")] = _SPACE
        self._numbers: Dict[str, int] = {}
        self._starts = array("q", [0])  # the pieces of run i are at [starts[i], starts[i + 1])
        self._ids, self._first, self._last = array("i"), array("q"), array("q")

    def __len__(self) -> int:
        return len(self._numbers)

    def unknown(self, runs: Iterable[str]) -> Set[str]:
        """Find the runs not met before."""
        return set(runs).difference(self._numbers)

    def add(self, runs: Sequence[str], ids: Array, offsets: Array, bounds: Array) -> None:
        """Add new runs; the pieces of run i are at [bounds[i], bounds[i + 1])."""
        first = len(self)
        self._numbers.update(zip(runs, range(first, first + len(runs))))
        bounds = bounds[1:] + len(self._ids)
        for column, values in (
            (self._ids, ids),
            (self._first, offsets[:, 0]),
            (self._last, offsets[:, 1]),
            (self._starts, bounds),
        ):
            column.frombytes(values.tobytes())

    def numbers(self, runs: Iterable[str]) -> List[int]:
        return list(map(self._numbers.__getitem__, runs))

    def is_one_piece(self, run: str) -> bool:
        number = self._numbers[run]
        return self._starts[number + 1] - self._starts[number] == 1

    def tokens(self, runs: Array) -> Tokens:
        """Look up the pieces of a text's runs.

        runs: of each character the number of the run that starts there, negative without, int32
        """
        starts, ids = as_array(self._starts), as_array(self._ids)
        first, last = as_array(self._first), as_array(self._last)
        count = compiled("count_pieces", runs, len(runs), starts)
        if count is not None:
            found = Tokens(*(np.empty(count, column.dtype) for column in (ids, first, last)))
            if compiled("look_up_pieces", runs, len(runs), starts, ids, first, last, *found) == 0:
                return found
        positions = np.flatnonzero(runs >= 0)
        runs = runs[positions]
        sizes = np.diff(starts).take(runs)
        pieces = starts.take(np.repeat(runs, sizes)) + ordinals(sizes)
        shifts = np.repeat(positions, sizes)
        return Tokens(ids[pieces], first[pieces] + shifts, last[pieces] + shifts)


def load_wordpiece(vocab_file: str, model: Optional[str], do_lower_case: bool) -> WordPiece:
    """Load WordPiece over a vocab.txt. Raises UserError where that is unusable."""
    if model:
        raise UserError(
            "the tokenizer wordpiece takes no model: remove tokenizer.model, or set "
            "tokenizer.name=sentencepiece"
        )
    return WordPiece(read_vocabulary(vocab_file), do_lower_case)
