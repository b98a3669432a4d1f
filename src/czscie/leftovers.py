"""Temporary files, and the removal of those that killed processes left.

A process holds a lock on each temporary file that it writes; the lock ends with the process. The next process
that writes to the same place removes unlocked ones. Where files cannot be locked (Windows, some network file
systems) nothing is removed.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_PREFIX = "czscie-build-"
#: What `tempfile` adds to a prefix.
_SUFFIX = r"[a-z0-9_]{8}"


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary directory, removed with the context. Removes those of killed processes too."""
    with _directory(Path(tempfile.gettempdir()), _PREFIX) as directory:
        yield directory


def make_temporary(path: Path) -> tuple[int, Path]:
    """A file beside `path`, open for writing, that is to be renamed to it while it is open.

    Those that killed processes left of `path` are taken away. Raises OSError.
    """
    prefix = f".{path.name}."
    _sweep(path.parent, prefix)
    while True:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=prefix)
        if _hold(descriptor, Path(name)):
            return descriptor, Path(name)
        os.close(descriptor)


@contextmanager
def directory_beside(path: Path) -> Iterator[Path]:
    """A directory beside `path`, removed with the context, for something that is renamed to `path`.

    Removes those that killed processes left of `path`. Raises OSError.
    """
    with _directory(path.parent, f".{path.name}.") as directory:
        yield directory


@contextmanager
def _directory(parent: Path, prefix: str) -> Iterator[Path]:
    _sweep(parent, prefix)
    while True:
        directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        with _held(directory) as held:
            if not held:
                continue
            try:
                yield directory
            finally:
                shutil.rmtree(directory, ignore_errors=True)
        return


@contextmanager
def _held(directory: Path) -> Iterator[bool]:
    if sys.platform == "win32":
        yield True
        return
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:  # another process removed it before it was held
        yield False
        return
    try:
        yield _hold(descriptor, directory)
    finally:
        os.close(descriptor)


def _hold(descriptor: int, path: Path) -> bool:
    """Whether `path` is held now: another process may have removed it before it was locked."""
    if sys.platform == "win32":
        return True
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _sweep(directory: Path, prefix: str) -> None:
    """Removes the unlocked entries of `directory` that begin with `prefix` and belong to the user."""
    if sys.platform == "win32":
        return
    pattern = re.compile(re.escape(prefix) + _SUFFIX)
    with suppress(OSError):
        for name in os.listdir(directory):  # noqa: PTH208 of names that may not be text
            if pattern.fullmatch(name):
                with suppress(OSError):
                    _remove_if_free(directory / name)


def _remove_if_free(path: Path) -> None:
    """Raises OSError when another process holds it, or locks do not work."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid():
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISDIR(found.st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    finally:
        os.close(descriptor)
