"""Characters put into one form: width, quotes, simplified or traditional. All off by default: the
papers did none of it (Chinese-BERT-wwm#53, #116, #132). Sentence in, sentence out.
"""

from typing import Dict, List, Sequence

from data_gen.core.script_conversion import Step, converter, opencc_configurations
from data_gen.shared.errors import UserError

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


NORMALIZERS: Dict[str, Step] = {
    "width": half_width,
    "quotes": straight_quotes,
}


def uses_opencc(names: Sequence[str]) -> bool:
    """Tell if an entry of `corpus.normalize` is for OpenCC: all that are not in NORMALIZERS are."""
    return bool(_conversions(names))


def normalizer(names: Sequence[str]) -> Step:
    """Compose what `corpus.normalize` names: entries of NORMALIZERS, or configurations of OpenCC.

    The order is not that of `names`: OpenCC's configurations first, as given, then the entries in
    the order of NORMALIZERS, so that no quote of the converter's is left. Raises UserError for an
    unknown name and where OpenCC is missing.
    """
    steps = [_opencc(name) for name in _conversions(names)]
    steps += [step for name, step in NORMALIZERS.items() if name in names]
    if not steps:
        return str

    def apply(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return apply


def _conversions(names: Sequence[str]) -> List[str]:
    return [name for name in names if name not in NORMALIZERS]


def _opencc(name: str) -> Step:
    known = [*NORMALIZERS, *opencc_configurations()]
    if name not in known:
        raise UserError(f"corpus.normalize must be some of {', '.join(known)}, not {name}")
    return converter(name)
