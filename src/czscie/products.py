"""The products of a build's stages: files of the user's cache, named by what they are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from czscie import toolchain
from czscie.cache import cache_directory, mark_used

Known = TypeVar("Known", bound=msgspec.Struct)


def product(key: str, suffix: str, kind: type[Known], make: Callable[[Path], Known]) -> tuple[Path, Known]:
    """The product called `key`, made by `make` at the path it is given unless the cache has it.

    Beside it lies what is known of it, of `kind`; a product without that was never finished.
    """
    path = cache_directory("packed") / f"{key}{suffix}"
    if path.is_file() and (known := _read(path.with_suffix(".json"), kind)) is not None:
        mark_used(path)
        return path, known
    made = make(path)
    _write(path.with_suffix(".json"), made)
    return path, made


def knowledge(key: str, kind: type[Known], make: Callable[[], Known]) -> Known:
    """What is known as `key`, of `kind`: found out by `make` unless the cache has it."""
    path = cache_directory("known") / key
    known = _read(path, kind)
    if known is None:
        known = make()
        _write(path, known)
    else:
        mark_used(path)
    return known


def key_of(*inputs: str) -> str:
    """A key over `inputs` and all that shapes the bytes of a product besides (czscie.toolchain)."""
    return hashlib.sha256("\0".join((toolchain.digest(), *inputs)).encode()).hexdigest()


def digest_of(path: Path) -> str:
    """SHA-256 of a file, or of all files below a directory with their names and modes."""
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    for file in files:
        mode = file.stat().st_mode & 0o100
        digest.update(
            f"{file.relative_to(path)}\0{mode}\0{file.stat().st_size}\0".encode("utf-8", "surrogateescape")
        )
        with file.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def _read(path: Path, kind: type[Known]) -> Known | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None


def _write(path: Path, known: msgspec.Struct) -> None:
    from czscie.container.packer import write_atomically

    write_atomically(path, lambda stream: stream.write(msgspec.json.encode(known)))
