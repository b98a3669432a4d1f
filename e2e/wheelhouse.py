"""A directory with the wheels of all that czscie and its executables need, in place of a package index."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from e2e.cache import cached


def czscie_requirements() -> list[str]:
    """The distributions that czscie needs, as they are installed here."""
    found: dict[str, str] = {}
    wanted = ["czscie"]
    while wanted:
        name = canonicalize_name(wanted.pop())
        if name not in found:
            installed = distribution(name)
            found[name] = f"{name}=={installed.version}"
            for line in installed.requires or ():
                requirement = Requirement(line)
                if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                    wanted.append(requirement.name)
    del found["czscie"]
    return [*sorted(found.values()), "tomli"]


def wheelhouse(python: Path) -> Path:
    """The wheels for `python`, downloaded once and kept.

    distlib's has the launchers of scripts on Windows, which a lift for Windows locks.
    """
    wanted = [*czscie_requirements(), "distlib"]

    def download(out: Path) -> None:
        command: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "download", "--quiet"]
        command += ["--only-binary", ":all:", "--dest", out]
        subprocess.run([*command, *wanted], check=True)

    return cached("wheelhouse", [str(python), *wanted], download)
