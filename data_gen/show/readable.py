"""Examples of a build for people to read, with the marks of masking.

An example becomes two segments of `MarkedText`s, which terminal.py and html_page.py put on paper.
The records hold no words, so neighbouring pieces of one kind are one text, be they one word or
several; the pieces within it are told apart.
"""

import os
from functools import lru_cache
from itertools import groupby
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.core.columns import Example
from data_gen.masking.corruption import CORRUPTIONS
from data_gen.records.read import read_examples
from data_gen.shared.dataset.dataset_info import DatasetInfo
from data_gen.shared.dataset.pair_labels import PAIR_LABELS
from data_gen.shared.errors import UserError
from data_gen.shared.files import file_sha256
from data_gen.shared.shipped import shipped_file
from data_gen.shared.vocabulary import SPECIALS, read_vocabulary
from data_gen.show.marks import LEGEND, MarkedText
from data_gen.tokenization.running_text import Join, is_mark
from data_gen.tokenization.tokenizers import TOKENIZERS

_CLS, _SEP, _MASK = SPECIALS[2:]
_PAIRS = 1 << 18  # of pieces, some 50 MB


class ReadableExample(NamedTuple):
    """An example made readable."""

    number: int  # in the data set, from 1
    shard: str
    place: int  # within the shard, from 1
    length: int  # pieces, [CLS] and [SEP] included, as masked_lm_prob counts
    masked: int  # pieces
    label: str  # of the pair; "" where the task has none
    segments: Tuple[Tuple[str, Tuple[MarkedText, ...]], ...]  # name and text


def readable_examples(info: DatasetInfo, vocabulary: Sequence[str]) -> "ReadableExamples":
    """Return a reader of examples. Raises UserError for a tokenizer that is unknown."""
    # Only a build whose corruption takes similar words has a table of them.
    similar = any(map(info.manifest.get, ("synonyms_sha256", "synonyms_made_from")))
    join = lru_cache(_PAIRS)(_join_of(info))  # most neighbours stand side by side again
    return ReadableExamples(info, vocabulary, similar, join)


class ReadableExamples(NamedTuple):
    """The examples of a build, to be read in any part."""

    info: DatasetInfo
    vocabulary: Sequence[str]
    similar: bool
    join: Join

    def __call__(
        self, skip: int = 0, only: Optional[Sequence[int]] = None
    ) -> Iterator[ReadableExample]:
        """Read the examples without the first `skip`; with `only`, ascending numbers from 1, those
        alone. Raises UserError for damaged records.
        """
        for one in read_examples(self.info, len(self.vocabulary), skip, only):
            example = one.example
            yield ReadableExample(
                number=one.of_all,
                shard=one.shard,
                place=one.number,
                length=len(example.pieces),
                masked=len(example.masked_positions),
                label=_label(self.info, example),
                segments=tuple(mark_segments(example, self.vocabulary, self.similar, self.join)),
            )


def _join_of(info: DatasetInfo) -> Join:
    name = info.manifest["config"].get("tokenizer", {}).get("name", "wordpiece")
    if name not in TOKENIZERS:
        raise UserError(
            f"{info.folder} was made with the tokenizer {name}, not one of {', '.join(TOKENIZERS)}"
        )
    return TOKENIZERS[name].join


def vocabulary_file(info: DatasetInfo) -> str:
    """Return the path of the vocabulary that dataset.json names, here or among the shipped ones; it
    may be missing.
    """
    named = str(info.manifest["config"].get("vocab_file") or "vocab.txt")
    return (named if os.path.isfile(named) else shipped_file(named)) or named


def build_vocabulary(info: DatasetInfo, path: Optional[str] = None) -> List[str]:
    """Read the vocabulary that made a build: the file that dataset.json names, or `path`.

    Raises UserError where that file is missing or another one.
    """
    path = path or vocabulary_file(info)
    advice = f"give the vocab.txt that made {info.folder} with --vocab FILE"
    if not os.path.isfile(path):
        raise UserError(f"there is no vocabulary {path}: {advice}")
    ours = file_sha256(path)
    if ours != info.vocab_sha256:
        raise UserError(
            f"{path} is another vocabulary (sha256 {ours[:8]}, not {info.vocab_sha256[:8]}): "
            f"{advice}"
        )
    return read_vocabulary(path)


def _label(info: DatasetInfo, example: Example) -> str:
    labels = PAIR_LABELS.get(info.manifest["config"].get("pair_task"))
    return labels[example.label] if labels else ""


def mark_segments(
    example: Example, vocabulary: Sequence[str], similar: bool, join: Join
) -> Iterator[Tuple[str, Tuple[MarkedText, ...]]]:
    """Mark the text of each segment, without the [CLS] and [SEP] around it. Yields its name and
    text.

    With `similar`, a single piece that stayed beside replaced ones counts as replaced, unless it is
    a mark: 语言 -> 语法 shares one. The records do not tell; this guess is right for nine of ten
    such pieces of statutes and eight of ten of technical articles, measured where it was known.
    """
    pieces = [vocabulary[i] for i in example.pieces]
    originals = list(pieces)
    kinds = ["text"] * len(pieces)
    for position, label in zip(example.masked_positions, example.masked_labels):
        originals[position] = vocabulary[label]
        kinds[position] = _kind(pieces[position], originals[position])
    if similar:
        kinds = _with_shared_pieces(kinds, originals)
    original, shown = _texts(originals, join), _texts(pieces, join)
    for name, start, stop in (("A", 0, example.a_stop), ("B", example.a_stop, len(pieces))):
        if start < stop and (pieces[start], kinds[start]) == (_CLS, "text"):
            start += 1
        if start < stop and (pieces[stop - 1], kinds[stop - 1]) == (_SEP, "text"):
            stop -= 1
        if start < stop:
            yield name, tuple(_marked_texts(kinds, original, shown, start, stop))


def _kind(piece: str, original: str) -> str:
    if piece == original:
        return "kept"
    return "mask" if piece == _MASK else "replaced"


def _with_shared_pieces(kinds: Sequence[str], originals: Sequence[str]) -> List[str]:
    padded = ["text", *kinds, "text"]
    return [
        "replaced"
        if kind == "kept" and "replaced" in near and "kept" not in near and not is_mark(piece[0])
        else kind
        for kind, near, piece in zip(kinds, zip(padded, padded[2:]), originals)
    ]


def _marked_texts(
    kinds: Sequence[str], original: Sequence[str], shown: Sequence[str], start: int, stop: int
) -> Iterator[MarkedText]:
    for kind, positions in groupby(range(start, stop), kinds.__getitem__):
        # A kept piece reads otherwise after a [MASK], and is the same.
        new = original if kind == "kept" else shown
        pieces = [(original[i], new[i]) for i in positions]
        if kind == "text":
            text = "".join(old for old, _ in pieces)
            yield MarkedText(kind, text, text)
            continue
        if pieces[0][0].startswith(" "):  # a space before a masked word is not masked
            yield MarkedText("text", " ", " ")
        pieces[0] = (pieces[0][0].lstrip(" "), pieces[0][1].lstrip(" "))
        old_text, new_text = ("".join(texts) for texts in zip(*pieces))
        yield MarkedText(kind, old_text, new_text, tuple(pieces))


def _texts(pieces: Sequence[str], join: Join) -> List[str]:
    """Write each piece as it reads after the one before it: joined, they are running text."""
    return [join(left, right) for left, right in zip(["", *pieces], pieces)]


def legend_of(info: DatasetInfo) -> List[Tuple[MarkedText, str]]:
    """Return the part of the legend for the marks that the recipe of a build gives; all of it for
    a recipe that is unknown.
    """
    masking = info.manifest["config"].get("masking") or {}
    shares = CORRUPTIONS.get(str(masking.get("corruption")))
    if not shares:
        return list(LEGEND)
    by = "a similar word or a random one" if shares.needs_similar_words else "random pieces"
    mask, (replaced, meaning), kept = LEGEND
    given = [
        (shares.mask, mask),
        (shares.similar + shares.random, (replaced, f"{meaning} by {by}")),
        (shares.keep, kept),
    ]
    return [entry for share, entry in given if share]
