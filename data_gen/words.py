"""What all segmenters share: their type, the way back from words to the text, and the user's own
words.
"""

import re
from typing import Callable, Iterable, List, NamedTuple, Optional, Sequence

from data_gen.settings import UserError

Words = List[str]


def _nothing() -> None:
    """All is loaded already."""


class Segmenter(NamedTuple):
    """An engine: runs of text without whitespace -> the words of each, perhaps made one by one as
    they are asked for.
    """

    words: Callable[[Sequence[str]], Iterable[Words]]
    identity: str  # its name, model and version; contents instead of paths
    # Whether a text with whitespace gives the words of its runs, and each whitespace character as a
    # word. Long texts are faster than many runs.
    spaces: bool = False
    # Loads what else would be loaded for the first words: processes that make none need it not.
    load: Callable[[], object] = _nothing


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


class UserWord(NamedTuple):
    """A line of a user dictionary."""

    text: str
    frequency: Optional[int]  # None: the engine's choice
    tag: Optional[str]  # part of speech; decides no boundary


# word [frequency [tag]] or word [tag], as jieba's load_userdict takes it, but for spaces in words:
# no engine is given any.
_LINE = re.compile(r"(?P<word>\S+)(?:\s+(?P<frequency>[0-9]+))?(?:\s+(?P<tag>[a-z]+))?", re.ASCII)


def read_user_words(path: str) -> List[UserWord]:
    """Read a user dictionary, in jieba's format: one `word [frequency [tag]]` a line, UTF-8; blank
    lines say nothing.

    Raises UserError where the file cannot be read, or a line is something else.
    """
    try:
        with open(path, encoding="utf-8-sig") as handle:
            lines = handle.read().split("\n")
    except OSError as error:
        raise UserError(f"cannot read segmenter.user_dict {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"segmenter.user_dict {path} is not UTF-8: {error.reason}") from error
    words = [
        _user_word(path, number, line.strip())
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    if not words:
        raise UserError(f"segmenter.user_dict {path} holds no word")
    return words


def _user_word(path: str, number: int, line: str) -> UserWord:
    match = _LINE.fullmatch(line)
    frequency = match and match["frequency"]
    # Zero would forbid the word, which jieba remembers for the whole process.
    if not match or (frequency and not int(frequency)):
        raise UserError(
            f"line {number} of segmenter.user_dict {path} is no `word [frequency [tag]]` (a word "
            f"without spaces, a frequency of at least 1, a tag of letters a-z): {line[:60]}"
        )
    return UserWord(match["word"], int(frequency) if frequency else None, match["tag"])
