"""Packed files of several streams, one after another, as one text: .gz, .bz2, .xz and .zst.

Python's own `bz2.open` and `lzma.open` take whatever follows the first stream for no part of the
file if it cannot be unpacked: of a damaged dump of many streams (Wikipedia's, or several files put
together by `cat`) the rest would be lost without a word.
"""

import bz2
import io
import lzma
import zlib
from typing import IO, Any, Callable

from data_gen.shared.extras import import_extra

READ_BUFFER = 1 << 20  # bytes, of a file behind a URL
_PACKED_CHUNK = 1 << 14  # bytes; they may be unpacked to thousands of times as much


class PackedFile(io.RawIOBase):
    """The content of a packed file of one or several streams; reads and seeks forward only.

    Raises EOFError if the last stream is cut short, ValueError if one is damaged.
    """

    def __init__(
        self, packed: IO[bytes], new_stream: Callable[[], Any], padding: bytes = b""
    ) -> None:
        """Read from `packed`; a stream has `decompress`, `eof` and `unused_data`; `padding` may
        stand between streams.
        """
        self._packed = packed
        self._new_stream = new_stream
        self._padding = padding
        self._stream: Any = None  # the one that is being read
        self._rest = b""  # packed, read ahead of the next stream
        self._ready = memoryview(b"")
        self._position = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes, forward."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a part of the buffer; 0 at the end of the last stream."""
        while not self._ready:
            data = self._rest or self._packed.read(_PACKED_CHUNK)
            if not data:
                if self._stream is not None:
                    raise EOFError("it ended within a packed stream, so it is cut short")
                return 0
            self._rest = b""
            if self._stream is None:
                data = data.lstrip(self._padding) if self._padding else data
                if not data:
                    continue
                self._stream = self._new_stream()
            try:
                self._ready = memoryview(self._stream.decompress(data))
            except Exception as error:  # each package has errors of its own
                raise ValueError(f"it is damaged ({error})") from error
            if self._stream.eof:
                self._rest, self._stream = self._stream.unused_data, None
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        self._position += size
        return size

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Unpack and forget what lies before `offset`."""
        target = offset + (self._position if whence == io.SEEK_CUR else 0)
        if target < self._position or whence == io.SEEK_END:
            raise io.UnsupportedOperation("a packed file is read forward only")
        while self._position < target and self.read(min(READ_BUFFER, target - self._position)):
            pass
        return self._position


def unpack_gz(packed: IO[bytes]) -> IO[bytes]:
    """Open the text of an open .gz file. Zeros may stand behind a stream, as gzip has it."""
    with_header = zlib.MAX_WBITS + 16
    return io.BufferedReader(
        PackedFile(packed, lambda: zlib.decompressobj(with_header), padding=b"\0")
    )


def unpack_bz2(packed: IO[bytes]) -> IO[bytes]:
    """Open the text of an open .bz2 file."""
    return io.BufferedReader(PackedFile(packed, bz2.BZ2Decompressor))


def unpack_xz(packed: IO[bytes]) -> IO[bytes]:
    """Open the text of an open .xz file. Zeros may stand between its streams."""
    return io.BufferedReader(PackedFile(packed, lzma.LZMADecompressor, padding=b"\0"))


def unpack_zstd(packed: IO[bytes]) -> IO[bytes]:
    """Open the text of an open .zst file. Raises UserError if zstandard is not installed."""
    zstandard = import_extra("zstandard", "data", "a .zst file")
    # As `zstd -d --long=31`, which all but the largest windows need not say.
    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 31)
    return io.BufferedReader(PackedFile(packed, unpacker.decompressobj))
