"""A layer of an image: a tar of files that all belong to root and are all of one time, compressed by gzip.

https://github.com/opencontainers/image-spec/blob/main/layer.md. Every engine reads gzip; zstd is refused by
Docker before 23.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

import msgspec

from czscie.container.content import File, Link
from czscie.container.paths import checked_path
from czscie.filesystem import write_atomically
from czscie.image.blob import Blob
from czscie.image.gzip import GzipWriter, Writable

MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"

#: 1980-01-02 00:00 UTC, of every file: in each time zone a time that zips can tell, which applications make.
TIME = 315619200


class LayerDigests(msgspec.Struct, frozen=True):
    """The cached metadata of a layer: SHA-256 and size of its file, SHA-256 and size of the tar in it."""

    digest: str
    size: int
    diff_id: str
    unpacked: int


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of an image. `diff_id` is the SHA-256 of its tar, `comment` describes it to people."""

    blob: Blob
    diff_id: str
    comment: str

    @classmethod
    def written(cls, path: Path, digests: LayerDigests, comment: str) -> Layer:
        """The layer that `write_layer` has written to `path`."""
        return cls(Blob(MEDIA_TYPE, digests.digest, digests.size, path), digests.diff_id, comment)


@dataclass(frozen=True, slots=True)
class LayerDirectory:
    """A directory of a layer; parents of files are made without one."""

    path: str
    mode: int = 0o755


def write_layer(items: Iterable[File | Link | LayerDirectory], path: Path) -> LayerDigests:
    """Writes a layer of `items`, in their order, to `path`. Their paths are relative to the root.

    Raises CzscieError for a path that would leave it.
    """
    return write_atomically(path, lambda file: _compress(lambda out: _write_tar(items, out), file))


def compress_layer(tar: Iterable[bytes], path: Path) -> LayerDigests:
    """Writes a layer, whose `tar` is there already, to `path`."""

    def write(unpacked: _Hashing) -> None:
        for chunk in tar:
            unpacked.write(chunk)

    return write_atomically(path, lambda file: _compress(write, file))


def _compress(write: Callable[[_Hashing], None], file: BinaryIO) -> LayerDigests:
    compressed = _Hashing(file)
    with GzipWriter(compressed) as gzip:
        unpacked = _Hashing(gzip)
        write(unpacked)
    return LayerDigests(compressed.digest(), compressed.size, unpacked.digest(), unpacked.size)


def _write_tar(items: Iterable[File | Link | LayerDirectory], out: _Hashing) -> None:
    # A tar that is written as a stream asks of its file nothing but to write.
    with tarfile.open(fileobj=cast("BinaryIO", out), mode="w|", format=tarfile.PAX_FORMAT) as tar:
        made: set[str] = set()
        for item in items:
            _add_parents(tar, item.path, made)
            if item.path not in made:  # engines refuse what is there twice
                _add(tar, item)
                made.add(item.path)


def _add_parents(tar: tarfile.TarFile, path: str, made: set[str]) -> None:
    pure = PurePosixPath(checked_path(path, "the image"))
    for parent in reversed(pure.parents[:-1]):
        if str(parent) not in made:
            made.add(str(parent))
            _add(tar, LayerDirectory(str(parent)))


def _add(tar: tarfile.TarFile, item: File | Link | LayerDirectory) -> None:
    info = tarfile.TarInfo(item.path)
    info.mtime = TIME
    if isinstance(item, LayerDirectory):
        info.type, info.mode = tarfile.DIRTYPE, item.mode
        tar.addfile(info)
    elif isinstance(item, Link):
        info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, item.target
        tar.addfile(info)
    else:
        data = item.content.read()
        info.mode, info.size = 0o755 if item.executable else 0o644, len(data)
        tar.addfile(info, io.BytesIO(data))


class _Hashing:
    """Passes data on, and computes its SHA-256."""

    def __init__(self, out: Writable) -> None:
        self._out = out
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size += len(data)
        self._out.write(data)
        return len(data)

    def digest(self) -> str:
        return self._hash.hexdigest()
