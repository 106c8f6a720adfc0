"""Shards are what dataset.json says: checked before they are read, by one pass over each file.

The pass computes the sha256 and walks the records' lengths, at the speed of the disk. A file that
was checked before, with the same size and time, is not read again.
"""

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from data_gen.shared.dataset.dataset_info import DatasetInfo, Shard
from data_gen.shared.dataset.shard_check import fault
from data_gen.shared.errors import UserError
from pretrain.runtime import files
from pretrain.runtime.log import log

# More do not help a disk, and a checksum leaves Python's lock to others.
_THREADS = 4
_MANY = 1 << 30  # bytes that take so long that it is said

# Path -> [bytes, time of change in nanoseconds, sha256], as it was when the file was checked.
Stamps = Dict[str, List[Any]]


def verify(infos: Sequence[DatasetInfo], known: Mapping[str, List[Any]]) -> Stamps:
    """Check the shards of data sets, but for those that `known` says were checked. Returns the
    stamps of all. Shards behind a URL are left out: a storage has checksums of its own.

    Raises UserError for the first shard that is not what dataset.json says.
    """
    jobs = {path: shard for info in infos for path, shard in _shards(info)}
    stamps = {path: _stamp(path, shard) for path, shard in jobs.items()}
    new = {path: shard for path, shard in jobs.items() if stamps[path] != known.get(path)}
    size = sum(shard.bytes for shard in new.values())
    if size >= _MANY:
        log(f"the checksums of {len(new)} shards are verified, {size / 1e9:,.0f} GB")
    with ThreadPoolExecutor(_THREADS) as pool:
        checks = [pool.submit(_fault, p, s, stamps[p][1]) for p, s in new.items()]
        try:
            for path, check in zip(new, checks):
                problem = check.result()
                if problem:
                    raise UserError(f"{path} {problem}: copy it again, or build it elsewhere")
        finally:
            for check in checks:
                check.cancel()
    return stamps


def can_verify(infos: Sequence[DatasetInfo]) -> bool:
    """Return True if all the shards are on this machine's disks."""
    return not any(files.is_url(info.folder) for info in infos)


def _shards(info: DatasetInfo) -> List[Tuple[str, Shard]]:
    if files.is_url(info.folder):
        return []
    folder = os.path.abspath(info.folder)
    return [(os.path.join(folder, shard.name), shard) for shard in info.shards]


def _stamp(path: str, shard: Shard) -> List[Any]:
    found = os.stat(path)
    return [found.st_size, found.st_mtime_ns, shard.sha256]


@functools.lru_cache(maxsize=1 << 16)  # a process may train on the same records many times
def _fault(path: str, shard: Shard, time: int) -> Optional[str]:
    return fault(path, shard)
