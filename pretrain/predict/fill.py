"""Filling [MASK]: pieces for each, and whole words for neighbouring ones.

The words of a run of [MASK]s are found by a beam search: the run is filled from left to right, one
[MASK] at a time, and what was put there is seen when the next is filled, while all other [MASK]s
of the sentence stay. The probability of a word is the product over its pieces, so that those of
all words of a run add up to 1.
"""

from typing import Any, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from pretrain.model.proposals import Proposals
from pretrain.predict.proposer import Proposer, Request
from pretrain.text.batches import Encoded

# Of a longer run no words are sought: nothing like it is a word.
LONGEST_WORD = 8


class Proposal(NamedTuple):
    """What may stand at a place of a text."""

    text: str
    probability: float


class Place(NamedTuple):
    """A part of a sentence, half-open, in characters, and what may stand there, best first."""

    start: int
    stop: int
    proposals: Tuple[Proposal, ...]


class Filled(NamedTuple):
    """A sentence with [MASK]s."""

    masks: Tuple[Place, ...]  # each of them
    words: Tuple[Place, ...]  # each run of 2 to 8


class _Run(NamedTuple):
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
    """The `count` best pieces of each [MASK] and the best words of each run of them.

    The proposer must give at least `count` proposals; as many hypotheses of a word are kept as it
    gives.
    """
    masks = [_masks(tokenizer, encoded) for encoded in sentences]
    found = proposer([Request(encoded.ids, own) for encoded, own in zip(sentences, masks)])
    runs = [
        run
        for i, (encoded, own) in enumerate(zip(sentences, masks))
        for run in _runs(i, encoded, own)
    ]
    words: List[List[Place]] = [[] for _ in sentences]
    for run, best in zip(runs, _words(proposer, sentences, runs)):
        offsets = sentences[run.sentence].offsets
        start, stop = offsets[run.first][0], offsets[run.last - 1][1]
        words[run.sentence].append(Place(start, stop, _proposals(tokenizer, best, count)))
    return [
        Filled(
            tuple(
                Place(*encoded.offsets[place], _proposals(tokenizer, _pieces(own, row), count))
                for row, place in enumerate(places)
            ),
            tuple(joint),
        )
        for encoded, places, own, joint in zip(sentences, masks, found, words)
    ]


def _masks(tokenizer: Any, encoded: Encoded) -> List[int]:
    return [place for place, piece in enumerate(encoded.ids) if piece == tokenizer.mask]


def _runs(sentence: int, encoded: Encoded, masks: Sequence[int]) -> Iterator[_Run]:
    """The runs of more than one [MASK], with nothing between them, that may be a word."""
    offsets = [encoded.offsets[place] for place in masks]
    bounds = [i for i in range(1, len(masks)) if offsets[i - 1][1] != offsets[i][0]]
    for start, stop in zip([0, *bounds], [*bounds, len(masks)]):
        if 1 < stop - start <= LONGEST_WORD:
            yield _Run(sentence, masks[start], masks[stop - 1] + 1)


def _words(
    proposer: Proposer, sentences: Sequence[Encoded], runs: Sequence[_Run]
) -> List[List[_Word]]:
    """The beam search of all runs, a piece of each at a time."""
    beams = [[_Word((), 1.0)] for _ in runs]
    for _ in range(LONGEST_WORD):
        open_words = [
            (i, word)
            for i, (run, beam) in enumerate(zip(runs, beams))
            for word in beam
            if len(word.pieces) < run.last - run.first
        ]
        found = proposer([_request(sentences, runs[i], word) for i, word in open_words])
        longer: List[List[_Word]] = [[] for _ in runs]
        for (i, word), proposals in zip(open_words, found):
            longer[i].extend(
                _Word(word.pieces + piece.pieces, word.probability * piece.probability)
                for piece in _pieces(proposals, 0)
            )
        for i, words in enumerate(longer):
            if words:
                beams[i] = sorted(words, key=lambda word: -word.probability)[: proposer.count]
    return beams


def _request(sentences: Sequence[Encoded], run: _Run, word: _Word) -> Request:
    """The sentence with the beginning of a word; the next piece of it is asked for."""
    ids = list(sentences[run.sentence].ids)
    place = run.first + len(word.pieces)
    ids[run.first : place] = word.pieces
    return Request(ids, [place])


def _pieces(found: Proposals, row: int) -> List[_Word]:
    ids, probabilities = np.asarray(found.ids[row]), np.asarray(found.probabilities[row])
    return [_Word((piece,), p) for piece, p in zip(ids.tolist(), probabilities.tolist()) if p]


def _proposals(tokenizer: Any, words: Sequence[_Word], count: int) -> Tuple[Proposal, ...]:
    return tuple(Proposal(tokenizer.join(word.pieces), word.probability) for word in words[:count])
