"""Conversion between simplified and traditional script by OpenCC."""

from functools import cache
from importlib import metadata
from typing import Callable, List

from data_gen.shared.errors import UserError

Step = Callable[[str], str]


@cache
def converter(name: str) -> Step:
    """Load one of `opencc_configurations`. Raises UserError where OpenCC is missing."""
    opencc_version()
    import opencc

    convert: Step = opencc.OpenCC(name).convert
    return convert


def opencc_configurations() -> List[str]:
    """List the configurations of OpenCC, such as t2s. Raises UserError where it is missing."""
    opencc_version()
    import opencc

    return sorted(config[: -len(".json")] for config in opencc.CONFIGS)


def opencc_version() -> str:
    """Return the version of OpenCC, whose dictionaries decide the result.

    Raises UserError if OpenCC is missing.
    """
    try:
        return metadata.version("OpenCC")
    except metadata.PackageNotFoundError as error:
        raise UserError(
            "OpenCC is missing (corpus.normalize, synonyms.traditional): pip install "
            "'macbert-pretraining[data]'"
        ) from error
