"""What a build read and wrote, so that the same command knows at once that nothing has changed.

A build observes itself: before Python opens a file or lists a directory, it tells so (PEP 578), and the state
is kept by which a change shows: of a file its number, size and times, of a directory the names in it. If all
states are the same, and so is the environment, the command would do the same again. A change shows even if it
came while the build was running.

Starting Python is most of what this answer takes: this module imports next to nothing.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from _thread import RLock
from collections.abc import Iterable, Sequence

from czscie.cache import cache_root

_KIND = "builds"
#: What shells count and remember.
_NOT_SETTINGS = ("_", "OLDPWD", "PWD", "SHLVL")
#: Names that appear in directories of sources, and are no inputs unless something opens them.
_NOT_LISTED = ("__pycache__", "build", "dist", "node_modules")
#: Paths with these parts are no inputs: the system's, and temporary ones.
_NOT_INPUTS = ("/dev/", "/proc/", "/sys/", f"{os.sep}czscie-build-")
#: Nanoseconds in which a file can change and keep its time, where times are fine and where they are coarse.
_FINE, _COARSE = 50_000_000, 2_000_000_000
_END = "\0"
_MISSING = "missing"


def answer(arguments: Sequence[str]) -> bool:
    """Prints what the last build of these arguments left to print, if nothing has changed since.

    Returns whether it did.
    """
    if sys.stdout is None or sys.stderr is None:
        return False
    try:
        with open(_place(arguments), "rb") as file:  # noqa: PTH123
            is_own = os.name == "nt" or os.fstat(file.fileno()).st_uid == os.geteuid()
            digest, _, text = file.read().decode("utf-8", "surrogateescape").partition(_END)
        settings, results, said, *states = text.split(_END)
        if not is_own or digest != _sha256(text) or settings != _settings():
            return False
        if any(_state(path) != state for path, state in zip(states[::2], states[1::2], strict=True)):
            return False
        sys.stdout.buffer.write(results.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
        sys.stderr.write(said)
    except (OSError, ValueError):
        return False
    return True


def observe(arguments: Sequence[str]) -> None:
    """Observes what this process reads for the build of these arguments, until `keep`."""
    global _observed
    try:
        _observed = _Observed(arguments)
    except OSError:  # the working directory was removed
        return
    sys.addaudithook(_hear)


def keep(results: str, said: str) -> None:
    """Keeps what was observed. `results` is for standard output, `said` for standard error."""
    global _observed
    observed, _observed = _observed, None
    if observed is None:
        return
    from contextlib import suppress
    from pathlib import Path

    from czscie.cache import cache_directory
    from czscie.errors import CzscieError
    from czscie.filesystem import write_atomically

    with suppress(OSError, CzscieError):
        text = observed.text(results, said)
        if text is not None:
            cache_directory(_KIND)
            content = _END.join((_sha256(text), text)).encode("utf-8", "surrogateescape")
            write_atomically(Path(observed.place), lambda stream: stream.write(content))


class _Observed:
    """The states of what a build reads, from before it read them."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.place = _place(arguments)
        self._settings = _settings()
        self._cache = os.path.join(cache_root(), "")  # noqa: PTH118
        self._locks = os.path.join(self._cache, "locks", "")  # noqa: PTH118
        self._prefixes = (sys.prefix, sys.base_prefix)
        self._files: dict[str, str] = {}
        self._directories: dict[str, set[str]] = {}
        #: The number, size and time of files that got their names from this build.
        self._written: dict[str, tuple[int, int, int]] = {}
        #: Whether every change would show.
        self._is_sure = True
        self._lock = RLock()
        self._look(os.getcwd())  # noqa: PTH109 of names that may not be text
        for module in tuple(sys.modules.values()):
            if path := getattr(module, "__file__", None):
                self._look(path)

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        with self._lock:  # other threads wait for what it is looking at
            try:
                if event == "os.rename":
                    self._rename(_absolute(arguments[0]), _absolute(arguments[1]))
                else:
                    self._look(_absolute(arguments[0]))
            except OSError:
                self._is_sure = False

    def _look(self, path: str) -> None:
        directory, name = os.path.split(path)
        if name.endswith(".pyc"):
            path = os.path.join(os.path.dirname(directory), f"{name.partition('.')[0]}.py")  # noqa: PTH118, PTH120
        known = (self._files, self._directories, self._written)
        if any(path in each for each in known) or not self._is_input(path):
            return
        if os.path.isdir(path):  # noqa: PTH112
            self._directories[path] = set()  # listing it is heard, too
            self._directories[path] = set(os.listdir(path))  # noqa: PTH208
            return
        self._files[path] = state = _state(path)
        self._is_sure &= not _is_fresh(path)
        if state != _MISSING and not path.startswith(self._prefixes):
            self._look(directory)

    def _is_input(self, path: str) -> bool:
        """Whether a build follows from it. What is in the cache follows from the rest, but for locks."""
        if path.startswith(self._cache):
            return path.startswith(self._locks)
        return path != "" and not any(part in path for part in _NOT_INPUTS)

    def _rename(self, source: str, path: str) -> None:
        """A file was written, and gets its name."""
        if not self._is_input(path):
            return
        status = os.stat(source)  # noqa: PTH116
        self._written[path] = status.st_ino, status.st_size, status.st_mtime_ns
        self._files.pop(path, None)
        directory, name = os.path.split(path)
        if directory in self._directories:
            self._directories[directory].add(name)

    def text(self, results: str, said: str) -> str | None:
        """What to keep; None when a change might not show. Raises OSError."""
        # What killed processes left there is looked for in it.
        self._directories.pop(getattr(sys.modules.get("tempfile"), "tempdir", None) or "", None)
        states = {**self._files, **{path: _listing(names) for path, names in self._directories.items()}}
        for path, written in self._written.items():
            status = os.stat(path)  # noqa: PTH116
            if (status.st_ino, status.st_size, status.st_mtime_ns) != written or stat.S_ISDIR(status.st_mode):
                return None
            states[path] = _state(path)
        fields = (self._settings, results, said, *(text for item in states.items() for text in item))
        return _END.join(fields) if self._is_sure and not any(_END in each for each in fields) else None


_observed: _Observed | None = None


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if _observed is None:
        return
    reads = event == "open" and isinstance(arguments[2], int) and not arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if reads or event in ("os.listdir", "os.scandir", "os.rename", "czscie.exists"):
        _observed.hear(event, arguments)


def _absolute(path: object) -> str:
    """`path` as an audit event has it; empty for a descriptor."""
    if path is None:
        return os.getcwd()  # noqa: PTH109 of names that may not be text
    return os.path.abspath(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else ""  # noqa: PTH100


def _state(path: str) -> str:
    try:
        status = os.stat(path)  # noqa: PTH116
        if stat.S_ISDIR(status.st_mode):
            return _listing(os.listdir(path))  # noqa: PTH208
    except OSError:
        return _MISSING
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def _listing(names: Iterable[str]) -> str:
    return _sha256("/".join(sorted(each for each in names if _is_listed(each))))


def _is_listed(name: str) -> bool:
    return name not in _NOT_LISTED and not name.endswith(".egg-info")


def _is_fresh(path: str) -> bool:
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return False
    limit = _FINE if status.st_mtime_ns % 1_000_000_000 else _COARSE
    return time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < limit


def _place(arguments: Sequence[str]) -> str:
    """The file for what a build of these arguments in this directory read."""
    name = _sha256(_END.join((os.getcwd(), *arguments)))  # noqa: PTH109
    return os.path.join(cache_root(), _KIND, name)  # noqa: PTH118


def _settings() -> str:
    """A digest of what a build depends on besides files."""
    variables = (f"{name}={value}" for name, value in sorted(os.environ.items()) if name not in _NOT_SETTINGS)
    return _sha256(_END.join((sys.executable, sys.version, repr(sys.flags), sys.platform, *variables)))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
