"""The similar words of vector files, kept for the user: what one build found, no other finds again.

A file of the cache is a table of one layer. Its name is a checksum of all that decides it, so a
file is never stale, and several processes may make the same one: the last to finish puts its own in
the place of an equal one.
"""

import hashlib
import json
import os
from contextlib import suppress
from typing import Any, Callable, Dict, NamedTuple, Optional

from data_gen.shared.dataset.similar_words import FORMAT
from data_gen.shared.errors import UserError
from data_gen.shared.files import user_cache
from data_gen.synonyms.table import SourceTable, Table, load_table

_LAYER = "vectors"


class CachedLayer(NamedTuple):
    """The similar words of a source, and how many of its vectors were left out, by reason."""

    layer: SourceTable
    skipped: Dict[str, int]


def cache_folder() -> str:
    """Return the folder of the tables in this user's cache."""
    return user_cache("similar-words")


def cached_layer(
    key: Dict[str, Any], make: Callable[[], CachedLayer], folder: Optional[str]
) -> CachedLayer:
    """Return the layer with this key from the cache, or make it and keep it there.

    A damaged file of the cache is made anew. Where the folder cannot be written (a read-only home,
    a full disk), nothing is kept.
    """
    if folder is None:
        return make()
    name = hashlib.sha256(json.dumps({"format": FORMAT, **key}, sort_keys=True).encode())
    path = os.path.join(folder, f"{name.hexdigest()[:32]}.safetensors")
    try:
        layers, skipped = load_table(path)
        return CachedLayer(layers[_LAYER], skipped)
    except UserError:
        made = make()
    with suppress(OSError, UserError):
        Table({_LAYER: made.layer}, made.skipped).save(path)
    return made
