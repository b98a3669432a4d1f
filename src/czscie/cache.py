"""The user's cache directory, which holds what czscie can make or download again.

Every process that uses the cache holds a shared lock on it. `czscie cache` removes entries only under an
exclusive lock.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from weakref import WeakValueDictionary

from czscie.errors import Code, CzscieError

if sys.platform != "win32":
    import fcntl

#: The environment variable with the directory of the cache.
VARIABLE = "CZSCIE_CACHE"

#: The directories of the cache, and their contents.
KINDS = {
    "archives": "downloaded interpreters and other files",
    "builds": "what the last builds read",
    "compilers": "unpacked interpreters that compile modules",
    "compressed": "compressed entries of interpreters and payloads",
    "debian": "downloaded Debian packages",
    "environments": "what build backends require, installed",
    "executables": "what czscie run started",
    "indexes": "file lists of python-build-standalone releases",
    "known": "metadata of inputs",
    "launchers": "launchers and the compiler's own cache",
    "locks": "locks of programs without a manifest",
    "packed": "packed interpreters and payloads",
    "wheels": "downloaded wheels",
}

_LOCK = ".lock"


def cache_directory(kind: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Make `<cache>/<kind>`, readable by its owner only, and return its absolute path.

    `kind` is one of KINDS. The cache is `CZSCIE_CACHE` or the platform's user cache directory for `czscie`.
    Until this process ends, nothing is removed from it. Raises CzscieError when the directory cannot be made
    or is not writable.
    """
    assert kind in KINDS, kind
    directory = cache_root(environ) / kind
    try:
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _unusable(directory, error.strerror or str(error)) from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise _unusable(directory, "it is not writable")
    _use(directory.parent)
    return directory


def cache_root(environ: Mapping[str, str] = os.environ) -> Path:
    """The absolute path of the whole cache; it need not exist.

    Raises CzscieError where nothing tells the home directory that it needs, as in an empty container.
    """
    if chosen := environ.get(VARIABLE):
        try:
            return Path(chosen).expanduser().absolute()
        except RuntimeError as error:
            raise CzscieError(
                "there is no directory for the cache",
                code=Code.CACHE_UNUSABLE,
                why=f"{VARIABLE} is {chosen}, and the system does not know that home directory",
                hint=f"set {VARIABLE} to a directory that you may write to",
            ) from error
    import platformdirs

    # Beside it lies the default base directory of the executables that czscie builds.
    try:
        return Path(platformdirs.user_cache_dir("czscie", appauthor=False), "build").absolute()
    except RuntimeError as error:
        raise CzscieError(
            "there is no directory for the cache",
            code=Code.CACHE_UNUSABLE,
            why="HOME is not set, and the system does not know the user",
            hint=f"set {VARIABLE} to a directory that you may write to",
        ) from error


def mark_used(path: Path, within: float = 0) -> None:
    """Record that the file or directory was used today, in its modification time.

    It keeps its time if that was recorded within so many seconds.
    """
    with suppress(OSError):
        if not within or time.time() - path.stat().st_mtime > within:
            os.utime(path)


def make_way(path: Path) -> None:
    """Remove what is at `path` of the cache, unless it is a file, which a new one replaces."""
    if path.is_dir() and not path.is_symlink():
        import shutil

        shutil.rmtree(path)
    elif path.exists() and not path.is_file():
        path.unlink(missing_ok=True)


@contextmanager
def nobody_using(root: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold the exclusive lock of the cache at `root`, which exists.

    `wait` is called before waiting for other processes. Where files cannot be locked (Windows, some network
    file systems) it does not wait.
    """
    if sys.platform == "win32":
        yield
        return
    with (root / _LOCK).open("ab") as file:
        with suppress(OSError):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                wait()
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


#: The cache that this process uses, and the open file that holds its lock.
_used: tuple[Path, int] | None = None
_using = threading.Lock()


def _use(root: Path) -> None:
    """Hold the shared lock of the cache at `root`, instead of that of any other cache."""
    global _used
    if sys.platform == "win32":
        return
    with _using, suppress(OSError):
        if _used is not None and _used[0] == root:
            return
        file = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(file, fcntl.LOCK_SH)
        if _used is not None:
            os.close(_used[1])
        _used = root, file


def _unusable(directory: Path, why: str) -> CzscieError:
    return CzscieError(
        f"the cache directory {directory} cannot be used",
        code=Code.CACHE_UNUSABLE,
        why=why,
        hint=f"set {VARIABLE} to a directory that you may write to",
    )


def damaged(path: Path, why: str = "its content changed after it was written") -> CzscieError:
    """The error about a product that is damaged again, or that cannot be made again."""
    return CzscieError(
        f"{path} is damaged",
        code=Code.CACHE_UNUSABLE,
        why=why,
        hint=f"czscie cache clean packed; if it happens again, set {VARIABLE} to a directory on another disk",
    )


def only_one(path: Path) -> AbstractContextManager[object]:
    """Held by the thread that makes the file or directory `path` of the cache: others wait, and find it."""
    with _guard:
        lock = _making.get(path)
        if lock is None:
            lock = _making[path] = _Lock()
        return lock


class _Lock:
    """A lock that a thread may take again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_raised: object) -> None:
        self._lock.release()


_guard = threading.Lock()
_making: WeakValueDictionary[Path, _Lock] = WeakValueDictionary()
