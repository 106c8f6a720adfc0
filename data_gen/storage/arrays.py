"""Files of named numpy arrays, of a run's own work."""

import io
import zipfile
from typing import Any, Callable, Dict, TypeVar

import numpy as np

from data_gen.shared.errors import UserError
from data_gen.storage.errors import reading
from data_gen.storage.reading import open_as_is
from data_gen.storage.writing import atomic_file

T = TypeVar("T")


def save_arrays(path: str, arrays: Dict[str, Any]) -> None:
    """Write arrays, whole or not at all."""
    data = io.BytesIO()
    np.savez(data, **arrays)
    with atomic_file(path) as handle:
        handle.write(data.getvalue())


def load_arrays(path: str, make: Callable[[Any], T]) -> T:
    """Return what `make` makes of the arrays. Raises UserError where the file is damaged."""
    with open_as_is(path) as handle, reading(path):
        data = handle.read()
    try:
        with np.load(io.BytesIO(data)) as arrays:
            return make(arrays)
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is damaged: delete it") from error
