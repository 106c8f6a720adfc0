"""Cut a document into chunks of neighbouring sentences that fill a sequence."""

from bisect import bisect_left, bisect_right
from typing import List, NamedTuple, Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array, TokenizedBlock
from data_gen.core.random_draws import Draws

Chunk = Tuple[int, int]  # neighbouring words [first, last)


class Outline(NamedTuple):
    """The places where a block of documents may be cut."""

    starts: Sequence[int]  # the piece that each word starts at, and the number of pieces
    # Words up to the end of each sentence, or of each part of one that is too long for a sequence.
    ends: List[int]
    clauses: List[int]  # the words that follow a clause mark
    documents: List[Chunk]


def outline_of(text: TokenizedBlock, room: int, is_clause_mark: Array) -> Outline:
    """Find the places where a text may be cut; its words are of at most half the room.

    is_clause_mark: of each id if its piece ends a clause, bool [V]
    """
    before = text.pieces[text.words[1:-1] - 1]  # the piece before each word but the first
    clauses = (np.flatnonzero(is_clause_mark.take(before)) + 1).tolist()
    starts = memoryview(text.words)  # a list would be of millions, and few are looked at
    ends = text.sentences.tolist()
    parts: List[int] = []
    for number in np.flatnonzero(np.diff(text.words[text.sentences]) > room).tolist():
        parts += _clause_ends(starts, clauses, room, ends[number], ends[number + 1])
    documents = text.sentences[text.documents].tolist()
    return Outline(starts, sorted(ends[1:] + parts), clauses, list(zip(documents, documents[1:])))


def _clause_ends(
    starts: Sequence[int], clauses: Sequence[int], room: int, first: int, last: int
) -> List[int]:
    """Find the ends of the parts of a sentence of more than `room` pieces: as many whole clauses as
    fit, time and again.
    """
    ends: List[int] = []
    previous = first
    for clause in [*clauses[bisect_right(clauses, first) : bisect_left(clauses, last)], last]:
        if starts[clause] - starts[first] > room and previous > first:
            ends.append(previous)
            first = previous
        previous = clause
    return ends


def cut(
    outline: Outline, document: Chunk, room: int, short_seq_prob: float, rng: Draws
) -> List[Chunk]:
    """Cut a document into chunks of at most `room` pieces and at least two words.

    With probability `short_seq_prob` a chunk is limited to a random number of pieces from 2 up. A
    document of a single word gives one chunk of one word.
    """
    starts, ends = outline.starts, outline.ends
    first, last = document
    spare = (starts[first] - starts[last]) % room  # what the fewest possible sequences leave unused
    points = [first]
    while points[-1] < last:
        start = points[-1]
        limit = room
        if short_seq_prob and rng.random() < short_seq_prob:
            limit = 2 + rng.randrange(room - 1)
        stop = bisect_right(starts, starts[start] + limit) - 1
        stop = min(last, max(stop, start + 2))
        if stop < last:
            sentence_end = ends[max(bisect_right(ends, stop) - 1, 0)]
            unused = limit - (starts[sentence_end] - starts[start])
            # One piece for each cut still to come: cuts between words leave about that much.
            to_come = (starts[last] - starts[start]) // room
            if start + 2 <= sentence_end <= stop and unused <= spare - to_come:
                stop = sentence_end
            spare -= limit - (starts[stop] - starts[start])
        points.append(stop)
    for i in range(len(points) - 2, 0, -1):  # leave two words to the last chunk
        if points[i + 1] - points[i] >= 2:
            break
        points[i] -= 1
    # That may have taken all but one word, of one piece, from the first.
    if len(points) > 2 and starts[points[1]] - starts[first] == 1:
        if starts[points[2]] - starts[first] <= room:
            del points[1]
        else:
            points[1] += 1
    return list(zip(points, points[1:]))
