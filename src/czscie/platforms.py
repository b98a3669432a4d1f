"""A target: an operating system, an architecture and, on Linux, a libc.

Names are science's (`linux-x86_64`, `macos-aarch64`, `windows-x86_64`; facts of the a-scie ecosystem) with
`musl-` before a Linux whose libc is musl, as pex spells it. Triples are python-build-standalone's.
"""

from __future__ import annotations

import difflib
import platform as _host
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from czscie.errors import Code, CzscieError

GlibcVersion = tuple[int, int]

#: Wheels of a PEX that exists already are accepted whatever glibc they were built for: the build says which
#: one the result needs. Above any glibc that exists.
ANY_GLIBC: GlibcVersion = (2, 99)

#: The oldest manylinux tag that PEP 600's legacy aliases reach down to (manylinux1 is glibc 2.5).
_OLDEST_GLIBC: GlibcVersion = (2, 5)
_LEGACY_MANYLINUX = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}

#: Wheels of a PEX that exists already are accepted whatever macOS they ask for.
_NEWEST_MACOS = (26, 0)

#: The musl that PBS builds with; wheels for older ones run with it (PEP 656).
_MUSL = (1, 2)

#: Windows counts the characters of a path. The launcher has the same number (native/src/manifest.zig).
_INSTALLED_NAME_ON_WINDOWS = 20


@dataclass(frozen=True, slots=True)
class Platform:
    """One target platform. `libc` is `gnu` or `musl` on Linux and empty elsewhere."""

    os: str
    arch: str
    libc: str
    triple: str
    wheel_arch: str

    @property
    def name(self) -> str:
        """The name users write: `linux-x86_64`, `musl-linux-x86_64`, `macos-aarch64` …"""
        return f"{'musl-' if self.libc == 'musl' else ''}{self.os}-{self.arch}"

    @property
    def launcher(self) -> str:
        """The launcher that starts this platform's scies; it is static, so one serves glibc and musl."""
        return f"{self.os}-{self.arch}"

    @property
    def executable_suffix(self) -> str:
        return ".exe" if self.os == "windows" else ""

    def installed_name(self, digest: str) -> str:
        """The name of the directory of the installation `digest` (docs/reference/format.md, section 5)."""
        return digest[:_INSTALLED_NAME_ON_WINDOWS] if self.os == "windows" else digest

    @property
    def shares_expressions(self) -> bool:
        """Whether compiled regular expressions are those of x86_64: they have the machine's words in them."""
        return self.arch not in ("armv7l", "s390x")

    def wheel_platforms(self, glibc: GlibcVersion = ANY_GLIBC) -> Iterator[str]:
        """The platform tags wheels for this target may carry, best first (PEP 425, 599, 600, 656).

        `glibc` is the newest glibc that may be asked of the user's host.
        """
        from packaging import tags

        if self.os == "windows":
            yield {"x86_64": "win_amd64", "aarch64": "win_arm64"}[self.arch]
        elif self.os == "macos":
            yield from tags.mac_platforms(_NEWEST_MACOS, self.wheel_arch)
        elif self.libc == "musl":
            major, newest = _MUSL
            for minor in range(newest, -1, -1):
                yield f"musllinux_{major}_{minor}_{self.wheel_arch}"
            yield f"linux_{self.wheel_arch}"
        else:
            major, newest = glibc
            for minor in range(newest, _OLDEST_GLIBC[1] - 1, -1):
                yield f"manylinux_{major}_{minor}_{self.wheel_arch}"
                if (major, minor) in _LEGACY_MANYLINUX:
                    yield f"{_LEGACY_MANYLINUX[major, minor]}_{self.wheel_arch}"
            yield f"linux_{self.wheel_arch}"

    @property
    def markers(self) -> dict[str, str]:
        """The variables of PEP 508's environment that do not depend on the implementation of Python.

        `platform_release` and `platform_version` belong to the user's host and are empty here.
        """
        machine = {"windows": {"x86_64": "AMD64", "aarch64": "ARM64"}}.get(self.os, {}).get(self.arch)
        if self.os == "macos":
            machine = {"aarch64": "arm64"}.get(self.arch, self.arch)
        return {
            "os_name": "nt" if self.os == "windows" else "posix",
            "platform_machine": machine or self.wheel_arch,
            "platform_release": "",
            "platform_system": {"linux": "Linux", "macos": "Darwin", "windows": "Windows"}[self.os],
            "platform_version": "",
            "sys_platform": {"linux": "linux", "macos": "darwin", "windows": "win32"}[self.os],
        }


PLATFORMS: tuple[Platform, ...] = (
    Platform("linux", "x86_64", "gnu", "x86_64-unknown-linux-gnu", "x86_64"),
    Platform("linux", "aarch64", "gnu", "aarch64-unknown-linux-gnu", "aarch64"),
    Platform("linux", "armv7l", "gnu", "armv7-unknown-linux-gnueabihf", "armv7l"),
    Platform("linux", "powerpc64", "gnu", "ppc64le-unknown-linux-gnu", "ppc64le"),
    Platform("linux", "riscv64", "gnu", "riscv64-unknown-linux-gnu", "riscv64"),
    Platform("linux", "s390x", "gnu", "s390x-unknown-linux-gnu", "s390x"),
    Platform("linux", "x86_64", "musl", "x86_64-unknown-linux-musl", "x86_64"),
    Platform("linux", "aarch64", "musl", "aarch64-unknown-linux-musl", "aarch64"),
    Platform("macos", "x86_64", "", "x86_64-apple-darwin", "x86_64"),
    Platform("macos", "aarch64", "", "aarch64-apple-darwin", "arm64"),
    Platform("windows", "x86_64", "", "x86_64-pc-windows-msvc", "amd64"),
    Platform("windows", "aarch64", "", "aarch64-pc-windows-msvc", "arm64"),
)

_BY_NAME = {platform.name: platform for platform in PLATFORMS}

#: Other spellings in use: `uname -m`'s, Go's and Docker's, pex's.
_ALIASES = {
    "linux-ppc64le": "linux-powerpc64",
    "linux-powerpc64le": "linux-powerpc64",
    "linux-armv7": "linux-armv7l",
    "linux-amd64": "linux-x86_64",
    "linux-arm64": "linux-aarch64",
    "macos-arm64": "macos-aarch64",
    "macos-amd64": "macos-x86_64",
    "windows-amd64": "windows-x86_64",
    "windows-arm64": "windows-aarch64",
}

#: Words of other tools' names, for suggestions: of systems, and of processors.
_SYSTEMS = {
    "linux": ("linux", "manylinux", "musllinux", "musl", "alpine"),
    "macos": ("macos", "macosx", "osx", "mac", "darwin", "apple"),
    "windows": ("windows", "win", "win32", "win64"),
}
_MUSL_WORDS = ("musl", "musllinux", "alpine")
_PROCESSORS = {
    "x86_64": ("x64", "amd64", "x86", "intel"),
    "aarch64": ("aarch64", "arm64", "arm"),
    "armv7l": ("armv7l", "armv7", "armhf"),
    "powerpc64": ("powerpc64", "powerpc64le", "ppc64le"),
    "riscv64": ("riscv64",),
    "s390x": ("s390x",),
}
#: Those that are suggested when a name says none.
_USUAL_PROCESSORS = ("x86_64", "aarch64")
_X86_64 = re.compile(r"x86[-_]64")


def platform_names() -> list[str]:
    """Every name that `find_platform` takes besides `current`, without the aliases."""
    return list(_BY_NAME)


def platform_spellings() -> tuple[str, ...]:
    """Everything that `find_platform` takes."""
    return ("current", *_BY_NAME, *_ALIASES)


def find_platform(name: str) -> Platform:
    """The platform called `name`; `current` is the one czscie runs on.

    Raises CzscieError with the nearest name when there is none.
    """
    if name == "current":
        return current_platform()
    found = _BY_NAME.get(_ALIASES.get(name, name))
    if found is None:
        near = similar_platforms(name)
        raise CzscieError(
            f"there is no platform called {name!r}",
            code=Code.PLATFORM_UNKNOWN,
            why=f"the platforms are: {', '.join(_BY_NAME)}",
            hint=f"did you mean {' or '.join(map(repr, near))}?" if near else None,
        )
    return found


def similar_platforms(name: str) -> list[str]:
    """The names of the platforms that `name`, which is none, was probably meant to be: those of the system
    that it has a word for, or something like one, and of the processor. `current` is one, too.
    """
    words = re.split(r"[^a-z0-9]+", _X86_64.sub("x64", name.lower()))
    system = _meaning(words, _SYSTEMS)
    processor = _meaning(words, _PROCESSORS)
    if system is None and processor is None:
        return difflib.get_close_matches(name.lower(), ["current"])
    libc = "musl" if any(word in _MUSL_WORDS for word in words) else "gnu"
    return [
        each.name
        for each in PLATFORMS
        if each.os == (system or each.os)
        and (each.arch == processor if processor else each.arch in _USUAL_PROCESSORS)
        and each.libc in ("", libc)
    ]


def _meaning(words: Sequence[str], meanings: Mapping[str, Sequence[str]]) -> str | None:
    """What the first of `words` means that is known or, if none is, that is nearly a known one."""
    known = {word: meaning for meaning, spellings in meanings.items() for word in spellings}
    for cutoff in (1.0, 0.75):
        for word in words:
            if near := difflib.get_close_matches(word, known, n=1, cutoff=cutoff):
                return known[near[0]]
    return None


def current_platform() -> Platform:
    """The platform czscie runs on. Raises CzscieError on one that has no launcher."""
    launcher = current_launcher()
    prefix = "musl-" if launcher.startswith("linux-") and _libc_is_musl() else ""
    return find_platform(f"{prefix}{launcher}")


def current_launcher() -> str:
    """The launcher of the platform czscie runs on; asks nothing but the standard library."""
    system = {"linux": "linux", "darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    machine = _host.machine().lower()
    arch = {"amd64": "x86_64", "arm64": "aarch64", "ppc64le": "powerpc64"}.get(machine, machine)
    return f"{system}-{arch}"


def _libc_is_musl() -> bool:
    """Whether this interpreter runs on musl, by its wheel tags (PEP 656)."""
    from packaging import tags

    return any(tag.startswith("musllinux_") for tag in tags.platform_tags())
