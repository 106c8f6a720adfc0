"""Zstandard files of several frames as one stream."""

import io
from typing import IO, Any

from data_gen.shared.errors import UserError

READ_BUFFER = 1 << 20  # bytes, of a file behind a URL
_PACKED_CHUNK = 1 << 14  # bytes; zstd may unpack them to thousands of times as much


class ZstdFile(io.RawIOBase):
    """The content of a .zst file of one or several frames; reads and seeks forward only.

    Raises EOFError if the last frame is cut short, which zstandard's own reader does not notice.
    """

    def __init__(self, packed: IO[bytes]) -> None:
        import zstandard

        # As `zstd -d --long=31`, which all but the largest windows need not say.
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 31)
        self._packed = packed
        self._frame: Any = None  # the one that is being read
        self._rest = b""  # packed, read ahead of the next frame
        self._ready = memoryview(b"")
        self._position = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes, forward."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a part of the buffer; 0 at the end of the last frame."""
        while not self._ready:
            data = self._rest or self._packed.read(_PACKED_CHUNK)
            if not data:
                if self._frame is not None:
                    raise EOFError("it ended within a zstd frame, so it is cut short")
                return 0
            self._frame = self._frame or self._unpacker.decompressobj()
            self._ready, self._rest = memoryview(self._frame.decompress(data)), b""
            if self._frame.eof:
                self._rest, self._frame = self._frame.unused_data, None
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        self._position += size
        return size

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Unpack and forget what lies before `offset`."""
        target = offset + (self._position if whence == io.SEEK_CUR else 0)
        if target < self._position or whence == io.SEEK_END:
            raise io.UnsupportedOperation("a .zst file is read forward only")
        while self._position < target and self.read(min(READ_BUFFER, target - self._position)):
            pass
        return self._position


def unpack_zstd(packed: IO[bytes]) -> IO[bytes]:
    """Open the text of an open Zstandard file."""
    try:
        return io.BufferedReader(ZstdFile(packed))
    except ImportError as error:
        raise UserError(
            ".zst files need the package zstandard: pip install 'macbert-pretraining[data]'"
        ) from error
