"""Document -> sequences of two segments. `PAIR_TASKS` are SOP (MacBERT), NSP (BERT-wwm) and none
(RoBERTa-wwm).

Nothing of a document is lost: it is cut into as few sequences as hold it, at sentence ends while
the room to spare lasts and at word boundaries after that. All are ranges of the block's words.
"""

from bisect import bisect_left, bisect_right
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from data_gen.core.columns import Pair
from data_gen.core.random_draws import Draws
from data_gen.pairs.chunks import Chunk, Outline

SPLITS = ("random", "middle")


class PairContext(NamedTuple):
    """All that a pair task may need beside the chunk."""

    outline: Outline
    room: int  # pieces of both segments together
    # Another document; None where there is none.
    stranger: Callable[[Draws], Optional[Chunk]]
    # Where a chunk is split in two: at random, or where the halves are most alike in size. Not
    # published; google-research/albert's is random.
    split: str = "random"
    swap_prob: float = 0.5  # of SOP; unpublished, google-research/albert's is 0.5


class PairTask(NamedTuple):
    """One task on pairs."""

    make: Callable[[Chunk, PairContext, Draws], List[Pair]]
    shortest: int = 8  # the least max_seq_length that leaves room for its pairs
    # Promised share of label 1, of `swap_prob`; None where there is no label.
    label_1: Callable[[float], Optional[float]] = lambda swap_prob: None


def split(chunk: Chunk, context: PairContext, rng: Draws) -> Optional[Tuple[int, str]]:
    """Find the piece to split a chunk at: a sentence end, else after a clause mark, else between
    words; the second value says which.

    A chunk of a single word is split between its pieces; None for one of a single piece.
    """
    outline = context.outline
    for words, where in ((outline.ends, "sentence"), (outline.clauses, "clause")):
        inner = words[bisect_right(words, chunk[0]) : bisect_left(words, chunk[1])]
        if inner:
            return _choose(inner, outline.starts, chunk, context, rng), where
    if chunk[1] - chunk[0] > 1:
        return _choose(range(chunk[0] + 1, chunk[1]), outline.starts, chunk, context, rng), "word"
    start, stop = _pieces(outline, chunk)
    if stop - start == 1:
        return None
    return _choose(range(start + 1, stop), range(stop), chunk, context, rng), "piece"


def split_alike(chunk: Chunk, context: PairContext, rng: Draws) -> Optional[Tuple[int, str]]:
    """Split a chunk so that both segments end alike: one that ends within a sentence is split
    within one, too, between any two words.

    Split at a sentence end, the segment that ends within a sentence would be the second: the last
    pieces alone tell 73 % of the orders (technical articles, 128 pieces), and a model of SOP learns
    that instead of the order. Not published.
    """
    starts, ends = context.outline.starts, context.outline.ends
    if ends[bisect_left(ends, chunk[1])] == chunk[1]:
        return split(chunk, context, rng)
    inner = ends[bisect_right(ends, chunk[0]) : bisect_left(ends, chunk[1])]
    words = _WithinSentences(chunk, inner)
    if not len(words):
        return split(chunk, context, rng)
    return _choose(words, starts, chunk, context, rng), "word"


class _WithinSentences:
    """The words of a chunk that neither start it nor follow one of these ends of sentences. Not
    listed, since one of them is chosen.
    """

    def __init__(self, chunk: Chunk, ends: Sequence[int]) -> None:
        self._words, self._ends = range(chunk[0] + 1, chunk[1]), ends

    def __len__(self) -> int:
        return len(self._words) - len(self._ends)

    def __getitem__(self, index: int) -> int:
        word = self._words[index]
        for end in self._ends:
            word += end <= word
        return word

    def __iter__(self) -> Iterator[int]:
        ends = frozenset(self._ends)
        return (word for word in self._words if word not in ends)


def _choose(
    units: Union[Sequence[int], _WithinSentences],
    starts: Sequence[int],
    chunk: Chunk,
    context: PairContext,
    rng: Draws,
) -> int:
    """Choose one of the units, words or pieces, that a chunk may be split before. Returns the piece
    that it starts at.
    """
    if context.split == "random":
        return starts[units[rng.randrange(len(units))]]
    twice_the_middle = sum(_pieces(context.outline, chunk))
    return min(
        (starts[unit] for unit in units), key=lambda place: abs(2 * place - twice_the_middle)
    )


def _pieces(outline: Outline, chunk: Chunk) -> Tuple[int, int]:
    return outline.starts[chunk[0]], outline.starts[chunk[1]]


def sentence_order(chunk: Chunk, context: PairContext, rng: Draws) -> List[Pair]:
    """SOP: two consecutive segments, swapped with probability `swap_prob` (MacBERT, IV-B); label 1
    is swapped.
    """
    halves = split_alike(chunk, context, rng)
    return _pair(chunk, context, halves, swapped=rng.random() < context.swap_prob)


def next_sentence(chunk: Chunk, context: PairContext, rng: Draws) -> List[Pair]:
    """NSP: B follows A, or (label 1) comes from another document.

    A third of the chunks gives two pairs, each half followed by a stranger, so that no text is lost
    and the labels are balanced. Where there is no other document all labels are 0: nothing is
    called random that is not.
    """
    in_order = no_task(chunk, context, rng)
    if in_order and rng.random() < 1 / 3:
        ((a, b, _, where),) = in_order
        after_a = _stranger(b[1] - b[0], a[1] - a[0], context, rng)
        after_b = _stranger(a[1] - a[0], b[1] - b[0], context, rng)
        if after_a and after_b:
            return [Pair(a, after_a, 1, where), Pair(b, after_b, 1, where)]
    return in_order


def _stranger(
    room: int, beside: int, context: PairContext, rng: Draws
) -> Optional[Tuple[int, int]]:
    """Return the text of another document from a random sentence on, to stand beside `beside`
    pieces; None where there is none.

    It has as many pieces as what it stands in for (`room`), so that the length does not give the
    label away, but at least one word where that fits.
    """
    document = context.stranger(rng)
    if not document:
        return None
    starts, ends = context.outline.starts, context.outline.ends
    inner = ends[bisect_right(ends, document[0]) : bisect_left(ends, document[1])]
    word = [document[0], *inner][rng.randrange(1 + len(inner))]
    room = max(room, min(starts[word + 1] - starts[word], context.room - beside))
    last = min(bisect_right(starts, starts[word] + room) - 1, document[1])
    return (starts[word], starts[last]) if last > word else None


def no_task(chunk: Chunk, context: PairContext, rng: Draws) -> List[Pair]:
    """No task, but still two segments, as RoBERTa-wwm-ext "still use a paired input" (III-A);
    labels are 0.
    """
    return _pair(chunk, context, split(chunk, context, rng))


def _pair(
    chunk: Chunk, context: PairContext, halves: Optional[Tuple[int, str]], swapped: bool = False
) -> List[Pair]:
    if halves is None:
        return []
    at, where = halves
    start, stop = _pieces(context.outline, chunk)
    if swapped:
        return [Pair((at, stop), (start, at), 1, where)]
    return [Pair((start, at), (at, stop), 0, where)]


PAIR_TASKS: Dict[str, PairTask] = {
    "sop": PairTask(sentence_order, label_1=lambda swap_prob: swap_prob),
    "nsp": PairTask(next_sentence, shortest=32, label_1=lambda swap_prob: 0.5),
    "none": PairTask(no_task),
}
