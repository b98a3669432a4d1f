"""The content of a zip: the items of a tree that the first start writes to the user's disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from czscie import filesystem


class Content(Protocol):
    """Bytes that are read on demand, so that a payload of gigabytes is never in memory as a whole."""

    @property
    def size(self) -> int:
        """The number of bytes that `read` returns."""
        ...

    def read(self) -> bytes: ...


@runtime_checkable
class InPieces(Protocol):
    """Content that need not be in memory as a whole."""

    def pieces(self) -> Iterator[bytes]: ...


def pieces_of(content: Content) -> Iterator[bytes]:
    """The bytes of `content`, in pieces unless it is in memory anyway."""
    if isinstance(content, InPieces):
        yield from content.pieces()
    else:
        yield content.read()


@dataclass(frozen=True, slots=True)
class Data:
    """Content that is already in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self) -> bytes:
        return self.data


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Content of a file, which must not change while it is packed."""

    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def read(self) -> bytes:
        return self.path.read_bytes()

    def pieces(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            yield from filesystem.pieces(file)


@dataclass(frozen=True, slots=True)
class File:
    """A regular file. `path` is relative, `/`-separated and never leaves its directory."""

    path: str
    content: Content
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link. `target` is relative to the link's own directory and stays inside the tree."""

    path: str
    target: str
