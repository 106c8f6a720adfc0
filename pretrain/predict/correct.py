"""Which words of a sentence a model would write otherwise: MLM as correction put to use.

At every position the model says what it expects there, the piece that stands there included. A
piece is doubtful where another is at least 3 times as probable. Neighbouring doubtful pieces, with
nothing between them, make a word, because errors are of words and one piece of the right word
beside one of the wrong is none. A word is suspicious where

- its proposal, of the best pieces, is at least `ratio` times as probable as the word itself, and
- the probability of the proposal is at least `above`,

the probability of a word being the product over its pieces. Training shows the model nine replaced
words for each that is kept, so `ratio` weighs what the model thinks against how rare errors are.

The defaults are measured on 1,500 held-out sentences of technical articles, with a model of 4
layers x 256 after 4,000 steps of the MacBERT recipe. Where one word of a sentence, or 4 % of its
words of two to four characters, had been replaced by a similar one, 52 % of the words listed were
wrong ones, and 10 % of the wrong ones were listed. Of single wrong characters, which MacBERT does
not see in training, only 1 to 2 % were. A sentence without errors has a word listed in one of ten
cases. A better model allows lower thresholds.
"""

from typing import Any, List, NamedTuple, Sequence, Tuple

import numpy as np

from pretrain.model.proposals import Proposals
from pretrain.predict.fill import Place, Proposal
from pretrain.predict.proposer import Proposer, Request
from pretrain.text.batches import Encoded

_DOUBTFUL = 3.0  # times as probable another piece is


class Rule(NamedTuple):
    """When a word is suspicious: see above."""

    ratio: float = 300.0
    above: float = 0.3

    def is_valid(self) -> bool:
        """Whether the numbers are in their ranges."""
        return 1 <= self.ratio < float("inf") and 0 <= self.above <= 1


DEFAULT = Rule()


class Suspicion(NamedTuple):
    """A word that the model would write otherwise."""

    place: Place  # with other words, best first
    text: str
    probability: float  # of the word that stands there


class _Piece(NamedTuple):
    """A piece of a sentence, with what might stand there; best first."""

    start: int
    stop: int
    own: float
    proposals: Tuple[Proposal, ...]


def correct(
    proposer: Proposer,
    tokenizer: Any,
    texts: Sequence[str],
    encoded: Sequence[Encoded],
    rule: Rule,
    count: int,
) -> List[List[Suspicion]]:
    """The suspicious words of each sentence, each with the `count` best proposals.

    encoded: the pieces of `texts`
    """
    places = [_replaceable(tokenizer, one) for one in encoded]
    found = proposer([Request(one.ids, own) for one, own in zip(encoded, places)])
    return [
        [
            _suspicion(text, word, count)
            for word in _doubtful_words(tokenizer, one, own, proposals)
            if _is_suspicious(word, rule)
        ]
        for text, one, own, proposals in zip(texts, encoded, places, found)
    ]


def _replaceable(tokenizer: Any, encoded: Encoded) -> List[int]:
    """The pieces that stand for a part of the text alone, and that the model knows."""
    offsets = encoded.offsets
    return [
        i
        for i, (piece, offset) in enumerate(zip(encoded.ids, offsets))
        if piece != tokenizer.unk
        and offset[0] < offset[1]
        and offset not in offsets[max(i - 1, 0) : i]
        and offset not in offsets[i + 1 : i + 2]
    ]


def _doubtful_words(
    tokenizer: Any, encoded: Encoded, places: Sequence[int], found: Proposals
) -> List[List[_Piece]]:
    """Runs of neighbouring pieces for each of which another is much more probable."""
    words: List[List[_Piece]] = []
    doubtful = (found.probabilities[:, 0] >= _DOUBTFUL * found.own).nonzero()[0]
    for row in doubtful.tolist():
        start, stop = encoded.offsets[places[row]]
        if not words or words[-1][-1].stop != start:
            words.append([])
        pairs = zip(found.ids[row].tolist(), found.probabilities[row].tolist())
        proposals = tuple(Proposal(tokenizer.join([i]), p) for i, p in pairs if p)
        words[-1].append(_Piece(start, stop, float(found.own[row]), proposals))
    return words


def _is_suspicious(word: Sequence[_Piece], rule: Rule) -> bool:
    best = float(np.prod([piece.proposals[0].probability for piece in word]))
    return best >= rule.above and best >= rule.ratio * _own(word)


def _own(word: Sequence[_Piece]) -> float:
    return float(np.prod([piece.own for piece in word]))


def _suspicion(text: str, word: Sequence[_Piece], count: int) -> Suspicion:
    start, stop = word[0].start, word[-1].stop
    proposals = tuple(_best_words(word, count))
    return Suspicion(Place(start, stop, proposals), text[start:stop], _own(word))


def _best_words(word: Sequence[_Piece], count: int) -> List[Proposal]:
    """The `count` most probable choices of a proposal for each piece."""
    words = [Proposal("", 1.0)]
    for piece in word:
        longer = [
            Proposal(start.text + one.text, start.probability * one.probability)
            for start in words
            for one in piece.proposals
        ]
        words = sorted(longer, key=lambda choice: -choice.probability)[:count]
    return words
