"""Blobs of an image: bytes with a SHA-256 as their name."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from czscie.errors import Code, CzscieError
from czscie.filesystem import pieces, sha256_of


@dataclass(frozen=True, slots=True)
class Blob:
    """`size` bytes: `source` itself, or those from `offset` on of the file `source`.

    `digest` is their SHA-256 in hexadecimal, `media_type` what they are.
    """

    media_type: str
    digest: str
    size: int
    source: bytes | Path
    offset: int = 0

    @classmethod
    def of(cls, media_type: str, data: bytes) -> Blob:
        return cls(media_type, hashlib.sha256(data).hexdigest(), len(data), data)

    def open(self) -> BinaryIO:
        """A stream at the first of the blob's bytes; behind its last there may be others."""
        if isinstance(self.source, bytes):
            return io.BytesIO(self.source)
        file = self.source.open("rb")
        file.seek(self.offset)
        return file

    def chunks(self) -> Iterator[bytes]:
        """The bytes, a piece at a time."""
        with self.open() as stream:
            yield from pieces(stream, self.size)

    def is_intact(self) -> bool:
        """Whether the bytes are there and have the digest."""
        return sha256_of(self.chunks()) == self.digest

    @contextmanager
    def checked(self) -> Iterator[Checked]:
        """The bytes, to be read to their end. Then raises CzscieError when the digest differs."""
        with self.open() as stream:
            checked = Checked(stream, self.size)
            yield checked
            if checked.digest() != self.digest:
                where = self.source if isinstance(self.source, Path) else self.media_type
                raise CzscieError(
                    f"{where} is damaged",
                    code=Code.CHANGED_DURING_BUILD,
                    why="its content changed after it was written",
                )


class Checked:
    """Reads `left` bytes of `stream`, and knows the SHA-256 of what was read."""

    def __init__(self, stream: BinaryIO, left: int) -> None:
        self._stream = stream
        self._left = left
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(self._left if size < 0 else min(size, self._left))
        self._hash.update(data)
        self._left -= len(data)
        return data

    def digest(self) -> str:
        return self._hash.hexdigest()
