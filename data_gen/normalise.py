"""Characters put into one form: width, quotes, simplified or traditional. All off by default: the
papers did none of it (Chinese-BERT-wwm#53, #116, #132). Sentence in, sentence out.
"""

from functools import cache
from importlib import metadata
from typing import Callable, Dict, List, Optional

from data_gen.settings import UserError

Step = Callable[[str], str]

# Chinese punctuation, which shares its block of Unicode with the full-width Latin letters.
_CHINESE = "（），：；！？"
_HALF_WIDTH: Dict[int, int] = {
    wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F) if chr(wide) not in _CHINESE
}
_HALF_WIDTH[0x3000] = 0x20  # the ideographic space

# Google's vocabulary lacks “ ” ‘ ’, which become [UNK].
_STRAIGHT = str.maketrans({**dict.fromkeys("“”„‟＂", '"'), **dict.fromkeys("‘’‚‛＇", "'")})


def half_width(text: str) -> str:
    """Full-width letters, digits and ASCII symbols as ASCII; （），：；！？ and 。 stay.

    >>> half_width("（ＡＢ，１２．５％）")
    '（AB，12.5%）'
    """
    return text.translate(_HALF_WIDTH)


def straight_quotes(text: str) -> str:
    """Curly, low and full-width quotes as " and '.

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


@cache
def converter(name: str) -> Step:
    """A configuration of OpenCC, such as t2s. Raises UserError where there is none of that name."""
    opencc_version()
    import opencc

    known = sorted(config[: -len(".json")] for config in opencc.CONFIGS)
    if name not in known:
        raise UserError(f"corpus.opencc must be one of {', '.join(known)}, not {name}")
    convert: Step = opencc.OpenCC(name).convert
    return convert


def opencc_version() -> str:
    """The version of OpenCC, whose dictionaries decide what comes out. Raises UserError where it is
    missing.
    """
    try:
        return metadata.version("OpenCC")
    except metadata.PackageNotFoundError as error:
        raise UserError(
            "OpenCC is missing (corpus.opencc, synonyms.traditional): pip install "
            "'macbert-pretraining[data]'"
        ) from error
