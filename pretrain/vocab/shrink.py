"""Remove the pieces that a text does not use from a model's vocabulary.

Kept are, in their old order: the special tokens; the pieces that the text gives at least
`min_count` times; those in `keep`; letters and digits of ASCII, alone and after ##, and all
marks, so that any English word can still be cut; and the pieces of every word of the text that
could not be cut otherwise. So with `min_count` 1 the text is cut as before. With more a rare
word is cut into smaller pieces, and only a rare character of its own becomes [UNK].
"""

import unicodedata
from collections import Counter
from itertools import chain, islice
from typing import Any, Dict, Iterable, NamedTuple, Sequence, Tuple

import numpy as np

from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import SPECIALS
from pretrain.checkpoint.folder import VOCAB, new_folder
from pretrain.vocab.resize import (
    EmbeddingRow,
    ModelToResize,
    named,
    open_model,
    tokenizer_of,
    write_model,
)

_SENTENCES = 1000  # tokenized at once


class Shrunk(NamedTuple):
    """Counts before and after shrinking."""

    pieces: Tuple[int, int]  # before and after, as all below
    weights: Tuple[int, int]  # without the optimizer's slots
    text_pieces: Tuple[int, int]  # that the text is cut into
    unknown: Tuple[int, int]  # of them [UNK]
    cut_otherwise: int  # words of the text that are cut differently


def shrink(
    path: str,
    output: str,
    documents: Iterable[Sequence[str]],
    min_count: int = 1,
    keep: Sequence[str] = (),
) -> Shrunk:
    """Write the model at `path` with the pieces that a text uses to the new folder `output`, and
    the old and new ids to its id_map.tsv.

    documents: the sentences of each, read once

    Memory grows with `min_count`, not with the text. Raises UserError if there is no text, or
    `keep` names an unknown piece.
    """
    with new_folder(output) as folder:
        return _shrink(open_model(path), folder, documents, min_count, keep)


def _shrink(
    source: ModelToResize,
    folder: str,
    documents: Iterable[Sequence[str]],
    min_count: int,
    keep: Sequence[str],
) -> Shrunk:
    tokenizer = source.tokenizer
    strange = [piece for piece in keep if piece not in tokenizer.ids]
    if strange:
        raise UserError(f"the vocabulary has no {named(strange)}: keep what is in {VOCAB}")
    always = [tokenizer.ids[piece] for piece in (*SPECIALS, *keep)]
    always += [i for i in tokenizer.reachable_ids if _is_basic(tokenizer.pieces[i])]
    used = _Used(tokenizer, min_count, always)
    sentences = chain.from_iterable(documents)
    for part in iter(lambda: list(islice(sentences, _SENTENCES)), []):
        used.add(part)
    if not used.counts.any():
        raise UserError("the text is empty: give text of the kind that the model is for")
    kept, words = used.enough(source.settings)
    rows = [EmbeddingRow(tokenizer.pieces[i], (i,)) for i in np.flatnonzero(kept).tolist()]
    weights = write_model(source, folder, rows, id_map=True)
    total, unknown = int(used.counts.sum()), int(used.counts[tokenizer.unk])
    return Shrunk(
        (len(kept), len(rows)),
        weights,
        (total, total + sum(n * (after - len(word)) for word, (n, after) in words.items())),
        (unknown, unknown + int(used.alone[~kept].sum())),
        sum(n for n, _ in words.values()),
    )


def _is_basic(piece: str) -> bool:
    """Return True for a letter or digit of ASCII, or a mark of any script, perhaps after ##."""
    text = piece[2:] if piece.startswith("##") and len(piece) > 2 else piece
    return len(text) == 1 and (text < "\x7f" or unicodedata.category(text)[0] == "P")


WordPieces = Tuple[int, ...]  # the ids of a word's pieces


class _Used:
    """Counts of the pieces of a text, and of its words with rare pieces."""

    def __init__(self, tokenizer: Any, min_count: int, always: Sequence[int]) -> None:
        pieces = tokenizer.pieces
        self._tokenizer, self._min_count, self._always = tokenizer, min_count, always
        self._inner = np.array([piece.startswith("##") and len(piece) > 2 for piece in pieces])
        self._one = np.array([len(piece) == 1 for piece in pieces])
        self.counts = np.zeros(len(pieces), np.int64)
        self.alone = np.zeros(len(pieces), np.int64)  # as a word of one character
        self._words: Counter[WordPieces] = Counter()

    def add(self, sentences: Sequence[str]) -> None:
        """Count some sentences.

        A piece that stays below `min_count` is below it at each of its words, so all of them are
        remembered, at most `min_count` - 1.
        """
        ids = self._tokenizer.tokenize(sentences).ids
        self.counts += np.bincount(ids, minlength=len(self.counts))
        starts = np.flatnonzero(~self._inner[ids])
        stops = np.append(starts[1:], len(ids))
        alone = (stops - starts == 1) & self._one[ids[starts]]
        self.alone += np.bincount(ids[starts[alone]], minlength=len(self.counts))
        rare = np.logical_or.reduceat(~self._kept()[ids], starts) & ~alone
        for start, stop in zip(starts[rare].tolist(), stops[rare].tolist()):
            self._words[tuple(ids[start:stop].tolist())] += 1

    def _kept(self) -> np.ndarray:
        kept = self.counts >= self._min_count
        kept[self._always] = True
        return kept

    def enough(
        self, settings: Dict[str, Any]
    ) -> Tuple[np.ndarray, Dict[WordPieces, Tuple[int, int]]]:
        """Return the pieces to keep, bool [V], so that no more words become [UNK]; and the words
        that they cut differently: the count of each, and its number of pieces then.
        """
        kept = self._kept()
        while True:
            words = [word for word in self._words if not kept[list(word)].all()]
            pieces = [piece for i, piece in enumerate(self._tokenizer.pieces) if kept[i]]
            smaller = tokenizer_of(pieces, settings)
            cut = [ids for ids, _ in smaller.encode([self._tokenizer.join(word) for word in words])]
            lost = [word for word, ids in zip(words, cut) if smaller.unk in ids]
            if not lost:
                return kept, {word: (self._words[word], len(ids)) for word, ids in zip(words, cut)}
            kept[[i for word in lost for i in word]] = True
