"""Map the arrays of a safetensors file into memory without the package safetensors."""

import json
import mmap
import struct
from typing import Any, Dict, Tuple

import numpy as np

_DTYPES = {"U64": np.uint64, "I64": np.int64, "I32": np.int32, "F32": np.float32, "U8": np.uint8}


def map_arrays(path: str) -> Tuple[Dict[str, str], Dict[str, Any]]:
    """Map a file in safetensors' format into memory: its metadata, and its arrays, one-dimensional
    and read-only, by name. Only what is looked at is read, once for all processes.

    Raises OSError, ValueError, KeyError, TypeError or struct.error where it is none.
    """
    with open(path, "rb") as handle:
        data = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size].decode("utf-8"))
    metadata = header.pop("__metadata__")
    arrays = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        dtype = np.dtype(_DTYPES[entry["dtype"]])
        count = (last - first) // dtype.itemsize
        if entry["shape"] != [count]:
            raise ValueError(f"{name} is not of the shape {entry['shape']}")
        arrays[name] = np.frombuffer(data, dtype, count, 8 + size + first)
    return metadata, arrays
