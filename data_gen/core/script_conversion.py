"""Conversion between simplified and traditional script by OpenCC."""

from functools import cache
from importlib import metadata
from typing import Callable, List

from data_gen.shared.extras import needs_extra

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
    with needs_extra("data", "another script (corpus.normalize, synonyms.traditional)"):
        import opencc  # noqa: F401 # a version without the package is of no use

        return metadata.version("OpenCC")
