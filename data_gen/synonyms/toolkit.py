"""The vectors of the Synonyms toolkit, and the nearest words of each of its words, which are
shipped: their search takes a minute or two, and its result never changes.
"""

import os
from typing import Optional

import numpy as np

from data_gen.core.columns import Array
from data_gen.storage.package_files import package_file

# The toolkit that the MacBERT paper used (IV-A): the last release that is MIT and carries vectors.
TOOLKIT_REQUIREMENT = "synonyms==3.10.2"

# Made by scripts/toolkit_neighbours.py.
NEIGHBOURS = os.path.join(os.path.dirname(__file__), "toolkit_neighbours.npz")
# Words whose neighbours are shipped, and how many.
SHIPPED_K = 10


def toolkit_vectors() -> str:
    """Find the toolkit's vectors. Its import is avoided: it prints, takes seconds and starts its
    own jieba.
    """
    return package_file(TOOLKIT_REQUIREMENT, "data", "data", "words.vector")


def pack_neighbours(rows: Array, sha256: str) -> dict[str, Array]:
    """Put neighbours, int [W, K], into arrays that pack well: a plane for each byte of a number."""
    planes = np.stack([rows >> shift & 255 for shift in (0, 8, 16)]).astype(np.uint8)
    return {"planes": planes, "sha256": np.array(sha256)}


def shipped_neighbours(sha256: str, k: int) -> Optional[Array]:
    """Return the `k` nearest words of each word of the toolkit by Euclidean distance, the nearest
    first, int32 [W, k]; None where they are shipped of other vectors than those with this checksum,
    or fewer.
    """
    if k > SHIPPED_K:
        return None
    with np.load(NEIGHBOURS) as arrays:
        if str(arrays["sha256"]) != sha256:
            return None
        planes = arrays["planes"][:, :, :k].astype(np.int32)
    rows: Array = planes[0] | planes[1] << 8 | planes[2] << 16
    return rows
