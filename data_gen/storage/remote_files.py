"""Read parts and whole copies of files behind URLs."""

import hashlib
import io
import os
import posixpath
import shutil
from contextlib import ExitStack, contextmanager
from typing import IO, Any, Iterator

from data_gen.shared.files import user_cache
from data_gen.storage.errors import reading
from data_gen.storage.folders import make_folder
from data_gen.storage.locations import filesystem_of, is_url
from data_gen.storage.reading import open_text
from data_gen.storage.writing import atomic_file

_BUFFER = 1 << 19  # bytes of a file behind a URL; a merge has hundreds of them open


@contextmanager
def open_range(path: str, start: int, stop: int) -> Iterator[IO[bytes]]:
    """Open a file for reading at `start`. A file behind a URL is read to `stop` at most."""
    with ExitStack() as files:
        with reading(path):
            if is_url(path):
                filesystem, inner = filesystem_of(path)
                if stop - start <= _BUFFER:
                    handle: Any = io.BytesIO(filesystem.cat_file(inner, start=start, end=stop))
                else:
                    handle = filesystem.open(inner, "rb", _BUFFER, cache_type="readahead")
                    handle = io.BufferedReader(files.enter_context(handle))
                    handle.seek(start)
            else:
                handle = files.enter_context(open(path, "rb"))
                handle.seek(start)
        yield handle


def local_copy(path: str) -> str:
    """Return the path of a file on this machine: itself, or its copy in the user's cache, fetched
    from the URL once.
    """
    if not is_url(path):
        return path
    folder = user_cache("copies")
    filesystem, inner = filesystem_of(path)
    with reading(path):
        filesystem.invalidate_cache()
        version = hashlib.sha256(f"{path} {filesystem.ukey(inner)}".encode()).hexdigest()[:16]
    copy = os.path.join(folder, f"{version}-{posixpath.basename(inner)}")
    if not os.path.exists(copy):
        make_folder(folder)
        with open_text(path) as source, atomic_file(copy) as target, reading(path):
            shutil.copyfileobj(source, target, _BUFFER)
    return copy
