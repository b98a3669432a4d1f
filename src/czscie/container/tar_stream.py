"""A tar that is read once, from its front to its end, while it is decompressed."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

#: All that an archive holds, with what is passed over: eight times PBS's `-full`.
_LARGEST_ARCHIVE = 8 << 30
#: A tar ends with two blocks of zeros (POSIX pax, "ustar Interchange Format").
_END = bytes(1024)
#: PBS compresses at level 22, whose window is 128 MiB; the most that libzstd can be asked for is 2 GiB.
_LARGEST_WINDOW = 1 << 30
_CHUNK = 1 << 20
#: tarfile looks for a member's end by reading, behind the end of the archive too, as often as its size says.
_EMPTY_READS = 100


@contextmanager
def open_zstd(path: Path) -> Iterator[BinaryIO]:
    """The file decompressed. Reading raises zstandard.ZstdError for damage."""
    import zstandard

    decoder = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    with path.open("rb") as file, decoder.stream_reader(file, read_across_frames=True) as reader:
        yield cast(BinaryIO, reader)


@contextmanager
def open_zlib(path: Path) -> Iterator[BinaryIO]:
    """The file, which is in zlib's format (RFC 1950), decompressed. Reading raises zlib.error for damage."""
    with path.open("rb") as file:
        yield cast(BinaryIO, _Inflated(file))


class _Inflated(io.RawIOBase):
    """What a file in zlib's format holds."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._decoder = zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._decoder.eof:
            given = self._decoder.unconsumed_tail or self._source.read(_CHUNK)
            data = self._decoder.decompress(given, max(size, 0))
            if data:
                return data
            if not given:
                raise EOFError("it ends early")
        return b""


class TarStream(io.RawIOBase):
    """A stream that remembers its last bytes."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._tail = b""
        self._size = 0
        self._empty = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._size += len(data)
        self._empty = 0 if data or not size else self._empty + 1
        if self._empty > _EMPTY_READS:
            raise EOFError("it ends early")
        if self._size > _LARGEST_ARCHIVE:
            raise ValueError(f"it unpacks to more than {_LARGEST_ARCHIVE} bytes")
        self._tail = (self._tail + data)[-len(_END) :] if len(data) < len(_END) else data[-len(_END) :]
        return data

    def ends_well(self) -> bool:
        """Read what is left, which checks the checksums of gzip, and see that it is the end of a tar.

        tarfile takes a damaged header for the end; then something other than zeros follows.
        """
        while chunk := self.read(_CHUNK):
            if chunk.strip(b"\0"):
                return False
        return self._tail == _END
