"""The interpreters of a manifest: where each comes from, and groups of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from czscie.lift.problem import one_of, quoted
from czscie.lift.table import IDENTIFIER, SOMETHING, URL, Shape, Table
from czscie.pbs.prune import ALL, PARTS

_CPYTHON_VERSION = Shape.of(
    'a string such as "3.13", "3.13.9" or "3.15.0rc1", with t, d or td at its end for special builds',
    r"3\.[0-9]+(\.[0-9]+((a|b|rc)[0-9]+)?)?(t|d|td|dt)?",
)
_PYPY_VERSION = Shape.of('a string such as "3.11"', r"[23]\.[0-9]+")
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
_DEFAULT_FLAVOR = "install_only_stripped"
_LIBCS = ("gnu", "musl")
_KEPT = (*PARTS, ALL)
_PART = Shape(one_of(_KEPT), _KEPT.__contains__, _KEPT)


@dataclass(frozen=True, slots=True)
class PythonBuildStandalone:
    """A CPython of python-build-standalone.

    `version` may end in t, d or td, which ask for free-threaded and debug builds whatever the `flavor`.
    Without `release` the newest one is meant. `keep` names parts (czscie.pbs.prune) that are not left out.
    `base_url` are mirrors, asked in their order.
    """

    FILES: ClassVar[tuple[str, ...]] = ("python", "pip")

    id: str
    version: str
    release: str | None
    flavor: str
    libc: str | None
    base_url: tuple[str, ...]
    lazy: bool
    keep: tuple[str, ...] = ()

    @classmethod
    def read(cls, table: Table, identifier: str) -> PythonBuildStandalone:
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
    """science's provider of PyPy, which this version reads but cannot build with."""

    FILES: ClassVar[tuple[str, ...]] = ("python", "pypy")

    id: str
    version: str
    release: str | None
    base_url: str | None
    lazy: bool
    keep: tuple[str, ...] = ()

    @classmethod
    def read(cls, table: Table, identifier: str) -> PyPy:
        return cls(
            id=identifier,
            version=table.text("version", _PYPY_VERSION),
            release=table.optional_text("release", _PYPY_RELEASE),
            base_url=table.optional_text("base_url", URL),
            lazy=table.flag("lazy"),
        )


@dataclass(frozen=True, slots=True)
class Host:
    """The CPython that runs czscie."""

    FILES: ClassVar[tuple[str, ...]] = ("python",)

    id: str
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Local:
    """A CPython in a directory or an archive on the build machine."""

    FILES: ClassVar[tuple[str, ...]] = ("python",)

    id: str
    path: Path
    keep: tuple[str, ...] = ()


Interpreter = PythonBuildStandalone | PyPy | Host | Local

PROVIDERS = ("PythonBuildStandalone", "Host", "Local", "PyPy")


@dataclass(frozen=True, slots=True)
class InterpreterGroup:
    """Interpreters of which one is chosen when the scie starts: the one that `selector` gives the id of."""

    id: str
    selector: str
    members: tuple[str, ...]

    @classmethod
    def read(cls, table: Table) -> InterpreterGroup:
        identifier = table.text("id", IDENTIFIER)
        selector = table.text("selector", SOMETHING)
        members = table.texts("members", may_be_empty=False)
        if "members" not in table or len(set(members)) == 1:
            table.reject("members", allowed="the ids of at least two interpreters")
        table.finish()
        return cls(identifier, selector, members)


def read_interpreter(table: Table, directory: Path) -> Interpreter:
    """One element of `lift.interpreters`; its `provider` says what else the table may hold."""
    identifier = table.text("id", IDENTIFIER)
    interpreter: Interpreter
    match table.choice("provider", PROVIDERS):
        case "PythonBuildStandalone":
            interpreter = PythonBuildStandalone.read(table, identifier)
        case "PyPy":
            interpreter = PyPy.read(table, identifier)
        case "Host":
            interpreter = Host(identifier, _read_keep(table))
        case "Local":
            interpreter = Local(identifier, table.path("path", directory), _read_keep(table))
        case _:
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
    return flavor or _DEFAULT_FLAVOR
