"""Text for people from WordPiece's pieces alone: the spaces between them are guessed."""

import unicodedata
from typing import Callable

# (the piece before, "" at the start; a piece) -> the text of the piece in running text
Join = Callable[[str, str], str]

# The blocks of Google's _is_chinese_char.
_CHINESE = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def join_wordpiece(left: str, right: str) -> str:
    """Put a space where the tokenizer must have found one.

    >>> "".join(map(join_wordpiece, ["", "play", "##ing", "the"], ["play", "##ing", "the", "猫"]))
    'playing the猫'
    """
    in_run = left != "" and not _stands_alone(left[-1])
    if right.startswith("##") and right != "##":
        return right[2:] if in_run else right
    # The tokenizer cuts at spaces and around the characters that stand alone, nowhere else.
    return f" {right}" if in_run and not _stands_alone(right[0]) else right


def _stands_alone(char: str) -> bool:
    """Tell if BERT's tokenizer always makes a piece of this character alone."""
    return is_mark(char) or any(first <= ord(char) <= last for first, last in _CHINESE)


def is_mark(char: str) -> bool:
    """Tell if a character is a mark, by Google's _is_punctuation; also the bracket of [UNK]."""
    if char.isascii():
        return not char.isalnum()
    return unicodedata.category(char).startswith("P")
