"""Fill [MASK]s: propose pieces for each, and whole words for neighbouring ones.

The words for neighbouring [MASK]s are found by a beam search: they are filled from left to right,
one at a time. The model sees the pieces chosen so far when the next [MASK] is filled, while all
other [MASK]s of the sentence stay. The probability of a word is the product over its pieces, so
that those of all words for one place add up to 1.
"""

from typing import Any, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from pretrain.model.proposals import Proposals
from pretrain.predict.proposer import Proposer, Request
from pretrain.text.batches import Encoded

# No words are sought for more [MASK]s in a row: no word is so long.
LONGEST_WORD = 8


class Proposal(NamedTuple):
    """A text for a place of a sentence."""

    text: str
    probability: float


class Place(NamedTuple):
    """A part of a sentence, half-open, in characters, and proposals for it, best first."""

    start: int
    stop: int
    proposals: Tuple[Proposal, ...]


class Filled(NamedTuple):
    """A sentence with [MASK]s."""

    masks: Tuple[Place, ...]  # each [MASK]
    words: Tuple[Place, ...]  # each group of 2 to 8 neighbouring [MASK]s


class _MaskGroup(NamedTuple):
    """Neighbouring [MASK]s: the pieces [first, last) of a sentence."""

    sentence: int
    first: int
    last: int


class _Word(NamedTuple):
    """The beginning of a word."""

    pieces: Tuple[int, ...]
    probability: float


def fill(
    proposer: Proposer, tokenizer: Any, sentences: Sequence[Encoded], count: int
) -> List[Filled]:
    """Find the `count` best pieces for each [MASK], and the best words for each group of
    neighbouring ones.

    The proposer must give at least `count` proposals; as many hypotheses of a word are kept as it
    gives.
    """
    masks = [_masks(tokenizer, encoded) for encoded in sentences]
    found = proposer([Request(encoded.ids, at) for encoded, at in zip(sentences, masks)])
    groups = [
        group
        for i, (encoded, at) in enumerate(zip(sentences, masks))
        for group in _mask_groups(i, encoded, at)
    ]
    words: List[List[Place]] = [[] for _ in sentences]
    for group, best in zip(groups, _words(proposer, sentences, groups)):
        offsets = sentences[group.sentence].offsets
        start, stop = offsets[group.first][0], offsets[group.last - 1][1]
        words[group.sentence].append(Place(start, stop, _proposals(tokenizer, best, count)))
    return [
        Filled(
            tuple(
                Place(
                    *encoded.offsets[place], _proposals(tokenizer, _pieces(proposals, row), count)
                )
                for row, place in enumerate(places)
            ),
            tuple(joint),
        )
        for encoded, places, proposals, joint in zip(sentences, masks, found, words)
    ]


def _masks(tokenizer: Any, encoded: Encoded) -> List[int]:
    return [place for place, piece in enumerate(encoded.ids) if piece == tokenizer.mask]


def _mask_groups(sentence: int, encoded: Encoded, masks: Sequence[int]) -> Iterator[_MaskGroup]:
    """Yield the groups of more than one [MASK], with nothing between them, that may be a word."""
    offsets = [encoded.offsets[place] for place in masks]
    bounds = [i for i in range(1, len(masks)) if offsets[i - 1][1] != offsets[i][0]]
    for start, stop in zip([0, *bounds], [*bounds, len(masks)]):
        if 1 < stop - start <= LONGEST_WORD:
            yield _MaskGroup(sentence, masks[start], masks[stop - 1] + 1)


def _words(
    proposer: Proposer, sentences: Sequence[Encoded], groups: Sequence[_MaskGroup]
) -> List[List[_Word]]:
    """Search the words of all groups by a beam search, a piece of each group at a time."""
    beams = [[_Word((), 1.0)] for _ in groups]
    for _ in range(LONGEST_WORD):
        open_words = [
            (i, word)
            for i, (group, beam) in enumerate(zip(groups, beams))
            for word in beam
            if len(word.pieces) < group.last - group.first
        ]
        found = proposer([_request(sentences, groups[i], word) for i, word in open_words])
        longer: List[List[_Word]] = [[] for _ in groups]
        for (i, word), proposals in zip(open_words, found):
            longer[i].extend(
                _Word(word.pieces + piece.pieces, word.probability * piece.probability)
                for piece in _pieces(proposals, 0)
            )
        for i, words in enumerate(longer):
            if words:
                beams[i] = sorted(words, key=lambda word: -word.probability)[: proposer.count]
    return beams


def _request(sentences: Sequence[Encoded], group: _MaskGroup, word: _Word) -> Request:
    """Ask for the next piece of a word, in the sentence with the beginning of the word."""
    ids = list(sentences[group.sentence].ids)
    place = group.first + len(word.pieces)
    ids[group.first : place] = word.pieces
    return Request(ids, [place])


def _pieces(found: Proposals, row: int) -> List[_Word]:
    ids, probabilities = np.asarray(found.ids[row]), np.asarray(found.probabilities[row])
    return [_Word((piece,), p) for piece, p in zip(ids.tolist(), probabilities.tolist()) if p]


def _proposals(tokenizer: Any, words: Sequence[_Word], count: int) -> Tuple[Proposal, ...]:
    return tuple(Proposal(tokenizer.join(word.pieces), word.probability) for word in words[:count])
