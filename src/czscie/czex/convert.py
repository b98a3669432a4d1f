"""Converts a PEX for one target: reads it, resolves it, lays out an environment, writes a CZEX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from czscie.container.plan import Plan
from czscie.czex.entry_override import scripts_of, with_entry_point
from czscie.czex.info import PexInfo
from czscie.czex.layer_split import LayerSplit, projects_of_application
from czscie.czex.pex import Pex
from czscie.czex.resolve import WheelSelection, resolve
from czscie.czex.start import boot_file
from czscie.czex.windows_options import WindowsOptions
from czscie.czex.write import CzexContents, InstalledInterpreter, write_czex
from czscie.elf import ElfError
from czscie.errors import Code, CzscieError
from czscie.pbs.distribution import glibc_floor
from czscie.platforms import ANY_GLIBC, GlibcVersion
from czscie.progress import Count, no_count
from czscie.sbom.component import Component
from czscie.sbom.packages import wheel_components
from czscie.wheel.findings import finding
from czscie.wheel.script_launchers import ScriptLaunchers
from czscie.wheel.venv_layout import Installed, describe, venv_items
from czscie.wheel.wheel import Wheel

if TYPE_CHECKING:
    from czscie.pack.payload import Packing


@dataclass(frozen=True, slots=True)
class Converted:
    """A written CZEX.

    `components` are its wheels as a bill of materials lists them, `required` those that the PEX asks for.
    `own` are the file names of the wheels that are the application's own, when it was divided.
    `script_launchers` are what its scripts were given on Windows. `scripts` are the scripts of the wheels by
    their names, each with its entry point, or "" when it is a file. `modules` is the number of those that are
    packed, `staying` of those that stay files for a reason.
    """

    info: PexInfo
    plan: Plan
    glibc: GlibcVersion | None
    description: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    components: tuple[Component, ...]
    required: tuple[str, ...]
    own: tuple[str, ...] = ()
    script_launchers: tuple[Component, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    modules: int = 0
    staying: int = 0


@dataclass(frozen=True, slots=True)
class Conversion:
    """What to make of a PEX: a CZEX for `interpreter`.

    `level` is zstd's; `glibc` is the newest that wheels may ask for; `entry_point` replaces the PEX's own.
    `packing` says how modules are packed; without it they are files and nothing else. With `division` no
    entry has both the application's own files and those of its dependencies. Those of `provisions` are added
    whose projects the PEX does not bring itself. `windows` is what the environment gets there. `count` counts
    the modules that are compiled, and then the bytes that are compressed.
    """

    interpreter: InstalledInterpreter
    level: int
    glibc: GlibcVersion = ANY_GLIBC
    entry_point: str | None = None
    packing: Packing | None = None
    division: LayerSplit | None = None
    provisions: Sequence[Wheel] = ()
    windows: WindowsOptions | None = None
    count: Count = no_count


class GlibcFloor(msgspec.Struct, frozen=True):
    """The oldest glibc that a wheel runs with; None if it needs none."""

    glibc: GlibcVersion | None


def convert(path: Path, output: Path, conversion: Conversion) -> Converted:
    """Writes the PEX at `path` to `output` as a CZEX.

    Raises CzscieError when the PEX cannot be read or does not hold what the target needs.
    """
    interpreter, windows = conversion.interpreter, conversion.windows or WindowsOptions()
    packing, division = conversion.packing, conversion.division
    with Pex.open(path) as pex:
        _refuse_pex_paths(pex)
        resolution = resolve(pex, interpreter.platform, interpreter.layout.implementation, conversion.glibc)
        needs = resolution.needs
        resolution = _with(conversion.provisions, resolution)
        info = pex.info
        if conversion.entry_point is not None:
            info = with_entry_point(info, resolution.wheels, conversion.entry_point, pex.sources)
        own = None if division is None else division.own(resolution.wheels, pex.sources, info)
        launchers = None
        if windows.script_launchers is not None:
            options = " -I" if info.venv_hermetic_scripts else ""
            launchers = ScriptLaunchers.read(windows.script_launchers, interpreter.platform, options)
        items = venv_items(
            resolution.wheels, pex.sources, interpreter.layout, interpreter.platform, launchers
        )
        has_scripts = any(each.origin == "generated" and each.executable for each in items.placements)
        warnings = [
            f"{collision.destination} of {describe(collision.refused)} is left out: "
            f"{describe(collision.taken)} has another file of that name"
            for collision in items.collisions
        ]
        warnings += [
            f"{missing.requirement} is missing, and the PEX ignores missing requirements"
            for missing in resolution.missing
        ]
        installed = Installed(items.placements)
        if packing is not None:
            site_packages = interpreter.layout.site_packages
            application = projects_of_application(resolution.wheels, needs, info)
            installed = packing.pack(items.placements, site_packages, application, own, conversion.count)
            installed = replace(installed, packs=(*installed.packs, packing.cached(boot_file())))
        contents = CzexContents(info, resolution.wheels, pex.sources, installed, own)
        plan = write_czex(contents, interpreter, output, conversion.level, windows, conversion.count)
        floor = _glibc(resolution.wheels) if interpreter.platform.libc == "gnu" else None
        return Converted(
            info,
            plan,
            floor,
            _describe(resolution, len(pex.sources)),
            installed.notes,
            tuple(warnings),
            wheel_components(resolution.wheels, resolution.needs, installed.reasons),
            tuple(sorted(resolution.needs.get("", ()))),
            tuple(sorted(wheel.filename for wheel in own or ())),
            wheel_components([launchers.wheel], {}) if launchers is not None and has_scripts else (),
            scripts_of(resolution.wheels),
            installed.modules,
            installed.staying,
        )


def _with(provisions: Sequence[Wheel], resolution: WheelSelection) -> WheelSelection:
    own = {wheel.project for wheel in resolution.wheels}
    added = tuple(wheel for wheel in provisions if wheel.project not in own)
    projects = frozenset(wheel.project for wheel in added)
    needs = {**resolution.needs, **dict.fromkeys(projects, frozenset[str]())}
    needs[""] = needs.get("", frozenset()) | projects
    return replace(resolution, wheels=(*resolution.wheels, *added), needs=needs)


def _refuse_pex_paths(pex: Pex) -> None:
    if pex.info.pex_paths:
        raise CzscieError(
            f"{pex.path.name} merges other PEXes at run time",
            code=Code.PEX_INVALID,
            why=f"its PEX-INFO names {', '.join(pex.info.pex_paths)}",
            hint="build one PEX from them: pex --requirements-pex OTHER.pex …",
        )


def _glibc(wheels: tuple[Wheel, ...]) -> GlibcVersion | None:
    floors = map(_glibc_of, wheels)
    return max((floor for floor in floors if floor is not None), default=None)


def _glibc_of(wheel: Wheel) -> GlibcVersion | None:
    """What one wheel needs; that of a wheel file is kept in the cache."""

    def find() -> GlibcFloor:
        try:
            return GlibcFloor(glibc_floor(wheel.members, wheel.filename))
        except ElfError:  # data that merely looks like a program of this kind
            return GlibcFloor(None)

    return finding(wheel, GlibcFloor, find).glibc


def _describe(resolution: WheelSelection, sources: int) -> str:
    parts = [_count(len(resolution.wheels), "wheel")]
    if sources:
        parts.append(_count(sources, "source file"))
    if resolution.left_out:
        parts.append(f"{_count(len(resolution.left_out), 'wheel')} left out")
    return ", ".join(parts)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
