"""A launcher with the resources and the subsystem of a lift."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from czscie import pe
from czscie.errors import Code, CzscieError
from czscie.lift.lift import Lift
from czscie.platforms import Platform
from czscie.windows.application_manifest import manifest_resource
from czscie.windows.icon import read_icon
from czscie.windows.resources import Resource, section
from czscie.windows.version import version_resource


def shape(launcher: Path, lift: Lift) -> bytes:
    """The Windows launcher at `launcher` as `lift` wants it. Raises CzscieError."""
    image = launcher.read_bytes()
    try:
        rsrc = section(_resources(lift), pe.next_section(image))
        return pe.shaped(image, rsrc, windowed=lift.windowed)
    except pe.PeError as error:
        raise CzscieError(
            f"cannot write resources into the launcher {launcher}",
            code=Code.LAUNCHER_UNUSABLE,
            why=str(error),
            hint="czscie cache clean launchers compiles it again",
        ) from error


def check_windows(lift: Lift, targets: Sequence[Platform]) -> None:
    """Raises CzscieError for a `lift` that `shape` would reject, before anything is built."""
    if lift.windows.icon is not None and any(target.os == "windows" for target in targets):
        read_icon(lift.windows.icon)


def _resources(lift: Lift) -> list[Resource]:
    settings = lift.windows
    found = [manifest_resource(settings.execution_level, settings.dpi_awareness)]
    if settings.icon is not None:
        found += read_icon(settings.icon)
    if settings.has_version:
        version = settings.version or "0"
        strings = {
            "CompanyName": settings.company,
            "FileDescription": settings.description or lift.description or lift.name,
            "FileVersion": version,
            "InternalName": lift.name,
            "LegalCopyright": settings.copyright,
            "OriginalFilename": f"{lift.name}.exe",
            "ProductName": settings.product or lift.name,
            "ProductVersion": version,
        }
        found.append(version_resource(version, {name: text for name, text in strings.items() if text}))
    return found
