"""Partial downloads: kept for the next attempt, held by one process at a time.

A partial file is called `.<name>.<number>.partial`. The process that holds its lock may write it; one that
finds number 0 held takes number 1. So the next process resumes what a killed one left, and two that download
at once do not collide.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO

from czscie.cache import make_way
from czscie.disk import full, is_full
from czscie.errors import Code, CzscieError
from czscie.filesystem import pieces

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


class Partial:
    """The bytes of one file so far, open for writing at their end."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0
        file.seek(0)
        for chunk in pieces(file):
            self._count(chunk)

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes so far, in hexadecimal."""
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._file.flush()  # so that a process which is killed leaves all that arrived
        self._count(chunk)

    def restart(self) -> None:
        """Discard the bytes so far."""
        self._file.seek(0)
        self._file.truncate()
        self._hash = hashlib.sha256()
        self.size = 0

    def finish(self, final: Path) -> None:
        """Give the file its final name, and release it. Makes the directory if it is missing."""
        self._file.close()
        final.parent.mkdir(mode=0o700, exist_ok=True)
        make_way(final)
        self.path.replace(final)

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _count(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self.size += len(chunk)


@contextmanager
def claim_partial(path: Path) -> Iterator[Partial]:
    """Hold the first partial file of `path` that no other process holds.

    It stays on disk afterwards unless it is empty. Raises CzscieError where files cannot be locked or
    written.
    """
    try:
        for number in count():
            part = path.with_name(f".{path.name}.{number}.partial")
            make_way(part)
            with _open(part) as file:
                if not _lock(file) or not _is_still(part, file):
                    continue
                partial = Partial(part, file)
                try:
                    yield partial
                finally:
                    if partial.size == 0 and not file.closed:
                        partial.discard()
                return
    except OSError as error:
        if is_full(error):
            raise full(path, error) from error
        raise CzscieError(
            f"cannot write {path.parent}",
            code=Code.OUTPUT_UNWRITABLE,
            why=error.strerror or str(error),
            hint="set CZSCIE_CACHE to a directory with enough room",
        ) from error


def _open(path: Path) -> BinaryIO:
    return open(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600), "r+b")  # noqa: PTH123


def _lock(file: BinaryIO) -> bool:
    try:
        if sys.platform == "win32":
            # Well past the content, so that others can read the content.
            file.seek(1 << 40)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            return False
        raise
    return True


def _is_still(path: Path, file: BinaryIO) -> bool:
    """Whether `path` is the locked file: its last holder may just have given it its final name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
