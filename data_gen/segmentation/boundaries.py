"""Segment many sentences at once and note where words start and end."""

from itertools import chain
from typing import List, Optional, Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array
from data_gen.core.documents import WordBoundaries, is_space
from data_gen.segmentation.segmenter import Segmenter, align


def segment_sentences(segmenter: Segmenter, sentences: Sequence[str]) -> WordBoundaries:
    """Segment sentences and find their words in the text."""
    text = "\n".join(sentences)
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    spaces = is_space(codes)
    if segmenter.keeps_whitespace:
        boundaries = _boundaries_with_spaces(segmenter, sentences, codes, spaces)
        if boundaries is not None:
            return WordBoundaries(boundaries, np.zeros(0, np.int64))
    runs = text.split()
    sizes, strange = _sizes_in_runs(segmenter, runs)
    # The characters of all runs, one after another: words are ranges of these.
    solid = np.flatnonzero(~spaces)
    ends = np.cumsum(sizes)
    boundaries = np.zeros(len(text) + 1, bool)
    boundaries[solid[ends - sizes]] = True
    boundaries[solid[ends - 1] + 1] = True
    first = np.cumsum([0, *map(len, runs)])[strange]
    starts = np.cumsum([0, *(len(sentence) + 1 for sentence in sentences)])
    misaligned = np.unique(np.searchsorted(starts, solid[first], side="right") - 1)
    return WordBoundaries(boundaries, misaligned)


def _boundaries_with_spaces(
    segmenter: Segmenter, sentences: Sequence[str], codes: Array, spaces: Array
) -> Optional[Array]:
    """Find the same where the engine is given many sentences at once; None where its words do not
    re-join to the text, of these code points.
    """
    chunks = [
        "\n".join([*sentences[start : start + _SENTENCES_AT_ONCE], ""])
        for start in range(0, len(sentences), _SENTENCES_AT_ONCE)
    ]
    # One text again, with a mark at each end of a word: many times as fast as a length each.
    marked = _WORD_END.join(map(_WORD_END.join, segmenter.words(chunks)))
    found = np.frombuffer(marked.encode("utf-32-le"), np.uint32)
    is_mark = found == ord(_WORD_END)
    if not np.array_equal(found[~is_mark], np.append(codes, ord("\n"))):
        return None
    # Words lie side by side: each starts where the one before it ends.
    marks = np.flatnonzero(is_mark)
    starts = np.append(0, marks - np.arange(len(marks)))
    solid = ~np.append(spaces, True)[starts]
    boundaries = np.zeros(len(codes) + 1, bool)
    boundaries[starts] = solid | np.append(False, solid[:-1])
    return boundaries


def _sizes_in_runs(segmenter: Segmenter, runs: Sequence[str]) -> Tuple[Array, List[int]]:
    """Count the characters of each word of all runs, and list the numbers of the runs whose words
    do not lie in them.
    """
    found = list(segmenter.words(runs))
    strange = []
    if "".join(chain.from_iterable(found)) != "".join(runs):
        for number, run in enumerate(runs):
            aligned = align(run, found[number])
            if aligned is None:
                strange.append(number)
            found[number] = aligned or [run]
    sizes = np.fromiter(map(len, chain.from_iterable(found)), np.int64)
    return sizes[sizes > 0], strange


_SENTENCES_AT_ONCE = 64
_WORD_END = "\0"  # a text that holds it is not the same without, and is segmented in its runs


def word_boundaries(segmenter: Segmenter, sentences: Sequence[str]) -> List[Optional[List[int]]]:
    """Find for each sentence the character positions where a word starts or ends, ascending.

    None for a sentence whose words do not lie in its text.
    """
    marks = segment_sentences(segmenter, sentences)
    found: List[Optional[List[int]]] = []
    start = 0
    for sentence in sentences:
        stop = start + len(sentence)
        found.append(np.flatnonzero(marks.boundaries[start : stop + 1]).tolist())
        start = stop + 1
    for number in marks.misaligned.tolist():
        found[number] = None
    return found
