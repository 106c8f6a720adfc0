"""Find the input files that paths, globs and URLs name."""

import os
from typing import Dict, List, NamedTuple, Optional, Sequence

from data_gen.corpus.segmented import file as segmented_file
from data_gen.shared.errors import UserError
from data_gen.storage.locations import is_one_file, list_files, relative_names, within
from data_gen.storage.reading import without_packing
from data_gen.storage.standard_input import STANDARD_INPUT, standard_input


class FoundFile(NamedTuple):
    """An input file."""

    path: str
    name: str  # as in `DocumentRange`
    named: bool = True  # itself, and not a folder or a glob that it was found by


def find_inputs(patterns: Sequence[str], exclude: Optional[str] = None) -> List[FoundFile]:
    """Expand files, folders, globs and URLs of them, and "-" for standard input; sorted by name.

    Names are those of `relative_names`, without a compression suffix. Hidden files and files in the
    folder `exclude` (the output) are passed over. Raises UserError for a pattern that matches
    nothing and for a path that is no file.
    """
    paths: Dict[str, bool] = {}
    for pattern in patterns:
        if pattern == STANDARD_INPUT:
            continue
        found = {path for path in list_files(pattern) if not within(path, exclude)}
        segmented_file.require_no_words(found)
        if not found:
            raise UserError(
                f"no input matches {pattern}: give text files, folders of them or globs in quotes"
            )
        named = is_one_file(pattern)
        paths.update({path: named or paths.get(path, False) for path in found})
    files: Dict[str, FoundFile] = {}
    if STANDARD_INPUT in patterns:
        files[STANDARD_INPUT] = FoundFile(standard_input(), STANDARD_INPUT)
    for path, relative in sorted(relative_names(paths).items()):
        # A name in another encoding (GBK, in archives) stays one name.
        unpacked = os.fsencode(without_packing(relative))
        name = unpacked.decode("utf-8", "backslashreplace")
        if name in files:
            raise UserError(
                f"{files[name].path} and {path} are the same text twice by their names: give one "
                "of them"
            )
        files[name] = FoundFile(path, name, paths[path])
    return [file for _, file in sorted(files.items())]
