"""Errors about full file systems: the file, the size it needs, the space left, and the fix."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from czscie.cache import VARIABLE, cache_root
from czscie.errors import Code, CzscieError

_FULL = (errno.ENOSPC, errno.EDQUOT)
#: How programs that czscie runs say so: libc's words, Python's, Zig's.
_SAID = re.compile(r"No space left on device|Disk quota exceeded|\[Errno 28\]|NoSpaceLeft|DiskQuota")


def is_full(error: BaseException) -> bool:
    """Whether the error says that a file system, or a user's share of it, is full."""
    return isinstance(error, OSError) and error.errno in _FULL


def says_full(text: str) -> bool:
    """Whether the output of a failed program says so."""
    return _SAID.search(text) is not None


@contextmanager
def writing(path: Path, size: int | None = None) -> Iterator[None]:
    """Raises CzscieError when a file system is full while `path` is written, which needs `size` bytes."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise full(path, error, size) from error
        raise


def full(
    path: Path, error: OSError | None = None, size: int | None = None, written: int | None = None
) -> CzscieError:
    """The error about `path`, which needs `size` bytes, and of which `written` were written."""
    directory = _existing(path)
    return CzscieError(
        f"no space left for {path}",
        code=Code.DISK_FULL,
        why=" ".join(filter(None, (_taken(size, written), _left(directory, error)))),
        hint=_mend(path),
    )


def check_room(needs: Iterable[tuple[Path, int]]) -> None:
    """Raises CzscieError when a file system has less room than what is to be written to it, in bytes, by
    paths. It is written on several of them together.
    """
    systems: dict[int, dict[Path, int]] = {}
    for path, size in needs:
        paths = systems.setdefault(_existing(path).stat().st_dev, {})
        paths[path] = paths.get(path, 0) + size
    for paths in systems.values():
        directory, size = _existing(next(iter(paths))), sum(paths.values())
        if size > shutil.disk_usage(directory).free:
            raise CzscieError(
                f"no space left for {' and '.join(map(str, paths))}",
                code=Code.DISK_FULL,
                why=f"the build takes at least {_bytes(size)}; {_left(directory, None)}",
                hint=_mend(next(iter(paths))),
            )


def somewhere_full(error: OSError) -> CzscieError:
    """The error when the file is unknown. Lists the places that czscie writes to."""
    if error.filename is not None:
        return full(Path(os.fsdecode(error.filename)), error)
    places = [cache_root(), Path(tempfile.gettempdir())]
    with suppress(FileNotFoundError):  # it was removed
        places.append(Path.cwd())
    return CzscieError(
        "a file system is full",
        code=Code.DISK_FULL,
        why=[_left(_existing(place), error) for place in dict.fromkeys(places)],
        hint=f"free some space, or set {VARIABLE} for the cache and TMPDIR for temporary files",
    )


def explain(error: OSError) -> CzscieError:
    """What a user is told of what the operating system refuses: what, and of which file."""
    if is_full(error):
        return somewhere_full(error)
    what = error.strerror or str(error)
    return CzscieError(f"{error.filename}: {what}" if error.filename else what, code=Code.SYSTEM_REFUSES)


def _taken(size: int | None, written: int | None) -> str:
    if size is not None:
        return f"it takes {_bytes(size)};"
    return "" if written is None else f"{_bytes(written)} of it were written;"


def _left(directory: Path, error: OSError | None) -> str:
    if error is not None and error.errno == errno.EDQUOT:
        return f"this user's quota is used up on the file system of {directory}"
    try:
        if hasattr(os, "statvfs") and os.statvfs(directory).f_favail == 0:
            return f"the file system of {directory} has no inodes left"
        return f"the file system of {directory} has {_bytes(shutil.disk_usage(directory).free)} left"
    except OSError as unknown:
        return f"{directory}: {unknown.strerror}"


def _mend(path: Path) -> str:
    if path.is_relative_to(cache_root()):
        return f"czscie cache prune; or set {VARIABLE} to a directory on another file system"
    # czscie's own files have such names. For an output that the user put there, TMPDIR does not help.
    temporary = Path(tempfile.gettempdir())
    if path == temporary or any(
        each.parent == temporary and each.name.startswith("czscie-") for each in path.parents
    ):
        return "free some space, or set TMPDIR to a directory on another file system"
    return "free some space, or write to a directory on another file system"


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.absolute().parents) if each.is_dir())


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size:,} bytes"
