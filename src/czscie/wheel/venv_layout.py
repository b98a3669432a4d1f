"""The places of the files of wheels and the user's sources in a virtual environment.

As PEP 427 and pip spread wheels, and in pex's order: where two provide one path the user's sources win over
wheels and earlier wheels over later ones (`pex/venv/installer.py`).
"""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from czscie.container.content import Data, File
from czscie.container.paths import check_together, folded
from czscie.errors import Code, CzscieError
from czscie.pbs.distribution import Layout
from czscie.platforms import Platform
from czscie.wheel.entry_points import EntryPoint
from czscie.wheel.record import UNKNOWN, parse_record, render_record
from czscie.wheel.script import shebang_length
from czscie.wheel.script_launchers import ScriptLaunchers
from czscie.wheel.wheel import Wheel, is_script_path

#: Where a file comes from: a wheel, the PEX's own files, or nowhere (czscie made it).
Origin = Wheel | Literal["sources", "generated"]

Kind = Literal["file", "script"]

_CALL = """\
# -*- coding: utf-8 -*-
import sys
from {module} import {name}

if __name__ == "__main__":
{argv}    sys.exit({attribute}())
"""

_RUN = """\
# -*- coding: utf-8 -*-
import runpy
import sys

if __name__ == "__main__":
{argv}    runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
"""

#: Windows starts no file without an extension, and users do not type it.
_WINDOWS_ARGV = """\
    if sys.argv[0].endswith({suffix!r}):
        sys.argv[0] = sys.argv[0][: -len({suffix!r})]
"""


@dataclass(frozen=True, slots=True)
class Placement:
    """One file of the virtual environment: `member` of `origin`, at `destination` below its root.

    A `script` gets a first line that starts the environment's Python in place of its first `skip` bytes.
    `wheel` is the one that a file was generated for.
    """

    destination: str
    origin: Origin
    member: File
    kind: Kind = "file"
    skip: int = 0
    wheel: Wheel | None = None

    @property
    def executable(self) -> bool:
        return self.kind == "script" or self.member.executable

    @property
    def source(self) -> Origin:
        """The origin, or the wheel that the file was generated for."""
        return self.wheel or self.origin


@dataclass(frozen=True, slots=True)
class Collision:
    """A path that several provide with different contents: `taken` got it, `refused` did not."""

    destination: str
    taken: Origin
    refused: Origin


@dataclass(frozen=True, slots=True)
class VenvItems:
    """`placements` are sorted by destination, `collisions` by destination too."""

    placements: tuple[Placement, ...]
    collisions: tuple[Collision, ...]


@dataclass(frozen=True, slots=True)
class Installed:
    """What the virtual environment gets: `placements`, and `packs` of modules that are not among them.

    `dependency_packs` hold modules of wheels that are not the application's own. `notes` are lines for the
    user. `modules` are packed, and `staying` are files for a reason: that of each project is in `reasons`.
    """

    placements: tuple[Placement, ...]
    packs: tuple[File, ...] = ()
    dependency_packs: tuple[File, ...] = ()
    notes: tuple[str, ...] = ()
    modules: int = 0
    staying: int = 0
    reasons: Mapping[str, str] = field(default_factory=dict)


def venv_items(
    wheels: Sequence[Wheel],
    sources: Sequence[File],
    layout: Layout,
    platform: Platform,
    launchers: ScriptLaunchers | None = None,
) -> VenvItems:
    """Spread `wheels` and the user's `sources` over a virtual environment of `layout` on `platform`: `spread`
    with the directories that it has. Raises CzscieError.
    """
    return spread(wheels, sources, Directories.of(layout, platform, launchers))


def spread(wheels: Sequence[Wheel], sources: Sequence[File], scheme: Directories) -> VenvItems:
    """Spread `wheels` and the user's `sources` over the directories `scheme` of a virtual environment.

    What installers add is added: scripts of entry points, and RECORDs that list the files at their places
    (rows of scripts have no digest: their first line is written on the user's machine). INSTALLER and
    REQUESTED are not: nothing needs them, and each would be a file more to create at the first start.
    Raises CzscieError for a wheel that names an unknown scheme, and for a path that one provides as a file
    and another as a directory.
    """
    own = [Placement(f"{scheme.site_packages}/{file.path}", "sources", file) for file in sources]
    claims = [(wheel, _claims(wheel, scheme)) for wheel in wheels]
    # Where the file system ignores case, two paths that differ in nothing else are one file.
    key = folded if scheme.platform.os in ("windows", "macos") else str
    taken: dict[str, Placement] = {}
    collisions: list[Collision] = []
    for placement in chain(own, *(placements for _, placements in claims)):
        winner = taken.setdefault(key(placement.destination), placement)
        if winner is not placement and not _same(winner, placement):
            collisions.append(Collision(winner.destination, winner.source, placement.source))
    _check_directories(taken)
    check_together((each.destination for each in taken.values()), "the payload", scheme.platform)
    for wheel, placements in claims:
        won = [placement for placement in placements if taken[key(placement.destination)] is placement]
        record = _installed_record(wheel, won, scheme)
        if taken[key(record.destination)].origin is wheel:
            taken[key(record.destination)] = record
    return VenvItems(
        tuple(sorted(taken.values(), key=lambda placement: placement.destination)),
        tuple(sorted(collisions, key=lambda collision: collision.destination)),
    )


@dataclass(frozen=True, slots=True)
class Directories:
    """Where things go in an environment on `platform`, relative to its root.

    `headers` has those of Python's extension modules, each distribution's in a directory of its own.
    `launchers` are for scripts on Windows, which are files that Python has to be started with otherwise.
    """

    platform: Platform
    site_packages: str
    headers: str
    launchers: ScriptLaunchers | None = None

    @classmethod
    def of(cls, layout: Layout, platform: Platform, launchers: ScriptLaunchers | None = None) -> Directories:
        headers = f"include/site/python{layout.implementation.minor_version}"
        return cls(platform, layout.site_packages, headers, launchers)

    @property
    def scripts(self) -> str:
        return "Scripts" if self.platform.os == "windows" else "bin"

    def script_suffix(self, *, gui: bool) -> str:
        """The suffix of the file of an entry point's script."""
        if self.platform.os != "windows":
            return ""
        return ".exe" if self.launchers is not None else f"-script.py{'w' if gui else ''}"

    def destination(self, wheel: Wheel, path: str) -> str:
        """The path of the wheel's file `path` in the environment."""
        top, _, rest = path.partition("/")
        if not top.endswith(".data"):
            return f"{self.site_packages}/{path}"
        scheme, _, rest = rest.partition("/")
        roots = {
            "purelib": self.site_packages,
            "platlib": self.site_packages,
            "scripts": self.scripts,
            "headers": f"{self.headers}/{wheel.project}",
            "data": "",
        }
        if scheme not in roots or not rest:
            raise CzscieError(
                f"{wheel.filename} has a file in an unknown scheme: {path}",
                code=Code.WHEEL_INVALID,
                why=f"the schemes of wheels are {', '.join(roots)}",
            )
        return posixpath.join(roots[scheme], rest)


def _claims(wheel: Wheel, scheme: Directories) -> list[Placement]:
    """The files of the wheel for the environment."""
    return [*(_place(wheel, member, scheme) for member in wheel.members), *_generated(wheel, scheme)]


def _place(wheel: Wheel, member: File, scheme: Directories) -> Placement:
    destination = scheme.destination(wheel, member.path)
    skip = shebang_length(member.content.read()) if is_script_path(member.path) else 0
    return Placement(destination, wheel, member, "script" if skip else "file", skip)


def _generated(wheel: Wheel, scheme: Directories) -> Iterator[Placement]:
    """The scripts of the wheel's entry points."""
    for points, gui in ((wheel.entry_points.console, False), (wheel.entry_points.gui, True)):
        suffix = scheme.script_suffix(gui=gui)
        for name, point in sorted(points.items()):
            destination = f"{scheme.scripts}/{name}{suffix}"
            content = _script(point, suffix)
            if scheme.launchers is not None:
                content = scheme.launchers.program(content, gui=gui)
            file = File(destination, Data(content), executable=True)
            kind: Kind = "script" if scheme.launchers is None else "file"
            yield Placement(destination, "generated", file, kind, wheel=wheel)


def _script(point: EntryPoint, suffix: str) -> bytes:
    """The code of an entry point's script, without the line that starts Python."""
    argv = _WINDOWS_ARGV.format(suffix=suffix) if suffix else ""
    if point.attribute is None:
        return _RUN.format(module=point.module, argv=argv).encode()
    name = point.attribute.partition(".")[0]
    return _CALL.format(module=point.module, name=name, attribute=point.attribute, argv=argv).encode()


def _same(one: Placement, other: Placement) -> bool:
    """Whether both have an equivalent file."""
    if one.member.content.size != other.member.content.size and not _is_package(one):
        return False
    first, second = one.member.content.read(), other.member.content.read()
    return first == second or (_is_package(one) and _equal_modules(first, second))


def _is_package(placement: Placement) -> bool:
    return posixpath.basename(placement.destination) == "__init__.py"


def _equal_modules(one: bytes, other: bytes) -> bool:
    """Whether two modules differ in comments and layout only: namespace packages are often such."""
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except (SyntaxError, ValueError):
        return False


def _check_directories(taken: Mapping[str, Placement]) -> None:
    for path, placement in taken.items():
        parent = path
        while parent := posixpath.dirname(parent):
            if parent in taken:
                raise CzscieError(
                    f"{taken[parent].destination} would be both a file and a directory",
                    code=Code.NAME_TAKEN,
                    why=f"{describe(taken[parent].source)} has the file, {describe(placement.source)} "
                    f"has {placement.destination}",
                )


def describe(origin: Origin) -> str:
    """The origin of a file in messages."""
    if isinstance(origin, Wheel):
        return origin.filename
    return {"sources": "the PEX's own files", "generated": "czscie"}[origin]


def _installed_record(wheel: Wheel, won: Sequence[Placement], scheme: Directories) -> Placement:
    """The wheel's RECORD as an installer writes it: of what is installed, relative to site-packages.

    It is the wheel's own where every file is where the wheel has it.
    """
    path = f"{wheel.dist_info}/RECORD"
    own = next(member for member in wheel.members if member.path == path)
    destination = scheme.destination(wheel, path)
    at_home = [f"{scheme.site_packages}/{placement.member.path}" for placement in won]
    if len(won) == len(wheel.members) and at_home == [placement.destination for placement in won]:
        return Placement(destination, wheel, own)
    recorded = parse_record(own.content.read().decode())
    rows = [
        (
            posixpath.relpath(placement.destination, scheme.site_packages),
            UNKNOWN if placement.kind == "script" else recorded.get(placement.member.path, UNKNOWN),
        )
        for placement in won
    ]
    record = File(destination, Data(render_record(sorted(rows))))
    return Placement(destination, "generated", record, wheel=wheel)
