"""The packages that not everyone installs: how a command says that one is missing.

Python 3.7 syntax: `pretrain` imports this module on TensorFlow 1.15.
"""

import contextlib
import importlib
import shlex
import sys
from typing import Any, Iterator

from data_gen.shared.errors import UserError
from data_gen.shared.shipped import project_folder

_OLD_PYTHON = sys.version_info < (3, 9)  # which the extra `data` needs
_ERRORS = (ImportError, SyntaxError) if _OLD_PYTHON else (ImportError,)


def install_command(extra: str) -> str:
    """Return the command that installs the packages of an extra beside this project."""
    folder = project_folder()
    # pip takes the extras of a project that is installed from what it knows of it.
    return (
        f"pip install 'macbert-pretraining[{extra}]'"
        if folder is None
        else f"pip install -e {shlex.quote(f'{folder}[{extra}]')}"
    )


@contextlib.contextmanager
def needs_extra(extra: str, purpose: str) -> Iterator[None]:
    """Turn an ImportError of the block into a UserError that says what needs which package, of
    which extra, and how to install it. On Python 3.7 the generator's own modules raise a
    SyntaxError, too.

    purpose: the subject of the sentence, e.g. "the segmenter jieba"
    """
    try:
        yield
    except _ERRORS as error:  # metadata.PackageNotFoundError is one, too
        raise _missing_extra(extra, purpose, error) from error


def import_extra(package: str, extra: str, purpose: str) -> Any:
    """Import a package, or a module of it; see `needs_extra`."""
    with needs_extra(extra, purpose):
        return importlib.import_module(package)


def _missing_extra(extra: str, purpose: str, error: Exception) -> UserError:
    """Return the error for a package that cannot be imported."""
    if extra == "data" and _OLD_PYTHON:
        return UserError(f"{purpose} needs Python 3.9 or newer: there, {install_command(extra)}")
    name = (getattr(error, "name", None) or "").partition(".")[0]
    package = f"the package {name}" if name else "a package"
    state = "is missing" if isinstance(error, ModuleNotFoundError) else "cannot be imported"
    reason = "" if state == "is missing" else f" ({(str(error).splitlines() or ['?'])[0]})"
    return UserError(f"{purpose} needs {package}, which {state}{reason}: {install_command(extra)}")
