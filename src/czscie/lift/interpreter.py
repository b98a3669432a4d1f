"""The interpreters of a manifest, their providers, and groups of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Protocol

from czscie.lift.problem import one_of, quoted
from czscie.lift.table import IDENTIFIER, SOMETHING, URL, Shape, Table
from czscie.platforms import Platform

_CPYTHON_VERSION = Shape.of(
    'a string such as "3.13", "3.13.9" or "3.15.0rc1", with t, d or td at its end for special builds',
    r"3\.[0-9]+(\.[0-9]+((a|b|rc)[0-9]+)?)?(t|d|td|dt)?",
)
_PYPY_VERSION = Shape.of('a string such as "3.11"', r"[23]\.[0-9]+")
#: PyPys without the environments that payloads are in.
_BEFORE_VENV = re.compile(r"2\.[0-9]+|3\.[0-7]")
_RELEASE = Shape.of('a string of eight digits, YYYYMMDD, such as "20261021"', r"[0-9]{8}")
_PYPY_RELEASE = Shape.of('a string such as "v7.3.20"', r"v[0-9]+\.[0-9]+\.[0-9]+(rc[0-9]+)?")
_OPTIMIZATIONS = ("debug", "noopt", "lto", "pgo", "pgo+lto")
_FLAVOR = Shape.of(
    '"install_only", "install_only_stripped", "full" or the options of a full build, as in "pgo+lto-full"',
    r"(freethreaded-)?(install_only|install_only_stripped|full)"
    r"|(freethreaded\+)?(debug|noopt|lto|pgo|pgo\+lto)(\+static)?-full",
    *("install_only", "install_only_stripped", "full"),
    *(f"{optimization}-full" for optimization in _OPTIMIZATIONS),
)
DEFAULT_FLAVOR = "install_only_stripped"
_LIBCS = ("gnu", "musl")
#: The word that keeps every part.
ALL = "all"
#: The parts of a CPython that are left out unless `keep` names them (czscie.pbs.prune).
PARTS = (
    "terminfo",
    "terminals",
    "libpython",
    "headers",
    "tcltk",
    "idlelib",
    "pip",
    "setuptools",
    "ensurepip",
    "lib2to3",
    "dbm",
    "topics",
    "manual",
    "tests",
    "symbols",
)
_KEPT = (*PARTS, ALL)
_PART = Shape.among(one_of(_KEPT), _KEPT)


class Interpreter(Protocol):
    """One element of `lift.interpreters`, of any provider.

    `PROVIDER` is its name in the manifest, `FILES` are the files that placeholders may name. An interpreter
    `OF_THIS_MACHINE` is read whenever a lock is compared, and never downloaded. `IS_PACKED` is whether the
    modules that it imports can be packed.
    """

    PROVIDER: ClassVar[str]
    FILES: ClassVar[tuple[str, ...]]
    OF_THIS_MACHINE: ClassVar[bool]
    IS_PACKED: ClassVar[bool]

    @property
    def id(self) -> str: ...
    @property
    def keep(self) -> tuple[str, ...]: ...
    @property
    def lazy(self) -> bool: ...
    @property
    def can_be_fetched(self) -> bool:
        """Whether its archive can be installed as it is (native/src/fetch/archive.zig)."""
        ...

    @property
    def libc(self) -> str | None:
        """The libc that the manifest names for it; None for its platform's."""
        ...

    @property
    def asked(self) -> Mapping[str, str | Path | None]:
        """The keys that a lock answers, and their values."""
        ...

    def like(self, version: str, release: str | None, flavor: str | None) -> Interpreter:
        """The one that is the same as another that was found; itself where that cannot be asked for."""
        ...

    def with_laziness(self, lazy: bool) -> Interpreter:
        """The same, fetched at a start or embedded; itself where it is of this machine."""
        ...

    def no_payload_on(self, platform: Platform) -> tuple[str, str] | None:
        """The key that keeps it from running a payload on `platform`, and what is allowed instead."""
        ...


@dataclass(frozen=True, slots=True)
class PythonBuildStandalone:
    """A CPython of python-build-standalone.

    `version` may end in t, d or td, which select free-threaded and debug builds whatever the `flavor`.
    `release` defaults to the newest. `keep` names parts (czscie.pbs.prune) that are not left out. `base_url`
    are mirrors, tried in order.
    """

    PROVIDER: ClassVar[str] = "PythonBuildStandalone"
    FILES: ClassVar[tuple[str, ...]] = ("python", "pip")
    OF_THIS_MACHINE: ClassVar[bool] = False
    IS_PACKED: ClassVar[bool] = True

    id: str
    version: str
    release: str | None
    flavor: str
    libc: str | None
    base_url: tuple[str, ...]
    lazy: bool
    keep: tuple[str, ...] = ()

    @property
    def asked(self) -> Mapping[str, str | Path | None]:
        return {"version": self.version, "release": self.release, "flavor": self.flavor}

    @property
    def can_be_fetched(self) -> bool:
        return not self.flavor.endswith("full") and not self.version.endswith(("d", "dt"))

    def like(self, version: str, release: str | None, flavor: str | None) -> PythonBuildStandalone:
        return replace(self, version=version, release=release, flavor=flavor or self.flavor)

    def with_laziness(self, lazy: bool) -> PythonBuildStandalone:
        return replace(self, lazy=lazy)

    def no_payload_on(self, platform: Platform) -> tuple[str, str] | None:
        if platform.libc and self.libc not in (None, platform.libc):
            return "libc", f"no libc, as the payload is for {platform.name}: name the libc in platforms"
        return None

    @classmethod
    def read(cls, table: Table, identifier: str, directory: Path) -> PythonBuildStandalone:
        version = table.text("version", _CPYTHON_VERSION)
        release = table.optional_text("release", _RELEASE)
        return cls(
            id=identifier,
            version=version,
            release=release,
            flavor=_read_flavor(table, version),
            libc=table.optional_choice("libc", _LIBCS),
            base_url=table.one_or_more("base_url", URL),
            lazy=table.flag("lazy"),
            keep=_read_keep(table),
        )


@dataclass(frozen=True, slots=True)
class PyPy:
    """A PyPy of the PyPy project.

    `version` is the minor version of Python (`3.11`), `release` PyPy's own (`v7.3.20`), by default the newest
    with that version. `keep` and `base_url` are as for python-build-standalone.
    """

    PROVIDER: ClassVar[str] = "PyPy"
    FILES: ClassVar[tuple[str, ...]] = ("python", "pypy")
    OF_THIS_MACHINE: ClassVar[bool] = False
    IS_PACKED: ClassVar[bool] = False
    can_be_fetched: ClassVar[bool] = False
    libc: ClassVar[str | None] = None

    id: str
    version: str
    release: str | None
    base_url: tuple[str, ...]
    lazy: bool
    keep: tuple[str, ...] = ()

    @property
    def asked(self) -> Mapping[str, str | Path | None]:
        return {"version": self.version, "release": self.release}

    def like(self, version: str, release: str | None, flavor: str | None) -> PyPy:
        return replace(self, version=".".join(version.split(".")[:2]), release=release)

    def with_laziness(self, lazy: bool) -> PyPy:
        return replace(self, lazy=lazy)

    def no_payload_on(self, platform: Platform) -> tuple[str, str] | None:
        if _BEFORE_VENV.fullmatch(self.version) is not None:
            return "version", '"3.8" or newer, as it runs the payload'
        if platform.os == "windows":
            return "provider", f"another provider, as PyPy cannot run the payload for {platform.name}"
        return None

    @classmethod
    def read(cls, table: Table, identifier: str, directory: Path) -> PyPy:
        return cls(
            id=identifier,
            version=table.text("version", _PYPY_VERSION),
            release=table.optional_text("release", _PYPY_RELEASE),
            base_url=table.one_or_more("base_url", URL),
            lazy=table.flag("lazy"),
            keep=_read_keep(table),
        )


@dataclass(frozen=True, slots=True)
class Host:
    """The CPython that runs czscie."""

    PROVIDER: ClassVar[str] = "Host"
    FILES: ClassVar[tuple[str, ...]] = ("python",)
    OF_THIS_MACHINE: ClassVar[bool] = True
    IS_PACKED: ClassVar[bool] = True
    can_be_fetched: ClassVar[bool] = False
    lazy: ClassVar[bool] = False
    libc: ClassVar[str | None] = None

    id: str
    keep: tuple[str, ...] = ()

    @property
    def asked(self) -> Mapping[str, str | Path | None]:
        return {}

    def like(self, version: str, release: str | None, flavor: str | None) -> Host:
        return self

    def with_laziness(self, lazy: bool) -> Host:
        return self

    def no_payload_on(self, platform: Platform) -> tuple[str, str] | None:
        return None

    @classmethod
    def read(cls, table: Table, identifier: str, directory: Path) -> Host:
        return cls(identifier, _read_keep(table))


@dataclass(frozen=True, slots=True)
class Local:
    """A CPython in a directory or an archive on the build machine."""

    PROVIDER: ClassVar[str] = "Local"
    FILES: ClassVar[tuple[str, ...]] = ("python",)
    OF_THIS_MACHINE: ClassVar[bool] = True
    IS_PACKED: ClassVar[bool] = True
    can_be_fetched: ClassVar[bool] = False
    lazy: ClassVar[bool] = False
    libc: ClassVar[str | None] = None

    id: str
    path: Path
    keep: tuple[str, ...] = ()

    @property
    def asked(self) -> Mapping[str, str | Path | None]:
        return {"path": self.path}

    def like(self, version: str, release: str | None, flavor: str | None) -> Local:
        return self

    def with_laziness(self, lazy: bool) -> Local:
        return self

    def no_payload_on(self, platform: Platform) -> tuple[str, str] | None:
        return None

    @classmethod
    def read(cls, table: Table, identifier: str, directory: Path) -> Local:
        return cls(identifier, table.path("path", directory), _read_keep(table))


KINDS = (PythonBuildStandalone, Host, Local, PyPy)
_READERS: Mapping[str, Callable[[Table, str, Path], Interpreter]] = {
    kind.PROVIDER: kind.read for kind in KINDS
}
_NAMES = tuple(_READERS)
_PROVIDER = Shape.among(f"{one_of(_NAMES)} (GraalPy and plugins of science are not supported)", _NAMES)


_MEMBERS = "the ids of at least two interpreters"


@dataclass(frozen=True, slots=True)
class InterpreterGroup:
    """Interpreters of which `selector` chooses one, by its id, when the scie starts."""

    id: str
    selector: str
    members: tuple[str, ...]

    @classmethod
    def read(cls, table: Table) -> InterpreterGroup:
        identifier = table.text("id", IDENTIFIER)
        selector = table.text("selector", SOMETHING)
        members = table.texts("members", may_be_empty=False)
        table.require("members", _MEMBERS)
        if len(set(members)) == 1:
            table.reject("members", allowed=_MEMBERS)
        table.finish()
        return cls(identifier, selector, members)


def read_interpreter(table: Table, directory: Path) -> Interpreter:
    """One element of `lift.interpreters`. Its `provider` determines the other keys."""
    identifier = table.text("id", IDENTIFIER)
    interpreter = table.variant("provider", _PROVIDER, _READERS, identifier, directory)
    if interpreter is None:
        # Nobody can say which keys are known: a stand-in that no build will see.
        return PythonBuildStandalone(identifier, "", None, "", None, (), False)
    table.finish()
    return interpreter


def _read_keep(table: Table) -> tuple[str, ...]:
    return table.texts("keep", _PART)


def _read_flavor(table: Table, version: str) -> str:
    flavor = table.optional_text("flavor", _FLAVOR)
    if flavor is not None and version.endswith(("d", "dt")):
        table.reject("flavor", allowed=f"no flavor, as the version {quoted(version)} asks for a debug build")
    return flavor or DEFAULT_FLAVOR
