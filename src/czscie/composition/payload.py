"""Where the entries of a CZEX belong."""

from __future__ import annotations

import re

from czscie.composition.accounts import CONTAINER
from czscie.composition.piece import Label, Place
from czscie.czex.catalogue import ENTRY_NAME as CATALOGUE
from czscie.sbom.read import Recorded

WHEEL = "wheel:"

#: What an installation has in place of others if it starts with the bundled C library.
LIBC_FILES = ".czscie/libc/"

_DEPS = ".deps/"
_PREFIXES = {
    ".czscie/sources/": "sources",
    ".czscie/venv/": "environment",
    ".czscie/dependencies/": "environment",
    LIBC_FILES: "libc",
    ".czscie/launchers/": "launchers",
    ".czscie/czscie_bootstrap/": "bootstrap",
    "__pex__/": "bootstrap",
}
#: What readers without zstd look for in the zip.
_PLAIN = ("__main__.py", "PEX-INFO")
#: The directories of a wheel whose files are installed beside those at its top.
_BESIDE = re.compile(r"[^/]+\.data/(?:pure|plat)lib/", re.DOTALL)


def payload_place(entry: str) -> tuple[Place, str | None]:
    """The place of the member `entry`, and the file name of its wheel if it has one."""
    if entry.startswith(_DEPS):
        wheel, _, path = entry.removeprefix(_DEPS).partition("/")
        return (f"{WHEEL}{project_of(wheel)}", *(path or wheel).split("/")), wheel
    for prefix, owner in _PREFIXES.items():
        if entry.startswith(prefix):
            return (owner, *entry.removeprefix(prefix).split("/")), None
    if entry in _PLAIN:
        return (CONTAINER, "For Python and pex", entry), None
    if entry == CATALOGUE:
        return (CONTAINER, "Catalogue"), None
    return ("other", *entry.split("/")), None


def project_of(wheel: str) -> str:
    """The normalised project in the file name of a wheel."""
    return re.sub(r"[-_.]+", "-", wheel.partition("-")[0]).lower()


def wheel_label(filename: str, recorded: Recorded | None) -> Label:
    """The label of a wheel: its project's own spelling, if that is `recorded`, and its version."""
    name, _, rest = filename.partition("-")
    version = rest.partition("-")[0]
    if recorded is not None:
        name, version = recorded.name, recorded.version or version
    return Label(name, "wheel", version)


def site_path(place: Place) -> str | None:
    """The path in site-packages of the file of a wheel or of the sources at `place`."""
    path = "/".join(place[1:])
    if place[0].startswith(WHEEL):
        return _BESIDE.sub("", path, count=1)
    return path if place[0] == "sources" else None
