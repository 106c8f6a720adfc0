"""Classes of characters as the package `regex` has them, by which NLTK 3.10 matches.

They are not those of Python's `re`: there ² and ① are letters of a word, and U+001C is a space.
"""

import unicodedata

# The property White_Space, for use inside [...].
SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# Characters of words that are no letters, marks or digits: Other_Alphabetic and Join_Control.
_CIRCLED = ((0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189))
_JOINERS = "\u200c\u200d"


def is_word(char: str) -> bool:
    r"""Tell if a character matches `\w`; the empty string does not."""
    if not char:
        return False
    category = unicodedata.category(char)
    return (
        category[0] in "LM"
        or category in ("Nd", "Nl", "Pc")
        or char in _JOINERS
        or any(first <= ord(char) <= last for first, last in _CIRCLED)
    )
