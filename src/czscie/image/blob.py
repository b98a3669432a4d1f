"""What an image consists of: bytes that are called by their SHA-256."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 20


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
        left = self.size
        with self.open() as stream:
            while left > 0 and (chunk := stream.read(min(left, _CHUNK))):
                left -= len(chunk)
                yield chunk

    def is_intact(self) -> bool:
        """Whether the bytes are there and have the digest."""
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest() == self.digest
