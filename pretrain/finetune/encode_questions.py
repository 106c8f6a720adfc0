"""Questions with their paragraphs -> rows, as in google-research/bert's run_squad.py.

A paragraph that is too long for one row is cut into windows, `doc_stride` pieces apart; a window
never holds text of two paragraphs. The answer is found by character offsets, so what the tokenizer
changes (case, accents, width) does not matter: a piece knows the characters of the paragraph that
it stands for.
"""

import unicodedata
from typing import Any, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.shared.errors import UserError
from pretrain.finetune.config import FinetuneSettings
from pretrain.finetune.rows import Row, join
from pretrain.learning.span import END, START
from pretrain.tasks.examples import Question

Offsets = Sequence[Tuple[int, int]]


class Window(NamedTuple):
    """Pieces [start, stop) of a paragraph."""

    start: int
    stop: int


def encode_questions(
    tokenizer: Any,
    examples: Sequence[Question],
    labels: Sequence[str],
    settings: FinetuneSettings,
) -> Iterator[Row]:
    """Yield the rows of every question. The `place` of a row:

    first:   position of the window's first piece in the row
    offsets: (start, stop) of each piece of the window, characters of the paragraph
    best:    for each piece True if no other window has more text around it

    A window without the whole answer has it at [CLS], position 0 (run_squad.py). Raises UserError
    if a question fills a row.
    """
    context: Optional[str] = None
    ids: Sequence[int] = ()
    offsets: Offsets = ()
    for number, example in enumerate(examples):
        if example.context != context:  # questions on one paragraph follow one another
            context = example.context
            ids, offsets = tokenizer.encode([context])[0]
            offsets = with_accents(context, offsets)
        yield from _rows(tokenizer, number, example, ids, offsets, settings)


def _rows(
    tokenizer: Any,
    number: int,
    example: Question,
    ids: Sequence[int],
    offsets: Offsets,
    settings: FinetuneSettings,
) -> Iterator[Row]:
    """Yield the rows of a question. ids, offsets: of the whole paragraph."""
    question = list(tokenizer.encode([example.question])[0][0])[: settings.max_query_length]
    room = settings.max_seq_length - len(question) - 3
    if room < 1:
        raise UserError(
            f"the question {example.id} leaves no room for its paragraph: set max_query_length "
            f"to at most {settings.max_seq_length - 4}"
        )
    answer = answer_pieces(example, offsets)
    windows = cut(len(ids), room, settings.doc_stride)
    owners = best_windows(windows, len(ids))
    for index, (start, stop) in enumerate(windows):
        row, count = join(tokenizer, question, ids[start:stop])
        first, last = _within(answer, start, stop, count)
        place = {
            "first": count,
            "offsets": [list(pair) for pair in offsets[start:stop]],
            "best": [owner == index for owner in owners[start:stop]],
        }
        targets = {"unique_ids": 0, START: first, END: last}
        yield Row(number, row, count, targets, place)


def with_accents(text: str, offsets: Offsets) -> Offsets:
    """Give the accents that the tokenizer stripped to the pieces before them: a letter is not cut
    from its accent, which may be a character of its own.
    """
    nexts = [*(start for start, _ in offsets[1:]), len(text)]
    whole = []
    for (start, stop), end in zip(offsets, nexts):
        while start < stop < end and unicodedata.category(text[stop]) == "Mn":
            stop += 1
        whole.append((start, stop))
    return whole


def answer_pieces(example: Question, offsets: Offsets) -> Optional[Tuple[int, int]]:
    """Return the first and the last piece of the answer in the paragraph; None if it is not there,
    or has no piece.
    """
    if example.start < 0 or not example.answers or not example.answers[0]:
        return None
    start, stop = example.start, example.start + len(example.answers[0])
    inside = [i for i, (a, b) in enumerate(offsets) if a < stop and b > start]
    return (inside[0], inside[-1]) if inside else None


def _within(
    answer: Optional[Tuple[int, int]], start: int, stop: int, shift: int
) -> Tuple[int, int]:
    if answer is None or answer[0] < start or answer[1] >= stop:
        return 0, 0
    return answer[0] - start + shift, answer[1] - start + shift


def cut(pieces: int, room: int, stride: int) -> List[Window]:
    """Cut a paragraph into windows of at most `room` pieces, `stride` apart; the last one ends with
    the paragraph.
    """
    windows = [Window(0, min(pieces, room))]
    while windows[-1].stop < pieces:
        start = windows[-1].start + min(room, stride)
        windows.append(Window(start, min(pieces, start + room)))
    return windows


def best_windows(windows: Sequence[Window], pieces: int) -> List[int]:
    """Return for each piece the window in which it has the most text on its poorer side, plus a
    hundredth of the window's length (run_squad.py); of equal ones the first.
    """
    owners = []
    for piece in range(pieces):
        scores = [
            min(piece - start, stop - 1 - piece) + 0.01 * (stop - start)
            if start <= piece < stop
            else -1.0
            for start, stop in windows
        ]
        owners.append(scores.index(max(scores)))
    return owners
