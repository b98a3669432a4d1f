"""Which files and directories this process reads, and whether they are unchanged later.

Before Python opens a file or lists a directory, it tells so (PEP 578). The state is kept by which a change
shows: of a file its number, size and times, of a directory the names in it. A change shows even if it came
between the state and the reading.

This module imports next to nothing: Python's start is most of what a build of nothing new takes.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from _thread import RLock
from collections.abc import Iterable, Mapping

from czscie.cache import cache_root

_SYSTEM = ("/dev/", "/proc/", "/sys/")
#: Nanoseconds in which a file can change and keep its time, where times are fine and where they are coarse.
_FINE, _COARSE = 50_000_000, 2_000_000_000
_MISSING = "missing"


class Observation:
    """The states of what this process reads, from before it reads it, between `start` and `stop`."""

    def __init__(self) -> None:
        self._cache = os.path.join(cache_root(), "")  # noqa: PTH118
        self._locks = os.path.join(self._cache, "locks", "")  # noqa: PTH118
        #: Where Python's own modules are: it looks for none beside them.
        self._libraries = tuple(
            os.path.join(prefix, name, "")  # noqa: PTH118
            for prefix in (sys.prefix, sys.base_prefix)
            for name in ("lib", "lib64", "Lib", "DLLs")
        )
        self._files: dict[str, str] = {}
        self._directories: dict[str, set[str]] = {}
        #: The number, size and time of files that this process wrote and named.
        self._written: dict[str, tuple[int, int, int]] = {}
        #: Whether every change would show.
        self._is_sure = True

    def start(self) -> None:
        global _is_hearing
        _observations.append(self)
        if not _is_hearing:
            sys.addaudithook(_hear)
            _is_hearing = True

    def stop(self) -> None:
        _observations.remove(self)

    def look(self, path: str) -> None:
        """Keeps the state of what is at the absolute path."""
        self.hear("open", (path,))

    def _look(self, path: str) -> None:
        directory, name = os.path.split(path)
        if name.endswith(".pyc") and os.path.basename(directory) == "__pycache__":  # noqa: PTH119
            # Bytecode follows from its source, and other processes write it at any time.
            directory = os.path.dirname(directory)  # noqa: PTH120
            path = os.path.join(directory, f"{name.partition('.')[0]}.py")  # noqa: PTH118
        known = (self._files, self._directories, self._written)
        if any(path in each for each in known) or not self._is_input(path):
            return
        if os.path.isdir(path):  # noqa: PTH112
            self._directories[path] = set()  # listing it is heard, too
            self._directories[path] = set(os.listdir(path))  # noqa: PTH208
            return
        self._files[path] = state = state_of(path)
        self._is_sure &= not _is_fresh(path)
        if state != _MISSING and not path.startswith(self._libraries):
            self._look(directory)

    def states(self) -> dict[str, str] | None:
        """The states by path; None when a change might not show. Raises OSError."""
        temporary = _temporary()
        if not any(os.path.dirname(path) == temporary for path in self._files):  # noqa: PTH120
            self._directories.pop(temporary, None)  # what killed processes left was looked for in it
        states = {**self._files, **{path: _listing(names) for path, names in self._directories.items()}}
        for path, written in self._written.items():
            status = os.stat(path)  # noqa: PTH116
            if (status.st_ino, status.st_size, status.st_mtime_ns) != written or stat.S_ISDIR(status.st_mode):
                return None
            states[path] = state_of(path)
        return states if self._is_sure else None

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        with _looking:  # other threads wait for what it is looking at
            try:
                if event == "os.rename":
                    self._rename(_absolute(arguments[0]), _absolute(arguments[1]))
                elif event == "os.mkdir":
                    self._name(_absolute(arguments[0]))
                else:
                    self._look(_absolute(arguments[0]))
            except (OSError, ValueError):
                self._is_sure = False

    def _is_input(self, path: str) -> bool:
        """Whether anything follows from it. What is in the cache follows from the rest, but for locks."""
        if path.startswith(self._cache):
            return path.startswith(self._locks)
        temporary = _temporary()
        is_own = temporary != "" and path.startswith(os.path.join(temporary, "czscie-build-"))  # noqa: PTH118
        return path != "" and not is_own and not path.startswith(_SYSTEM)

    def _rename(self, source: str, path: str) -> None:
        """A file was written, and gets its name."""
        if not self._is_input(path):
            return
        status = os.stat(source)  # noqa: PTH116
        self._written[path] = status.st_ino, status.st_size, status.st_mtime_ns
        self._files.pop(path, None)
        self._name(path)

    def _name(self, path: str) -> None:
        """A file or directory that this process made has its name in the directory."""
        directory, name = os.path.split(path)
        if directory in self._directories and self._is_input(path):
            self._directories[directory].add(name)


def are_unchanged(states: Mapping[str, str]) -> bool:
    """Whether all of `states` are as they were. Observations see these files and directories, too."""
    for path, state in states.items():
        sys.audit("czscie.exists", path)
        if state_of(path) != state:
            return False
    return True


def state_of(path: str) -> str:
    try:
        status = os.stat(path)  # noqa: PTH116
        if stat.S_ISDIR(status.st_mode):
            return _listing(os.listdir(path))  # noqa: PTH208
    except (OSError, ValueError):  # no file has a NUL in its name
        return _MISSING
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


_observations: list[Observation] = []
#: One for all: what one observation looks at, the others hear.
_looking = RLock()
#: Whether Python calls `_hear`: a hook stays as long as the process.
_is_hearing = False


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if not _observations:
        return
    reads = event == "open" and isinstance(arguments[2], int) and not arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if reads or event in ("os.listdir", "os.scandir", "os.mkdir", "os.rename", "czscie.exists"):
        for each in tuple(_observations):
            each.hear(event, arguments)


def _absolute(path: object) -> str:
    """`path` as an audit event has it; empty for a descriptor."""
    if path is None:
        return os.getcwd()  # noqa: PTH109 of names that may not be text
    return os.path.abspath(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else ""  # noqa: PTH100


def _temporary() -> str:
    """The directory of temporary files; empty as long as there are none."""
    return getattr(sys.modules.get("tempfile"), "tempdir", None) or ""


def _listing(names: Iterable[str]) -> str:
    return hashlib.sha256("/".join(sorted(names)).encode("utf-8", "surrogateescape")).hexdigest()


def _is_fresh(path: str) -> bool:
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return False
    limit = _FINE if status.st_mtime_ns % 1_000_000_000 else _COARSE
    return time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < limit
