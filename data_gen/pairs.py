"""Document -> sequences of two segments. `PAIR_TASKS` are SOP (MacBERT), NSP (BERT-wwm) and none
(RoBERTa-wwm).

Nothing of a document is lost: it is cut into as few sequences as hold it, at sentence ends while
the room to spare lasts and at word boundaries after that.
"""

import random
from bisect import bisect_right
from itertools import accumulate
from typing import Callable, Collection, Dict, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.types import Pair, Sentence, Span

Chunk = Tuple[Sentence, ...]  # neighbouring sentences, the first and the last perhaps cut


class PairContext(NamedTuple):
    """What a pair task may need beside the chunk."""

    room: int  # pieces of both segments together
    clause_marks: Collection[int]  # ids of the pieces that end a clause
    stranger: Callable[
        [random.Random], Optional[Sequence[Sentence]]
    ]  # another document; None where there is none


PairTask = Callable[[Chunk, PairContext, random.Random], List[Pair]]


def cut(
    sentences: Sequence[Sentence], room: int, short_seq_prob: float, rng: random.Random
) -> List[Chunk]:
    """Cut a document into chunks of at most `room` pieces and at least two words.

    With probability `short_seq_prob` a chunk is limited to a random number of pieces from 2 up. A
    document of a single word gives one chunk of one word, which cannot be paired.
    """
    sentences = [_split_long_words(sentence, room // 2) for sentence in sentences if sentence.words]
    # Pieces before word i, and words up to the end of sentence i.
    sizes = [word.size for sentence in sentences for word in sentence.words]
    reached = [0, *accumulate(sizes)]
    ends = list(accumulate(len(sentence.words) for sentence in sentences))
    count = len(reached) - 1
    spare = -reached[-1] % room  # what the fewest possible sequences leave unused
    points = [0]
    while points[-1] < count:
        start = points[-1]
        limit = rng.randint(2, room) if rng.random() < short_seq_prob else room
        stop = bisect_right(reached, reached[start] + limit) - 1
        stop = min(count, max(stop, start + 2))
        if stop < count:
            sentence_end = ends[bisect_right(ends, stop) - 1] if ends[0] <= stop else 0
            unused = limit - (reached[sentence_end] - reached[start])
            # One piece for each cut still to come: cuts between words leave about that much.
            to_come = (reached[-1] - reached[start]) // room
            if sentence_end >= start + 2 and unused <= spare - to_come:
                stop = sentence_end
            spare -= limit - (reached[stop] - reached[start])
        points.append(stop)
    for i in range(len(points) - 2, 0, -1):  # leave two words to the last chunk
        if points[i + 1] - points[i] >= 2:
            break
        points[i] -= 1
    return [_words(sentences, ends, first, last) for first, last in zip(points, points[1:])]


def _split_long_words(sentence: Sentence, most: int) -> Sentence:
    """Words of more than `most` pieces (addresses, mostly) become words of one piece, so that two
    words always fit.
    """
    if all(word.size <= most for word in sentence.words):
        return sentence
    words: List[Span] = []
    for word in sentence.words:
        words += [word] if word.size <= most else word.singles()
    return sentence._replace(words=tuple(words))


def _words(sentences: Sequence[Sentence], ends: Sequence[int], first: int, last: int) -> Chunk:
    """The words `[first, last)` of a document as sentences; `ends` are the word counts up to each
    sentence's end.
    """
    chunk = []
    i = bisect_right(ends, first)
    while first < last:
        begin = ends[i] - len(sentences[i].words)
        stop = min(last, ends[i])
        whole = first == begin and stop == ends[i]
        chunk.append(sentences[i] if whole else sentences[i].part(first - begin, stop - begin))
        first = stop
        i += 1
    return tuple(chunk)


def split(chunk: Chunk, context: PairContext, rng: random.Random) -> Optional[Tuple[Chunk, Chunk]]:
    """Split a chunk in two: at a random sentence end, else after a clause mark, else between words.

    A chunk of a single word is split between its pieces; None for one of a single piece.
    """
    if len(chunk) > 1:
        at = rng.randrange(1, len(chunk))
        return chunk[:at], chunk[at:]
    (sentence,) = chunk
    if len(sentence.words) == 1:
        sentence = _split_long_words(sentence, 0)
    inner = range(1, len(sentence.words))
    clauses = [
        i for i in inner if sentence.pieces[sentence.words[i].start - 1] in context.clause_marks
    ]
    if not inner:
        return None
    at = rng.choice(clauses or inner)
    return (sentence.part(0, at),), (sentence.part(at, len(sentence.words)),)


def sentence_order(chunk: Chunk, context: PairContext, rng: random.Random) -> List[Pair]:
    """SOP: two consecutive segments, swapped with probability 0.5 (MacBERT, IV-B); label 1 is
    swapped.
    """
    halves = split(chunk, context, rng)
    if halves is None:
        return []
    swapped = rng.random() < 0.5
    a, b = reversed(halves) if swapped else halves
    return [Pair(a, b, int(swapped))]


def next_sentence(chunk: Chunk, context: PairContext, rng: random.Random) -> List[Pair]:
    """NSP: B follows A, or (label 1) comes from another document.

    A third of the chunks gives two pairs, each half followed by a stranger, so that no text is lost
    and the labels are balanced. Where there is no other document all labels are 0: nothing is
    called random that is not.
    """
    halves = split(chunk, context, rng)
    if halves is None:
        return []
    if rng.random() < 1 / 3:
        length = _size(chunk)
        pairs = [_with_stranger(half, length - _size(half), context, rng) for half in halves]
        if all(pairs):
            return [pair for pair in pairs if pair]
    return [Pair(*halves, 0)]


def _with_stranger(a: Chunk, room: int, context: PairContext, rng: random.Random) -> Optional[Pair]:
    """A followed by the text of another document from a random sentence on.

    B has as many pieces as what it stands in for (`room`), so that the length does not give the
    label away, but at least one word where that fits.
    """
    document = context.stranger(rng)
    if not document:
        return None
    sentences = document[rng.randrange(len(document)) :]
    room = max(room, min(sentences[0].words[0].size, context.room - _size(a)))
    b: List[Sentence] = []
    for sentence in sentences:
        fitting = sum(1 for word in sentence.words if word.stop <= room)
        if fitting:
            b.append(sentence if fitting == len(sentence.words) else sentence.part(0, fitting))
        room -= len(sentence.pieces)
        if room <= 0:
            break
    return Pair(a, tuple(b), 1) if b else None


def _size(chunk: Chunk) -> int:
    return sum(len(sentence.pieces) for sentence in chunk)


def no_task(chunk: Chunk, context: PairContext, rng: random.Random) -> List[Pair]:
    """No task, but still two segments, as RoBERTa-wwm-ext "still use a paired input" (III-A);
    labels are 0.
    """
    halves = split(chunk, context, rng)
    return [] if halves is None else [Pair(*halves, 0)]


PAIR_TASKS: Dict[str, PairTask] = {
    "sop": sentence_order,
    "nsp": next_sentence,
    "none": no_task,
}
