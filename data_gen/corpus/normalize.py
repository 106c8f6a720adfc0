"""Characters put into one form: width, quotes, simplified or traditional. All off by default: the
papers did none of it (Chinese-BERT-wwm#53, #116, #132). Sentence in, sentence out.
"""

from typing import Dict, List, Optional

from data_gen.core.script_conversion import Step, converter

# Chinese punctuation, which shares its block of Unicode with the full-width Latin letters.
_CHINESE = "（），：；！？"
_HALF_WIDTH: Dict[int, int] = {
    wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F) if chr(wide) not in _CHINESE
}
_HALF_WIDTH[0x3000] = 0x20  # the ideographic space

# Google's vocabulary lacks “ ” ‘ ’, which become [UNK].
_STRAIGHT = str.maketrans({**dict.fromkeys("“”„‟＂", '"'), **dict.fromkeys("‘’‚‛＇", "'")})


def half_width(text: str) -> str:
    """Write full-width letters, digits and ASCII symbols as ASCII; （），：；！？ and 。 stay.

    >>> half_width("（ＡＢ，１２．５％）")
    '（AB，12.5%）'
    """
    return text.translate(_HALF_WIDTH)


def straight_quotes(text: str) -> str:
    """Write curly, low and full-width quotes as " and '.

    >>> straight_quotes("“好”")
    '"好"'
    """
    return text.translate(_STRAIGHT)


def normaliser(width: bool, quotes: bool, opencc: Optional[str]) -> Step:
    """What the settings corpus.width, corpus.quotes and corpus.opencc ask for, as one function.

    Raises UserError where OpenCC is missing or has no such configuration.
    """
    # Quotes last, so that none of the converter's is left.
    steps: List[Step] = [
        *([converter(opencc)] if opencc else []),
        *([half_width] if width else []),
        *([straight_quotes] if quotes else []),
    ]

    if not steps:
        return str

    def apply(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return apply
