"""The places of a CZEX's files in an environment whose Python is not known yet."""

from __future__ import annotations

from dataclasses import dataclass, replace

from czscie.container.content import Data, File
from czscie.container.plan import Slice
from czscie.platforms import find_platform
from czscie.wheel.venv_layout import Directories, Placement, spread
from czscie.wheel.wheel import Wheel

#: Stands for every environment: the version is put in where it is installed.
ANYWHERE = Directories(
    find_platform("linux-x86_64"), "lib/python0.0/site-packages", headers="include/site/python0.0"
)

#: `mode` of a file: 0644, 0755, or a script that gets a first line.
PLAIN, EXECUTABLE, SCRIPT = range(3)


@dataclass(frozen=True, slots=True)
class PlacedFile:
    """A file at `path` below a directory of the environment.

    `scheme` says which: `p` site-packages, `h` the headers of Python, `r` the environment itself.
    """

    scheme: str
    path: str
    content: Slice
    mode: int = PLAIN


def place_wheel(wheel: Wheel) -> tuple[Placement, ...]:
    """The places of one wheel's files and of those that installers add. RECORD has no versioned path."""
    placements = []
    for placement in spread([wheel], (), ANYWHERE).placements:
        if placement.origin == "generated" and placement.destination.endswith(".dist-info/RECORD"):
            lines = placement.member.content.read().splitlines(keepends=True)
            kept = b"".join(line for line in lines if f"{ANYWHERE.headers}/".encode() not in line)
            placement = replace(placement, member=File(placement.member.path, Data(kept)))
        placements.append(placement)
    return tuple(placements)


def placed(placement: Placement, content: Slice) -> PlacedFile:
    """The placement with the place of its member's bytes."""
    scheme, path = split(placement.destination)
    mode = SCRIPT if placement.kind == "script" else EXECUTABLE if placement.executable else PLAIN
    return PlacedFile(scheme, path, content.without(placement.skip), mode)


def split(destination: str) -> tuple[str, str]:
    """The scheme and the path of a destination that `place_wheel` names."""
    for scheme, directory in (("p", f"{ANYWHERE.site_packages}/"), ("h", f"{ANYWHERE.headers}/")):
        if destination.startswith(directory):
            return scheme, destination[len(directory) :]
    return "r", destination
