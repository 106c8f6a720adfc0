"""Find the words of a sentence that a model would replace: MLM as correction put to use.

At every position the model gives a probability to each piece, also to the one in the text. A piece
is doubtful if another is at least 3 times as probable. Neighbouring doubtful pieces, with nothing
between them, make a word, because errors are of words, and a piece of the right word beside a
piece of the wrong word makes no word. A word is suspicious if

- its proposal, of the best pieces, is at least `ratio` times as probable as the word itself, and
- the probability of the proposal is at least `above`.

The probability of a word is the product over its pieces. Training shows the model nine replaced
words for each that is kept, so `ratio` corrects the model's opinion by how rare errors are.

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


class Threshold(NamedTuple):
    """The bounds for a suspicious word: see above."""

    ratio: float = 300.0
    above: float = 0.3

    def is_valid(self) -> bool:
        """Return True if the numbers are in their ranges."""
        return 1 <= self.ratio < float("inf") and 0 <= self.above <= 1


DEFAULT = Threshold()


class Suspicion(NamedTuple):
    """A word that the model would replace."""

    place: Place  # with other words, best first
    text: str
    probability: float  # of the word in the text


class _Piece(NamedTuple):
    """A piece of a sentence with its proposals, best first."""

    start: int
    stop: int
    actual: float  # probability of the piece in the text
    proposals: Tuple[Proposal, ...]


def correct(
    proposer: Proposer,
    tokenizer: Any,
    texts: Sequence[str],
    encoded: Sequence[Encoded],
    threshold: Threshold,
    count: int,
) -> List[List[Suspicion]]:
    """Find the suspicious words of each sentence, each with the `count` best proposals.

    encoded: the pieces of `texts`
    """
    places = [_replaceable(tokenizer, sentence) for sentence in encoded]
    requests = [Request(sentence.ids, at) for sentence, at in zip(encoded, places)]
    return [
        [
            _suspicion(text, word, count)
            for word in _doubtful_words(tokenizer, sentence, at, proposals)
            if _is_suspicious(word, threshold)
        ]
        for text, sentence, at, proposals in zip(texts, encoded, places, proposer(requests))
    ]


def _replaceable(tokenizer: Any, encoded: Encoded) -> List[int]:
    """Return the places of pieces that alone stand for a part of the text, and are not [UNK]."""
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
    """Return groups of neighbouring pieces for each of which another is much more probable."""
    words: List[List[_Piece]] = []
    doubtful = (found.probabilities[:, 0] >= _DOUBTFUL * found.actual).nonzero()[0]
    for row in doubtful.tolist():
        start, stop = encoded.offsets[places[row]]
        if not words or words[-1][-1].stop != start:
            words.append([])
        pairs = zip(found.ids[row].tolist(), found.probabilities[row].tolist())
        proposals = tuple(Proposal(tokenizer.join([i]), p) for i, p in pairs if p)
        words[-1].append(_Piece(start, stop, float(found.actual[row]), proposals))
    return words


def _is_suspicious(word: Sequence[_Piece], threshold: Threshold) -> bool:
    best = float(np.prod([piece.proposals[0].probability for piece in word]))
    return best >= threshold.above and best >= threshold.ratio * _probability(word)


def _probability(word: Sequence[_Piece]) -> float:
    return float(np.prod([piece.actual for piece in word]))


def _suspicion(text: str, word: Sequence[_Piece], count: int) -> Suspicion:
    start, stop = word[0].start, word[-1].stop
    proposals = tuple(_best_words(word, count))
    return Suspicion(Place(start, stop, proposals), text[start:stop], _probability(word))


def _best_words(word: Sequence[_Piece], count: int) -> List[Proposal]:
    """Return the `count` most probable words of a proposal for each piece."""
    words = [Proposal("", 1.0)]
    for piece in word:
        longer = [
            Proposal(start.text + end.text, start.probability * end.probability)
            for start in words
            for end in piece.proposals
        ]
        words = sorted(longer, key=lambda choice: -choice.probability)[:count]
    return words
