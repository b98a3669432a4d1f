"""What build backends require, installed once: virtual environments that the cache keeps for a day.

A build with a kept environment gives what one with a new environment gives. Its content is compared with its
digest before each use, so a backend that changed it, or a process that was killed while it made one, leaves
nothing that a later build takes. After a day the requirements are resolved again, for they may allow newer
versions.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import stat
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from czscie.build_cache import key_of
from czscie.cache import cache_directory, mark_used
from czscie.documents import learned
from czscie.filesystem import open_regular, write_atomically
from czscie.lift.package_indexes import PackageIndexes
from czscie.lock import pip_settings
from czscie.lock.pex_tool import make_environment

#: Seconds for which what was resolved counts as the newest.
_KEPT = 86_400
_CURRENT = "current.json"


class _Current(msgspec.Struct, frozen=True):
    """The environment to use: the name of its directory, the digest of its content, and the time when it was
    made, in seconds since 1970.
    """

    directory: str
    sha256: str
    made: float


def install_backend(requires: Sequence[str], indexes: PackageIndexes, scratch: Path) -> Path:
    """The Python of a virtual environment with `requires`, all of them wheels.

    It is in the cache, or below `scratch` if others may write to that part of the cache. Raises CzscieError
    when they cannot be installed.
    """
    kept = cache_directory("environments")
    key = key_of(
        "environment",
        os.path.realpath(sys.executable),
        sys.base_prefix,
        platform.machine(),
        " ".join(platform.libc_ver()),
        pip_settings.digest({**os.environ, **indexes.settings(os.environ)}),
        *requires,
    )
    if not _is_own(kept):
        return _install(requires, indexes, scratch / key, scratch)
    place = kept / key
    return _python(_current(place) or _make(place, requires, indexes, scratch))


def _is_own(directory: Path) -> bool:
    """Whether no other user can write there: what is inside is going to run."""
    if os.name == "nt":
        return True
    status = directory.stat()
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _current(place: Path) -> Path | None:
    """The environment that is kept at `place`, if it is neither changed nor too old."""
    try:
        with open_regular(place / _CURRENT) as file:
            current = msgspec.json.decode(file.read(), type=learned(_Current))
        directory = place / current.directory
        is_new = 0 <= time.time() - current.made < _KEPT
        if not is_new or not _python(directory).exists() or _digest(directory) != current.sha256:
            return None
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    mark_used(directory)
    return directory


def _make(place: Path, requires: Sequence[str], indexes: PackageIndexes, scratch: Path) -> Path:
    """A new environment at `place`, which is the current one from now on.

    Others may be in use: they are removed a day after their last use.
    """
    if not place.is_dir():
        place.unlink(missing_ok=True)
    place.mkdir(mode=0o700, exist_ok=True)
    made = time.time()
    directory = Path(tempfile.mkdtemp(dir=place, prefix=""))
    try:
        _install(requires, indexes, directory, scratch)
        current = _Current(directory.name, _digest(directory), made)
        write_atomically(place / _CURRENT, lambda stream: stream.write(msgspec.json.encode(current)))
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    for other in place.iterdir():
        with suppress(OSError):
            if other.is_dir() and made - other.stat().st_mtime > _KEPT:
                shutil.rmtree(other)
    return directory


def _install(requires: Sequence[str], indexes: PackageIndexes, directory: Path, scratch: Path) -> Path:
    if requires:
        make_environment(requires, directory, scratch, indexes)
    else:
        venv.EnvBuilder(symlinks=os.name != "nt").create(directory)
    return _python(directory)


def _python(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _digest(environment: Path) -> str:
    """SHA-256 of its files and links, without the bytecode that Python adds to it."""
    found = hashlib.sha256()
    for path in sorted(_files(environment)):
        status = path.lstat()
        is_link = stat.S_ISLNK(status.st_mode)
        content = os.fsencode(path.readlink()) if is_link else path.read_bytes()
        head = f"{path.relative_to(environment)}\0{status.st_mode}\0{len(content)}\0"
        found.update(head.encode("utf-8", "surrogateescape"))
        found.update(content)
    return found.hexdigest()


def _files(directory: Path) -> Iterator[Path]:
    for path in directory.iterdir():
        if path.is_symlink() or not path.is_dir():
            yield path
        elif path.name != "__pycache__":
            yield from _files(path)
