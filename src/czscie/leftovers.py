"""What processes were about to write when they were killed, and how it goes away.

Whoever writes something under a temporary name holds a lock on it, which ends with the process. Whoever comes
next to the same place takes away what nobody holds. Where files cannot be locked (Windows, some network file
systems) nothing is taken away.
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
    """A directory for what a command makes on its way, gone with the context. Those of killed ones go too."""
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
    """A directory beside `path`, gone with the context, to make something in that is renamed to `path`.

    Those that killed processes left of `path` are taken away. Raises OSError.
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
    except FileNotFoundError:  # somebody swept it before it was held
        yield False
        return
    try:
        yield _hold(descriptor, directory)
    finally:
        os.close(descriptor)


def _hold(descriptor: int, path: Path) -> bool:
    """Whether `path` is held now: somebody may have swept it before it was."""
    if sys.platform == "win32":
        return True
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _sweep(directory: Path, prefix: str) -> None:
    """Takes away what begins with `prefix` in `directory`, is the user's own, and is held by nobody."""
    if sys.platform == "win32":
        return
    pattern = re.compile(re.escape(prefix) + _SUFFIX)
    with suppress(OSError):
        for name in os.listdir(directory):  # noqa: PTH208 of names that may not be text
            if pattern.fullmatch(name):
                with suppress(OSError):
                    _remove_if_free(directory / name)


def _remove_if_free(path: Path) -> None:
    """Raises OSError when somebody holds it, or locks are not to be had."""
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
