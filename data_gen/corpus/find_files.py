"""Find the input files that paths, globs and URLs name."""

import os
from typing import Dict, List, Optional, Sequence, Set, Tuple

from data_gen.corpus import segmented_file
from data_gen.shared.errors import UserError
from data_gen.storage.locations import list_files, relative_names, within
from data_gen.storage.reading import without_packing


def find_inputs(patterns: Sequence[str], exclude: Optional[str] = None) -> List[Tuple[str, str]]:
    """Expand files, folders, globs and URLs of them to (path, name) pairs, sorted by name.

    Names are those of `relative_names`, without a compression suffix. Hidden files and files in the
    folder `exclude` (the output) are passed over. Raises UserError for a pattern that matches
    nothing and for a path that is no file.
    """
    paths: Set[str] = set()
    for pattern in patterns:
        files = list_files(pattern)
        found = {path for path in files if not within(path, exclude)}
        segmented_file.require_no_words(found)
        if not found:
            raise UserError(
                f"no input matches {pattern}: give text files, folders of them or globs in quotes"
            )
        paths |= found
    named: Dict[str, str] = {}
    for path, relative in sorted(relative_names(paths).items()):
        # A name in another encoding (GBK, in archives) stays one name.
        unpacked = os.fsencode(without_packing(relative))
        name = unpacked.decode("utf-8", "backslashreplace")
        if name in named:
            raise UserError(
                f"{named[name]} and {path} are the same text twice by their names: give one of them"
            )
        named[name] = path
    return [(path, name) for name, path in sorted(named.items())]
