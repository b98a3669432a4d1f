"""Wheels that a payload gets besides its own for bare hosts: certifi's certificates, tzdata's time zones.

They are those that czscie itself is installed with: the build downloads nothing for them.
"""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path

from czscie.container.content import File, OnDisk
from czscie.czex.wheel import Wheel
from czscie.errors import CzscieError
from czscie.lift.bare import Bare
from czscie.platforms import Platform


def provisions(bare: Bare, platform: Platform) -> tuple[Wheel, ...]:
    """What the lift asks for on `platform`. Raises CzscieError when czscie is installed without its files."""
    projects = []
    if bare.certificates and platform.os != "windows":  # where Python asks the system
        projects.append("certifi")
    if bare.tzdata:
        projects.append("tzdata")
    return tuple(map(_installed_wheel, projects))


def _installed_wheel(project: str) -> Wheel:
    """The wheel that a project of this environment was installed from, as far as it is still there."""
    label = "czscie's own environment"
    try:
        distribution = metadata.distribution(project)
        found = distribution.files or ()
    except metadata.PackageNotFoundError:
        found = ()
    files = [
        File(path.as_posix(), OnDisk(Path(str(path.locate()))))
        for path in found
        if ".." not in path.parts and "__pycache__" not in path.parts and Path(str(path.locate())).is_file()
    ]
    if not files:
        raise CzscieError(
            f"{project} is not installed as files in {label}",
            why="[lift.bare] adds the one that czscie is installed with",
            mend=f"python -m pip install {project}",
        )
    filename = f"{project}-{distribution.version}-py3-none-any.whl"
    ordered = sorted(files, key=lambda file: file.path)
    return Wheel.read(filename, ordered, spread=False, label=label)


def wheel_digest(wheel: Wheel) -> str:
    """SHA-256 of the files of a wheel and their names."""
    digest = hashlib.sha256()
    for member in wheel.members:
        digest.update(f"{member.path}\0{member.content.size}\0".encode())
        digest.update(member.content.read())
    return digest.hexdigest()
