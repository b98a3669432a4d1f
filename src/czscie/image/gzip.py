"""gzip (RFC 1952) on all cores, with the same bytes whatever their number.

As in pigz: pieces of the data are deflated separately, each with the 32 KiB before it as dictionary, and end
at whole bytes, so that together they are one deflate stream (RFC 1951).
"""

from __future__ import annotations

import os
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Protocol

#: 9 makes layers 0.8% smaller than 6, in three times the time.
LEVEL = 6

_PIECE = 1 << 20
_WINDOW = 1 << 15
#: No name, no time; made on an unknown system.
_HEADER = bytes.fromhex("1f8b08000000000000ff")


class Writable(Protocol):
    def write(self, data: bytes, /) -> Any: ...


class GzipWriter:
    """Compresses what is written to it into `file`."""

    def __init__(self, file: Writable) -> None:
        self._file = file
        self._jobs = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._jobs)
        self._running: deque[Future[bytes]] = deque()
        self._pending = bytearray()
        self._window = b""
        self._crc32 = 0
        self._size = 0
        file.write(_HEADER)

    def __enter__(self) -> GzipWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def write(self, data: bytes) -> int:
        self._crc32 = zlib.crc32(data, self._crc32)
        self._size += len(data)
        self._pending += data
        while len(self._pending) > _PIECE:
            self._submit(bytes(self._pending[:_PIECE]), last=False)
            del self._pending[:_PIECE]
        return len(data)

    def _finish(self) -> None:
        self._submit(bytes(self._pending), last=True)
        while self._running:
            self._file.write(self._running.popleft().result())
        self._file.write(self._crc32.to_bytes(4, "little") + (self._size & 0xFFFFFFFF).to_bytes(4, "little"))

    def _submit(self, piece: bytes, *, last: bool) -> None:
        self._running.append(self._pool.submit(_deflate, piece, self._window, last))
        self._window = piece[-_WINDOW:]
        if len(self._running) > 2 * self._jobs:
            self._file.write(self._running.popleft().result())


def _deflate(piece: bytes, window: bytes, last: bool) -> bytes:
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=window)
    return compressor.compress(piece) + compressor.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
