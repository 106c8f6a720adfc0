"""Loops in C for the stages that work on every character or word: a build takes a tenth less with
them, and gives the same bytes without.

setup.py compiles `compiled.c` where there is a compiler. Each loop has a twin in numpy, beside its
call.
"""

import ctypes
import os
import zlib
from importlib import machinery
from typing import Any, Dict, Optional, Tuple

import numpy as np

# Of each loop the types of its arrays; `n` is a number.
_LOOPS = {
    "fill_ranges": "i8 i8 n i8",
    "mark_words": "u4 b1 n u4 n n b1",
    "find_runs": "u4 n i4 n i4 i8 i8",
    "count_pieces": "i4 n i8",
    "look_up_pieces": "i4 n i8 i4 i8 i8 i4 i8 i8",
    "word_starts": "i8 i8 n b1 b1",
    "hash_words": "i4 i8 n u8",
    "find_words": "u8 n u8 i4 n i8 i8",
    "keep_words": "u8 i8 n n u8 i4",
    "lay_out": "i4 i8 i8 i8 i8 n n n i4 i8 i8 i8",
    "pick_candidates": "i8 f8 i8 n i8 f8 i8 i8 i8",
    "pack_varints": "i4 i8 n u1 i8",
}

_Loops = Dict[str, Tuple[Any, Tuple[Any, ...]]]  # functions, and the types of their arguments


def load_loops(folder: str) -> _Loops:
    """Load the library of a folder. Returns no loop where there is none for this Python, or where
    its source has changed since.
    """
    library = _library(folder)
    return (
        {}
        if library is None
        else {name: _function(library, name, arguments) for name, arguments in _LOOPS.items()}
    )


def library_path(folder: str) -> Optional[str]:
    """Find the library of this Python; a clone may hold those of others beside it."""
    names = (f"_compiled{suffix}" for suffix in machinery.EXTENSION_SUFFIXES)
    return next(filter(os.path.exists, (os.path.join(folder, name) for name in names)), None)


def _library(folder: str) -> Optional[ctypes.CDLL]:
    path = library_path(folder)
    if path is None:
        return None
    try:
        library = ctypes.CDLL(path)
        crc = ctypes.c_uint32.in_dll(library, "source_crc").value
    except (OSError, ValueError):  # of another machine, or another program's
        return None
    source = os.path.join(folder, "compiled.c")  # of a clone; a wheel has none
    if os.path.exists(source):
        with open(source, "rb") as handle:
            if zlib.crc32(handle.read()) != crc:
                return None
    return library


def _function(library: ctypes.CDLL, name: str, arguments: str) -> Tuple[Any, Tuple[Any, ...]]:
    types = tuple(None if one == "n" else np.dtype(one) for one in arguments.split())
    function = getattr(library, name)
    function.restype = ctypes.c_int64
    function.argtypes = [ctypes.c_int64 if one is None else ctypes.c_void_p for one in types]
    return function, types


LOOPS = load_loops(os.path.dirname(__file__))


def compiled(name: str, *arguments: Any) -> Optional[int]:
    """Call a loop of `compiled.c`. Returns its number; None where it cannot be called, so that the
    caller goes numpy's way: without the library, or with an array of another type.
    """
    if name not in LOOPS:
        return None
    function, types = LOOPS[name]
    values = []
    for argument, dtype in zip(arguments, types):
        if dtype is not None:
            if argument.dtype != dtype or not argument.flags.c_contiguous:
                return None
            argument = argument.ctypes.data
        values.append(argument)
    result: int = function(*values)
    return result
