"""The type of all segmenters, and the way back from words to the text."""

from typing import Callable, Iterable, List, NamedTuple, Optional, Sequence

Words = List[str]


def _nothing() -> None:
    """Do nothing: all is loaded already."""


class Segmenter(NamedTuple):
    """An engine: runs of text without whitespace -> the words of each, perhaps made one by one as
    they are asked for.
    """

    words: Callable[[Sequence[str]], Iterable[Words]]
    identity: str  # its name, model and version; contents instead of paths
    # Whether a text with whitespace gives the words of its runs, and each whitespace character as a
    # word. Long texts are faster than many runs.
    keeps_whitespace: bool = False
    # Loads what else would be loaded for the first words: processes that make none need it not.
    warm_up: Callable[[], object] = _nothing


def align(run: str, words: Sequence[str]) -> Optional[Words]:
    """Make words re-join to their run: what an engine dropped becomes a word of its own.

    None where the words do not lie in the run in their order, so that they cannot be trusted.

    >>> align("我~好", ["我", "好"])
    ['我', '~', '好']
    """
    if "".join(words) == run and all(words):
        return list(words)
    aligned = []
    position = 0
    for word in words:
        start = run.find(word, position)
        if start < 0:
            return None
        aligned += [run[position:start], word]
        position = start + len(word)
    aligned.append(run[position:])
    return [word for word in aligned if word]
