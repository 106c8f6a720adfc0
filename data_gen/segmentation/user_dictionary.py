"""Words of the user's own, read from the form that jieba and LTP share."""

import re
from typing import List, NamedTuple, Optional

from data_gen.shared.errors import UserError


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
