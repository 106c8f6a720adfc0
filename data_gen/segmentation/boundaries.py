"""Segment many sentences at once and note where words start and end."""

from itertools import chain
from typing import Iterable, List, Optional, Sequence, Tuple

import numpy as np

from data_gen.core.columns import Array, offsets_of
from data_gen.core.compiled import compiled
from data_gen.core.documents import WordBoundaries, is_space
from data_gen.segmentation.segmenter import Segmenter, Words, align


def segment_sentences(segmenter: Segmenter, sentences: Sequence[str]) -> WordBoundaries:
    """Segment sentences and find their words in the text."""
    text = "\n".join(sentences)
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    spaces = is_space(codes)
    none: Array = np.zeros(0, np.int64)
    if segmenter.keeps_whitespace:
        found = _marked(segmenter.words(_long_texts(sentences)))
        boundaries = _boundaries_side_by_side(codes, spaces, found)
        if boundaries is not None:
            return WordBoundaries(boundaries, none)
    runs = text.split()
    # Each different run once: of technical articles that leaves nine tenths of the characters.
    different = list(dict.fromkeys(runs))
    words = dict(zip(different, segmenter.words(different)))
    of_runs = [words[run] for run in runs]
    found = _marked(of_runs)
    boundaries = _marked_quickly(codes, spaces, found, skips=True)
    if boundaries is not None:
        return WordBoundaries(boundaries, none)
    # The characters of all runs, one after another: words are ranges of these.
    places = np.flatnonzero(~spaces)
    letters, starts = _taken_apart(found)
    strange: List[int] = []
    if not np.array_equal(letters, codes[places]):
        of_runs, strange = _aligned(of_runs, runs)
        starts = offsets_of(np.fromiter(map(len, chain.from_iterable(of_runs)), np.int64))
    boundaries = np.zeros(len(codes) + 1, bool)
    boundaries[places[starts[:-1]]] = True
    boundaries[places[starts[1:] - 1] + 1] = True
    first = places[offsets_of([*map(len, runs)])[strange]]
    of_sentences = offsets_of([len(sentence) + 1 for sentence in sentences])
    misaligned = np.unique(np.searchsorted(of_sentences, first, side="right") - 1)
    return WordBoundaries(boundaries, misaligned)


def _long_texts(sentences: Sequence[str]) -> List[str]:
    """Join many sentences at a time, each followed by a line feed."""
    return [
        "\n".join([*sentences[start : start + _SENTENCES_AT_ONCE], ""])
        for start in range(0, len(sentences), _SENTENCES_AT_ONCE)
    ]


def _marked(words: Iterable[Words]) -> Array:
    """Join words to one text, with a mark between two of them: many times as fast as a length each.
    Returns its code points, uint32.
    """
    marked = _WORD_END.join(map(_WORD_END.join, words))
    return np.frombuffer(marked.encode("utf-32-le"), np.uint32)


def _marked_quickly(codes: Array, spaces: Array, found: Array, skips: bool) -> Optional[Array]:
    """Find the boundaries of words in one pass, bool [C + 1]; None where that cannot be done.

    codes:  of a text, uint32 [C]
    spaces: if each of them is whitespace, bool [C]
    found:  `_marked` words of the text and a line feed, or with `skips` of its runs
    """
    boundaries: Array = np.zeros(len(codes) + 1, bool)
    text = codes, spaces, len(codes)
    fit = compiled("mark_words", *text, found, len(found), skips, boundaries)
    return boundaries if fit else None


def _boundaries_side_by_side(codes: Array, spaces: Array, found: Array) -> Optional[Array]:
    """Find the boundaries of words that lie side by side, as `_marked_quickly`; None if they do not
    fit the text.
    """
    boundaries = _marked_quickly(codes, spaces, found, skips=False)
    if boundaries is not None:
        return boundaries
    letters, starts = _taken_apart(found)
    if not np.array_equal(letters[:-1], codes) or not (letters[-1:] == ord("\n")).all():
        return None
    # Each word starts where the one before it ends.
    solid = ~np.append(spaces, True)[starts[:-1]]
    boundaries = np.zeros(len(codes) + 1, bool)
    boundaries[starts[:-1]] = solid | np.append(False, solid[:-1])
    return boundaries


def _taken_apart(found: Array) -> Tuple[Array, Array]:
    """Take `_marked` words apart: their code points, and where each word that is not empty starts,
    and the end.
    """
    is_mark = found == ord(_WORD_END)
    marks = np.flatnonzero(is_mark)
    letters = found[np.flatnonzero(~is_mark)]
    ends = marks - np.arange(len(marks))
    starts = np.concatenate([[0], ends, [len(letters)]])
    sizes = np.diff(starts)
    if not sizes.all():
        starts = offsets_of(sizes[sizes > 0])
    return letters, starts


def _aligned(found: Sequence[Words], runs: Sequence[str]) -> Tuple[List[Words], List[int]]:
    """Make words lie in their runs. Returns also the numbers of the runs where they do not, each of
    which becomes a word.
    """
    aligned = [align(run, words) for run, words in zip(runs, found)]
    strange = [number for number, words in enumerate(aligned) if words is None]
    return [words or [run] for run, words in zip(runs, aligned)], strange


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
