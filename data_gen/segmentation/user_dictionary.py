"""Words of the user's own, read from the form that jieba and LTP share."""

import re
import unicodedata
from typing import Callable, List, NamedTuple, Optional, Sequence

from data_gen.shared.errors import UserError


class UserWord(NamedTuple):
    """A line of a user dictionary."""

    text: str
    frequency: Optional[int]  # None: the engine's choice
    tag: Optional[str]  # part of speech; decides no boundary
    line: int  # its number in the file


# word [frequency [tag]] or word [tag], as jieba's load_userdict takes it, but for spaces in words:
# no engine is given any. A frequency of more digits than this is beyond all words of any text.
_LINE = re.compile(
    r"(?P<word>[^ \t]+)(?:[ \t]+(?P<frequency>0*[1-9][0-9]{0,9}))?(?:[ \t]+(?P<tag>[a-z]+))?"
)
# Unicode's categories of what stands in no word: spaces, line ends, controls, invisible marks.
_NEVER = ("Zs", "Zl", "Zp", "Cc", "Cf", "Cs")


def read_user_words(path: str) -> List[UserWord]:
    """Read a user dictionary, in jieba's format: one `word [frequency [tag]]` a line, UTF-8; blank
    lines say nothing.

    Raises UserError where the file cannot be read, or a line is something else.
    """
    try:
        with open(path, "rb") as handle:
            data = handle.read()
        text = data.decode("utf-8").lstrip("\ufeff")
    except OSError as error:
        raise UserError(f"cannot read segmenter.user_dict {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"line {number} of segmenter.user_dict {path} is not UTF-8: {error.reason}"
        ) from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    words = [
        _user_word(path, number, line.strip())
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    if not words:
        raise UserError(f"segmenter.user_dict {path} holds no word")
    return words


def _user_word(path: str, number: int, line: str) -> UserWord:
    # Said first: a space that is none of ASCII looks like one, and would be taken for the word's.
    never = [char for char in line if char not in " \t" and unicodedata.category(char) in _NEVER]
    if never:
        name = unicodedata.name(never[0], "a control character")
        raise _refused(
            path,
            number,
            f"holds U+{ord(never[0]):04X} ({name}), which no word does: remove it",
            line,
        )
    match = _LINE.fullmatch(line)
    # Zero would forbid the word, which jieba remembers for the whole process.
    if not match:
        raise _refused(
            path,
            number,
            "is no `word [frequency [tag]]` (a word without spaces, a frequency from 1 to "
            "9,999,999,999, a tag of letters a-z)",
            line,
        )
    frequency = match["frequency"]
    return UserWord(match["word"], int(frequency) if frequency else None, match["tag"], number)


def _refused(path: str, number: int, why: str, line: str) -> UserError:
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in line[:60])
    return UserError(f"line {number} of segmenter.user_dict {path} {why}: {shown}")


def require_matching(
    path: str, words: Sequence[UserWord], why_never: Callable[[str], Optional[str]]
) -> None:
    """Raise UserError for the first word that can never match. `why_never` says why not, None for
    one that can.
    """
    for word in words:
        why = why_never(word.text)
        if why:
            raise _refused(path, word.line, f"can never match, {why}", word.text)
