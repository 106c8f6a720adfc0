"""The marks of masking in an example that is made readable."""

from typing import NamedTuple, Tuple

from data_gen.shared.vocabulary import SPECIALS


class MarkedText(NamedTuple):
    """Neighbouring pieces that masking treated alike, as text."""

    kind: str  # "text" (not masked) or one of KINDS
    original: str
    shown: str  # what the model sees
    pieces: Tuple[Tuple[str, str], ...] = ()  # original and shown of each; () for "text"


LEGEND = (
    (MarkedText("mask", "masked", SPECIALS[4]), "became [MASK]"),
    (MarkedText("replaced", "old", "new"), "was replaced"),
    (MarkedText("kept", "kept", "kept"), "stayed, is predicted all the same"),
)
KINDS = tuple(marked.kind for marked, _ in LEGEND)
