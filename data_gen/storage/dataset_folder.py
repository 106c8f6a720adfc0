"""Read the dataset.json of a build, on this machine or behind a URL."""

import os

from data_gen.shared.dataset.dataset_info import MANIFEST, DatasetInfo, not_a_build, parse_info
from data_gen.storage.errors import reading
from data_gen.storage.folders import file_sizes
from data_gen.storage.reading import open_as_is


def read_dataset(folder: str) -> DatasetInfo:
    """Read dataset.json of a finished build, and check the sizes of the shards beside it.

    Raises UserError if there is none, a shard is missing, or the record format is another.
    """
    sizes = file_sizes(folder)
    if MANIFEST not in sizes:
        raise not_a_build(folder)
    path = os.path.join(folder, MANIFEST)
    with open_as_is(path) as handle, reading(path):
        text = handle.read()
    return parse_info(folder, text, sizes)
