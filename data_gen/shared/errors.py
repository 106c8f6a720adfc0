"""The error that is meant for the user, and the near misses that it names."""

import difflib
from typing import Iterable


class UserError(Exception):
    """Something that the user can put right; the text says how. Ends a command with exit code 1."""


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """Return the end of a sentence that names what is nearest to `word`; empty if nothing is.

    >>> did_you_mean("bild", ["build", "show"])
    '; did you mean build?'
    """
    found = difflib.get_close_matches(word, list(known), n=3, cutoff=cutoff)
    ratios = [difflib.SequenceMatcher(a=name, b=word).ratio() for name in found]
    near = [name for name, ratio in zip(found, ratios) if ratio > ratios[0] - 0.03]
    return "; did you mean {}?".format(" or ".join(near)) if near else ""
