"""Writes a CZEX for one target: the wheels it needs, the user's sources, and the plan of an environment.

Each wheel keeps its name below `.deps` and its bytes depend on nothing but itself: equal wheels are equal
entries in whatever CZEX.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from czscie.container.content import Data, File
from czscie.container.packer import Packer
from czscie.container.plan import Plan, PlannedEntry, PlannedFile, PlannedLink, Slice
from czscie.czex.info import PexInfo
from czscie.czex.start import Start, environment_files, pyvenv_configuration
from czscie.czex.windows_options import WindowsOptions
from czscie.filesystem import write_atomically
from czscie.pbs.distribution import Layout
from czscie.platforms import Platform
from czscie.progress import Count, no_count
from czscie.wheel.venv_layout import Installed, Placement
from czscie.wheel.wheel import Wheel

_CONFIGURATION = "pyvenv.cfg"
#: Begins the names of entries with what was made for wheels that are not the application's own.
OF_DEPENDENCIES = ".czscie/dependencies"


@dataclass(frozen=True, slots=True)
class InstalledInterpreter:
    """The base of the virtual environment: an installation of the launcher's.

    `source` is the SHA-256 of the archive that it is from, if it is from one.
    """

    digest: str
    layout: Layout
    platform: Platform
    source: str | None = None

    @property
    def scripts(self) -> str:
        """The environment's directory of programs."""
        return "Scripts" if self.platform.os == "windows" else "bin"

    @property
    def python(self) -> str:
        """The environment's own Python."""
        return f"{self.scripts}/python{self.platform.executable_suffix}"

    @property
    def windowed_python(self) -> str:
        """The same for programs that get no console. Only Windows tells them apart."""
        return f"{self.scripts}/pythonw.exe" if self.platform.os == "windows" else self.python


@dataclass(frozen=True, slots=True)
class CzexContents:
    """What goes into a CZEX. `installed` says where the members of `wheels` and `sources` go.

    With `own`, the wheels that are the application's own, no entry has files both of these and of others.
    """

    info: PexInfo
    wheels: Sequence[Wheel]
    sources: Sequence[File]
    installed: Installed
    own: Collection[Wheel] | None = None


def write_czex(
    contents: CzexContents,
    interpreter: InstalledInterpreter,
    path: Path,
    level: int,
    windows: WindowsOptions | None = None,
    count: Count = no_count,
) -> Plan:
    """Writes the CZEX to `path` and returns the plan of its virtual environment.

    `level` is zstd's. `windows` is what the environment gets there. `count` counts the bytes.
    """
    info, installed, own = contents.info, contents.installed, contents.own
    windows = windows or WindowsOptions()
    packer = Packer(level, kept=True, count=count)
    slices: dict[tuple[object, str], Slice] = {}
    for wheel in sorted(contents.wheels, key=lambda wheel: wheel.filename):
        name = f".deps/{wheel.filename}"
        added = packer.add(f"{name}/", wheel.members, whole=name)
        slices |= {(wheel, member): where for member, where in added.items()}
    if contents.sources:
        added = packer.add(".czscie/sources/", contents.sources, whole=".czscie/sources.zip")
        slices |= {("sources", member): where for member, where in added.items()}

    start = Start(
        info,
        has_setproctitle=any(wheel.project == "setproctitle" for wheel in contents.wheels),
        certificates=_certificates(installed.placements, interpreter),
        more=windows.start,
    )
    together = [*environment_files(start, interpreter.layout.site_packages), *installed.packs]
    together += [replace(file, path=f"{interpreter.scripts}/{file.path}") for file in windows.redirectors]
    apart = list(installed.dependency_packs)
    made = (*together, *apart)
    links = _links(interpreter)
    taken = {_CONFIGURATION, *(file.path for file in made), *(link.path for link in links)}
    placements = [placement for placement in installed.placements if placement.destination not in taken]
    together.append(File(_CONFIGURATION, Data(_configuration(info, interpreter))))
    for placement in placements:
        if placement.origin == "generated":
            of_dependency = own is not None and placement.wheel is not None and placement.wheel not in own
            file = replace(placement.member, path=placement.destination)
            (apart if of_dependency else together).append(file)
    for name, files_of in ((OF_DEPENDENCIES, apart), (".czscie/venv", together)):
        added = packer.add(f"{name}/", files_of, whole=f"{name}.zip") if files_of else {}
        slices |= {("generated", member): where for member, where in added.items()}

    hermetic = " -I" if info.venv_hermetic_scripts else ""
    files = [
        PlannedFile(
            placement.destination,
            _slice(placement, slices),
            placement.kind,
            placement.executable,
            interpreter.python + hermetic if placement.kind == "script" else "",
        )
        for placement in placements
    ]
    files += [
        PlannedFile(file.path, slices["generated", file.path], executable=file.executable) for file in made
    ]
    files.append(PlannedFile(_CONFIGURATION, slices["generated", _CONFIGURATION], "fill"))
    site_packages = interpreter.layout.site_packages

    def plan(entries: tuple[PlannedEntry, ...]) -> Plan:
        return Plan(entries, tuple(files), links, (site_packages,))

    main = resources.files("czscie.czex.bootstrap").joinpath("scie_main.py").read_bytes()
    stored = [("__main__.py", main), ("PEX-INFO", info.render())]
    return write_atomically(path, lambda stream: packer.write(stream, plan, stored))


def _certificates(placements: Sequence[Placement], interpreter: InstalledInterpreter) -> str | None:
    """Where certifi's certificates are in the environment, if they are and Python reads such a file."""
    path = f"{interpreter.layout.site_packages}/certifi/cacert.pem"
    if interpreter.platform.os == "windows":
        return None
    return next((path for placement in placements if placement.destination == path), None)


def _slice(placement: Placement, slices: dict[tuple[object, str], Slice]) -> Slice:
    if placement.origin == "generated":
        return slices["generated", placement.destination]
    return slices[placement.origin, placement.member.path].without(placement.skip)


def _configuration(info: PexInfo, interpreter: InstalledInterpreter) -> bytes:
    name = interpreter.platform.installed_name(interpreter.digest)
    return pyvenv_configuration(interpreter.layout, name, info.venv_system_site_packages)


def _links(interpreter: InstalledInterpreter) -> tuple[PlannedLink, ...]:
    """The environment's `python` and its other names: relative, so that a base directory can be moved."""
    if interpreter.platform.os == "windows":
        return ()
    layout = interpreter.layout
    home = f"../../../interpreters/{interpreter.digest}"
    links = [PlannedLink(interpreter.python, f"{home}/{layout.python}")]
    links += [PlannedLink(f"bin/{name}", "python") for name in layout.implementation.commands]
    if layout.library:
        # macOS looks for it beside the link that the executable is started by, as PyPy's own venv knows.
        links.append(PlannedLink(f"bin/{posixpath.basename(layout.library)}", f"{home}/{layout.library}"))
    return tuple(links)
