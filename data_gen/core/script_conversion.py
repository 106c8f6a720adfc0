"""Conversion between simplified and traditional script by OpenCC."""

from functools import cache
from importlib import metadata
from typing import Callable

from data_gen.shared.errors import UserError

Step = Callable[[str], str]


@cache
def converter(name: str) -> Step:
    """Load a configuration of OpenCC, such as t2s. Raises UserError if there is none."""
    opencc_version()
    import opencc

    known = sorted(config[: -len(".json")] for config in opencc.CONFIGS)
    if name not in known:
        raise UserError(f"corpus.opencc must be one of {', '.join(known)}, not {name}")
    convert: Step = opencc.OpenCC(name).convert
    return convert


def opencc_version() -> str:
    """Return the version of OpenCC, whose dictionaries decide the result.

    Raises UserError if OpenCC is missing.
    """
    try:
        return metadata.version("OpenCC")
    except metadata.PackageNotFoundError as error:
        raise UserError(
            "OpenCC is missing (corpus.opencc, synonyms.traditional): pip install "
            "'macbert-pretraining[data]'"
        ) from error
