"""The shared libraries that ELF files need: found as the dynamic loader of this machine finds them.

The order is ld.so(8)'s: DT_RPATH unless there is a DT_RUNPATH, LD_LIBRARY_PATH, DT_RUNPATH, what
/etc/ld.so.conf names, the directories built in. /etc/ld.so.cache only repeats the fourth. Builds for newer
processors (glibc-hwcaps) are passed by, because the result has to run on any.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from czscie.elf import Elf, is_elf
from czscie.filesystem import exists

#: The C library and its loader, glibc's (one package, one version) and musl's: the host's own have to be
#: used.
_OF_LIBC = re.compile(
    r"(ld-linux.*|ld64|ld|ld-musl-.*|libc|libc\.musl-.*|libm|libmvec|libdl|libpthread|librt|libutil|libresolv"
    r"|libanl|libnsl|libnss_.*|libthread_db|libBrokenLocale)\.so(\.\d+)*"
)
#: libnsl.so.1 is glibc's; its successor is not.
_NOT_OF_LIBC = frozenset({"libnsl.so.2"})
_CONFIGURATION = Path("/etc/ld.so.conf")
_BUILT_IN = ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib")


def is_of_libc(name: str) -> bool:
    """Whether the library `name` belongs to the C library."""
    return _OF_LIBC.fullmatch(name) is not None and name not in _NOT_OF_LIBC


class Libraries:
    """Finds libraries for the program `executable` of this machine."""

    def __init__(self, executable: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._executable = executable
        self._elf = Elf.parse(executable.read_bytes(), str(executable))
        self._environment = [entry for entry in environ.get("LD_LIBRARY_PATH", "").split(":") if entry]
        self._system = [*_configured(_CONFIGURATION), *_BUILT_IN]

    def needed_by(self, files: Mapping[Path, bytes]) -> dict[str, Path]:
        """The libraries that `files` (path to content) and the executable need, directly or not, without
        libc's own.

        The result is sorted by name. A library that this machine does not have is not in it: what needs it
        does not work here either.
        """
        found: dict[str, Path] = {}
        waiting = [*files.items(), (self._executable, self._executable.read_bytes())]
        while waiting:
            path, data = waiting.pop()
            elf = Elf.parse(data, str(path))
            for name in elf.needed:
                if name not in found and not is_of_libc(name) and (library := self.find(name, path, elf)):
                    found[name] = library
                    waiting.append((library, library.read_bytes()))
        return dict(sorted(found.items()))

    def find(self, name: str, path: Path | None = None, elf: Elf | None = None) -> Path | None:
        """The file that the loader uses as the library `name` for the ELF file `elf` at `path`."""
        for directory in self._directories(path, elf):
            candidate = Path(directory, name)
            if exists(candidate) and candidate.is_file() and self._fits(candidate):
                return candidate.resolve()
        return None

    def _directories(self, path: Path | None, elf: Elf | None) -> Iterator[str]:
        if elf is not None and path is not None and not elf.runpath:
            yield from _expanded(elf.rpath, path)
        if (elf is None or not elf.runpath) and not self._elf.runpath:
            yield from _expanded(self._elf.rpath, self._executable)
        yield from self._environment
        if elf is not None and path is not None:
            yield from _expanded(elf.runpath, path)
        yield from self._system

    def _fits(self, candidate: Path) -> bool:
        """Whether it is for this machine: the loader skips libraries of others that lie in its way."""
        with candidate.open("rb") as file:
            head = file.read(20)
        mine = (self._elf.bits, self._elf.big_endian)
        order = "big" if self._elf.big_endian else "little"
        return (
            len(head) == 20
            and is_elf(head)
            and ((32, 64)[head[4] == 2], head[5] == 2) == mine
            and int.from_bytes(head[18:20], order) == self._elf.machine  # type: ignore[arg-type]
        )


def _expanded(directories: tuple[str, ...], path: Path) -> Iterator[str]:
    origin = str(path.resolve().parent)
    for directory in directories:
        expanded = directory.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)
        # $LIB and $PLATFORM are not used in practice; a relative directory depends on the current one.
        if expanded.startswith("/") and "$" not in expanded:
            yield expanded


def _configured(file: Path) -> Iterator[str]:
    """The directories that ld.so.conf(5) lists, with what it includes."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        words = line.partition("#")[0].split()
        if len(words) > 1 and words[0] == "include":
            for pattern in words[1:]:
                for included in sorted(
                    file.parent.glob(pattern)
                    if not pattern.startswith("/")
                    else Path("/").glob(pattern.lstrip("/"))
                ):
                    yield from _configured(included)
        elif words:
            yield words[0]
