"""Document -> sequences of two segments. `PAIR_TASKS` are SOP (MacBERT), NSP (BERT-wwm) and none
(RoBERTa-wwm).

Nothing of a document is lost: it is cut into as few sequences as hold it, at sentence ends while
the room to spare lasts and at word boundaries after that.
"""

import random
from bisect import bisect_right
from itertools import accumulate
from typing import Callable, Collection, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.types import Pair, Sentence, Span

Chunk = Tuple[Sentence, ...]  # neighbouring sentences, the first and the last perhaps cut


SPLITS = ("random", "middle")


class PairContext(NamedTuple):
    """What a pair task may need beside the chunk."""

    room: int  # pieces of both segments together
    clause_marks: Collection[int]  # ids of the pieces that end a clause
    # Another document; None where there is none.
    stranger: Callable[[random.Random], Optional[Sequence[Sentence]]]
    # Where a chunk is split in two: at random, or where the halves are most alike in size. Not
    # published; google-research/albert's is random.
    split: str = "random"
    swap_prob: float = 0.5  # of SOP; unpublished, google-research/albert's is 0.5


PairTask = Callable[[Chunk, PairContext, random.Random], List[Pair]]


def cut(
    sentences: Sequence[Sentence],
    room: int,
    short_seq_prob: float,
    clause_marks: Collection[int],
    rng: random.Random,
) -> List[Chunk]:
    """Cut a document into chunks of at most `room` pieces and at least two words.

    With probability `short_seq_prob` a chunk is limited to a random number of pieces from 2 up. A
    document of a single word gives one chunk of one word, which cannot be paired. A sentence of
    more than `room` pieces is first taken apart after clause marks.
    """
    sentences = [
        part
        for sentence in sentences
        if sentence.words
        for part in _clauses(_split_long_words(sentence, room // 2), room, clause_marks)
    ]
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
    # That may have taken all but one word, of one piece, from the first.
    if len(points) > 2 and reached[points[1]] == 1:
        if reached[points[2]] <= room:
            del points[1]
        else:
            points[1] += 1
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


def _clauses(sentence: Sentence, room: int, clause_marks: Collection[int]) -> Iterator[Sentence]:
    """The sentence; one of more than `room` pieces in parts of whole clauses, as long as fit."""
    words, first, last = sentence.words, 0, 0
    if len(sentence.pieces) > room:
        for i in range(1, len(words)):
            if sentence.pieces[words[i].start - 1] not in clause_marks:
                continue
            if last and words[i].start - words[first].start > room:
                yield sentence.part(first, last)
                first = last
            last = i
    yield sentence.part(first, len(words)) if first else sentence


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


def split(
    chunk: Chunk, context: PairContext, rng: random.Random
) -> Optional[Tuple[Chunk, Chunk, str]]:
    """Split a chunk in two at a sentence end, else after a clause mark, else between words; the
    third value says which.

    A chunk of a single word is split between its pieces; None for one of a single piece.
    """
    if len(chunk) > 1:
        ends = list(accumulate(len(sentence.pieces) for sentence in chunk))
        at = 1 + _choose(ends[:-1], ends[-1], context, rng)
        return chunk[:at], chunk[at:], "sentence"
    (sentence,) = chunk
    where = "word"
    if len(sentence.words) == 1:
        sentence, where = _split_long_words(sentence, 0), "piece"
    starts = [word.start for word in sentence.words]
    inner = range(1, len(starts))
    if not inner:
        return None
    clauses = [i for i in inner if sentence.pieces[starts[i] - 1] in context.clause_marks]
    if clauses:
        where = "clause"
    places = clauses or inner
    at = places[_choose([starts[i] for i in places], len(sentence.pieces), context, rng)]
    return (sentence.part(0, at),), (sentence.part(at, len(starts)),), where


def _choose(cuts: Sequence[int], size: int, context: PairContext, rng: random.Random) -> int:
    """Which of the places at `cuts` pieces from the start of a chunk of `size` to split at."""
    if context.split == "random":
        return rng.randrange(len(cuts))
    return min(range(len(cuts)), key=lambda i: abs(2 * cuts[i] - size))


def sentence_order(chunk: Chunk, context: PairContext, rng: random.Random) -> List[Pair]:
    """SOP: two consecutive segments, swapped with probability `swap_prob` (MacBERT, IV-B); label 1
    is swapped.
    """
    halves = split(chunk, context, rng)
    if halves is None:
        return []
    a, b, where = halves
    if rng.random() < context.swap_prob:
        return [Pair(b, a, 1, where)]
    return [Pair(a, b, 0, where)]


def next_sentence(chunk: Chunk, context: PairContext, rng: random.Random) -> List[Pair]:
    """NSP: B follows A, or (label 1) comes from another document.

    A third of the chunks gives two pairs, each half followed by a stranger, so that no text is lost
    and the labels are balanced. Where there is no other document all labels are 0: nothing is
    called random that is not.
    """
    halves = split(chunk, context, rng)
    if halves is None:
        return []
    a, b, where = halves
    if rng.random() < 1 / 3:
        after_a = _stranger(_size(b), _size(a), context, rng)
        after_b = _stranger(_size(a), _size(b), context, rng)
        if after_a and after_b:
            return [Pair(a, after_a, 1, where), Pair(b, after_b, 1, where)]
    return [Pair(a, b, 0, where)]


def _stranger(room: int, beside: int, context: PairContext, rng: random.Random) -> Chunk:
    """The text of another document from a random sentence on, to stand beside `beside` pieces;
    empty where there is none.

    It has as many pieces as what it stands in for (`room`), so that the length does not give the
    label away, but at least one word where that fits.
    """
    document = context.stranger(rng)
    if not document:
        return ()
    sentences = document[rng.randrange(len(document)) :]
    room = max(room, min(sentences[0].words[0].size, context.room - beside))
    b: List[Sentence] = []
    for sentence in sentences:
        fitting = sum(1 for word in sentence.words if word.stop <= room)
        if fitting:
            b.append(sentence if fitting == len(sentence.words) else sentence.part(0, fitting))
        room -= len(sentence.pieces)
        if room <= 0:
            break
    return tuple(b)


def _size(chunk: Chunk) -> int:
    return sum(len(sentence.pieces) for sentence in chunk)


def no_task(chunk: Chunk, context: PairContext, rng: random.Random) -> List[Pair]:
    """No task, but still two segments, as RoBERTa-wwm-ext "still use a paired input" (III-A);
    labels are 0.
    """
    halves = split(chunk, context, rng)
    if halves is None:
        return []
    a, b, where = halves
    return [Pair(a, b, 0, where)]


PAIR_TASKS: Dict[str, PairTask] = {
    "sop": sentence_order,
    "nsp": next_sentence,
    "none": no_task,
}
